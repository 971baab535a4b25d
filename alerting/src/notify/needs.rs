//! Whether an incident's state is worth a message to a receiver: Alertmanager's `needsUpdate`, row by row.

use std::collections::BTreeSet;
use std::time::Duration;

use culprit_store::UnixNanos;

use crate::incident::Told;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    First,
    NewAlerts,
    AllResolved,
    SomeResolved,
    Repeat,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::First => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::AllResolved => "all alerts resolved",
            Self::SomeResolved => "some alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        }
    }
}

/// What the receiver wants to hear of, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    pub(crate) send_resolved: bool,
    pub(crate) repeat_interval: Duration,
}

pub(crate) fn needs_notification(
    told: Option<&Told>,
    firing: &BTreeSet<String>,
    resolved: &BTreeSet<String>,
    wishes: Wishes,
    now: UnixNanos,
) -> Option<Reason> {
    let Some(told) = told else { return (!firing.is_empty()).then_some(Reason::First) };
    if !firing.is_subset(&told.firing) {
        return Some(if told.firing.is_empty() { Reason::First } else { Reason::NewAlerts });
    }
    if firing.is_empty() {
        // Also without `send_resolved`: nothing is sent then, but what was told is cleared.
        return (!told.firing.is_empty()).then_some(Reason::AllResolved);
    }
    if wishes.send_resolved && !resolved.is_subset(&told.resolved) {
        return Some(Reason::SomeResolved);
    }
    let since = Duration::from_nanos(u64::try_from(now.0.saturating_sub(told.at)).unwrap_or(0));
    (since >= wishes.repeat_interval).then_some(Reason::Repeat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_alertmanager() {
        let set = |text: &str| text.chars().map(|c| c.to_string()).collect::<BTreeSet<_>>();
        let told = |firing: &str, resolved: &str| Some(Told { firing: set(firing), resolved: set(resolved), at: 0 });
        let hour = 3_600_000_000_000;
        for (told, firing, resolved, send_resolved, now, expected) in [
            (None, "a", "", true, 0, Some(Reason::First)),
            (None, "", "a", true, 0, None),
            (told("", "a"), "a", "", true, 0, Some(Reason::First)),
            (told("a", ""), "ab", "", true, 0, Some(Reason::NewAlerts)),
            (told("a", ""), "", "a", true, 0, Some(Reason::AllResolved)),
            (told("a", ""), "", "a", false, 0, Some(Reason::AllResolved)),
            (told("", "a"), "", "a", true, 9 * hour, None),
            (told("ab", ""), "a", "b", true, 0, Some(Reason::SomeResolved)),
            (told("ab", ""), "a", "b", false, 0, None),
            (told("ab", "b"), "a", "b", true, 0, None),
            (told("a", ""), "a", "", true, 4 * hour - 1, None),
            (told("a", ""), "a", "", true, 4 * hour, Some(Reason::Repeat)),
        ] {
            let wishes = Wishes { send_resolved, repeat_interval: Duration::from_secs(4 * 3600) };
            let found = needs_notification(told.as_ref(), &set(firing), &set(resolved), wishes, UnixNanos(now));
            assert_eq!(found, expected, "told {told:?}, firing {firing}, resolved {resolved}");
        }
    }
}
