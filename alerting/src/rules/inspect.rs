//! The key `inspect` of a rule: every part of it has a default that follows from the step.

use std::time::Duration;

use serde_norway::Value;

use super::Inspection;
use super::reader::{Node, Source};
use crate::limits::INSPECTED_STEPS_MAX;

const KEYS: [&str; 3] = ["step", "window", "history"];
const STEP: Duration = Duration::from_secs(60);
/// Steps of a window, and windows of a history, when nobody says.
const WINDOW_STEPS: u32 = 10;
const HISTORY_WINDOWS: u32 = 30;
/// Windows of a history at least: the spread of fewer is not known.
const HISTORY_WINDOWS_MIN: u32 = 5;

pub(super) fn read_inspection(source: &mut Source<'_>, rule: &Node<'_>) -> Option<Inspection> {
    if rule.map.contains_key("search") {
        source.problem_at(rule, "inspect", "\"inspect\" goes with \"expr\" or \"sql\", not with \"search\"");
        return None;
    }
    let map = match rule.map.get("inspect") {
        Some(Value::Mapping(map)) => map,
        Some(Value::Null) => return Some(with_defaults(None, None, None)),
        _ => {
            source.problem_at(rule, "inspect", "key \"inspect\" must be a mapping, or empty");
            return None;
        }
    };
    let node = Node { map, path: rule.at("inspect"), what: format!("{} inspect", rule.what) };
    source.only_keys(&node, &KEYS);
    let mut given = |key| source.duration(&node, key).filter(|duration| !duration.is_zero());
    let inspection = with_defaults(given("step"), given("window"), given("history"));
    let Inspection { step, window, history } = inspection;
    if window < step {
        source.problem_at(&node, "window", "the window is shorter than a step");
    }
    if history < window.saturating_mul(HISTORY_WINDOWS_MIN) {
        let why = format_args!("the history must hold at least {HISTORY_WINDOWS_MIN} windows");
        source.problem_at(&node, "history", why);
    }
    if history.as_nanos() / step.as_nanos() > INSPECTED_STEPS_MAX {
        let why = format_args!("the history has more than {INSPECTED_STEPS_MAX} steps");
        source.problem_at(&node, "history", why);
    }
    Some(inspection)
}

fn with_defaults(step: Option<Duration>, window: Option<Duration>, history: Option<Duration>) -> Inspection {
    let step = step.unwrap_or(STEP);
    let window = window.unwrap_or(step.saturating_mul(WINDOW_STEPS));
    Inspection { step, window, history: history.unwrap_or(window.saturating_mul(HISTORY_WINDOWS)) }
}
