//! A conjunction as a person says it: rows *run* a version of a service, *call* an upstream, *are on* a host, and *have*
//! whatever has no verb of its own.
//!
//! A column's name decides; a name that is not known says "have", which is always right.

use crate::names;
use crate::report::ReportItem;

/// What rows do that meet the conditions.
pub(crate) struct Phrase {
    /// In the plural, such as `run version = 2.14.0 of service = checkout`.
    pub(crate) text: String,
    /// What is said of others that do the same: "do", "are", "have it".
    pub(crate) again: &'static str,
    /// The same in the singular, for "the baseline".
    pub(crate) again_of_one: &'static str,
}

pub(crate) fn phrase(items: &[ReportItem]) -> Phrase {
    let mut parts = Parts::default();
    for item in items {
        let is_plain = item.condition == format!("{} = {}", item.dimension, item.value);
        match names::role(&item.dimension) {
            Some(role) if is_plain => parts.of(role).push(item.condition.clone()),
            _ => parts.had.push(spoken(item)),
        }
    }
    parts.phrase()
}

/// The conditions by what they tell of the rows.
#[derive(Default)]
struct Parts {
    versions: Vec<String>,
    services: Vec<String>,
    callees: Vec<String>,
    hosts: Vec<String>,
    areas: Vec<String>,
    had: Vec<String>,
}

impl Parts {
    fn of(&mut self, role: names::Role) -> &mut Vec<String> {
        match role {
            names::Role::Version => &mut self.versions,
            names::Role::Service => &mut self.services,
            names::Role::Callee => &mut self.callees,
            names::Role::Host => &mut self.hosts,
            names::Role::Area => &mut self.areas,
        }
    }

    fn phrase(&self) -> Phrase {
        let mut words = Vec::new();
        let said = |words: &mut Vec<String>, before: &str, conditions: &[String]| {
            if !conditions.is_empty() {
                words.push(format!("{before} {}", joined(conditions)));
            }
        };
        said(&mut words, "run", &self.versions);
        let runs = !words.is_empty();
        if runs {
            said(&mut words, "of", &self.services);
        }
        said(&mut words, if runs { "and call" } else { "call" }, &self.callees);
        let acts = !words.is_empty();
        let mut places = Vec::new();
        if !runs {
            said(&mut places, "in", &self.services);
        }
        said(&mut places, "on", &self.hosts);
        said(&mut places, "in", &self.areas);
        let stands = !acts && !places.is_empty();
        if stands {
            words.push("are".to_owned());
        }
        words.extend(places);
        let having = if words.is_empty() { "have" } else { "and have" };
        said(&mut words, having, &self.had);
        let (again, again_of_one) = match (acts, stands, self.had.len()) {
            (true, ..) => ("do", "does"),
            (_, true, 0) => ("are", "is"),
            (_, true, _) => ("do", "does"),
            (.., 0 | 1) => ("have it", "has it"),
            (.., 2) => ("have both", "has both"),
            _ => ("have all of it", "has all of it"),
        };
        Phrase { text: words.join(" "), again, again_of_one }
    }
}

fn spoken(item: &ReportItem) -> String {
    if item.condition.ends_with(" IS NULL") { format!("no {}", item.dimension) } else { item.condition.clone() }
}

fn joined(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(condition: &str) -> ReportItem {
        let words: Vec<_> = condition.split(' ').collect();
        let (dimension, value) = (words[0].to_owned(), words[words.len() - 1].to_owned());
        ReportItem { dimension, value, condition: condition.to_owned(), aliases: Vec::new() }
    }

    #[test]
    fn conjunctions_read_as_a_person_says_them() {
        for (conditions, text, again) in [
            (&["customer_id = 1002"][..], "have customer_id = 1002", "have it"),
            (&["plan = pro", "path = /"], "have plan = pro and path = /", "have both"),
            (&["a = 1", "b = 2", "c = 3"], "have a = 1, b = 2 and c = 3", "have all of it"),
            (&["referer IS NULL"], "have no referer", "have it"),
            (&["latency_ms >= 812"], "have latency_ms >= 812", "have it"),
            (&["service = cart", "version = 2.14.0"], "run version = 2.14.0 of service = cart", "do"),
            (&["app_version = 7"], "run app_version = 7", "do"),
            (&["host = cart-eu-3"], "are on host = cart-eu-3", "are"),
            (&["region = eu", "k8s.pod.name = x-1"], "are on k8s.pod.name = x-1 in region = eu", "are"),
            (&["service = cart"], "are in service = cart", "are"),
            (&["region = eu", "upstream = db"], "call upstream = db in region = eu", "do"),
            (&["upstream = db", "service = cart"], "call upstream = db in service = cart", "do"),
            (
                &["plan = pro", "service = cart", "version = 2", "zone = a"],
                "run version = 2 of service = cart in zone = a and have plan = pro",
                "do",
            ),
            (&["host = a", "method = PUT"], "are on host = a and have method = PUT", "do"),
            (&["version IS NULL"], "have no version", "have it"),
        ] {
            let items: Vec<_> = conditions.iter().map(|condition| item(condition)).collect();
            let phrase = phrase(&items);
            assert_eq!((phrase.text.as_str(), phrase.again), (text, again));
        }
    }
}
