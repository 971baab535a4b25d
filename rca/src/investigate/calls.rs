//! Who calls whom, and whose trouble is whose: what a callee has too much, its callers have as well.
//!
//! Time spent and requests failed in a callee are spent and failed in its caller once more. What a node's callees have in
//! excess is therefore taken from its own, and what is left is where the trouble begins. Nodes that the target does not
//! reach by calls cannot be its cause.

use std::collections::{BTreeMap, BTreeSet};

/// The call graph: callees by caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(BTreeMap<String, BTreeSet<String>>);

impl Calls {
    pub fn new(calls: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (caller, callee) in calls.into_iter().filter(|(caller, callee)| caller != callee) {
            graph.entry(caller).or_default().insert(callee);
        }
        Self(graph)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The node and all that it reaches by calls.
    pub fn reached_from(&self, node: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::from([node.to_owned()]);
        let mut ahead = vec![node];
        while let Some(caller) = ahead.pop() {
            for callee in self.0.get(caller).into_iter().flatten() {
                if reached.insert(callee.clone()) {
                    ahead.push(callee);
                }
            }
        }
        reached
    }

    fn callees(&self, node: &str) -> impl Iterator<Item = &str> {
        self.0.get(node).into_iter().flatten().map(String::as_str)
    }
}

/// Per node what is left of its excess without that of its callees, never below zero. `excess` has the nodes whose excess
/// is beyond chance; noise of a callee excuses nobody.
pub fn own_excess(calls: &Calls, excess: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let own = |(node, own): (&String, &f64)| {
        let called: f64 =
            calls.callees(node).filter_map(|callee| excess.get(callee)).map(|excess| excess.max(0.0)).sum();
        (node.clone(), (own - called).max(0.0))
    };
    excess.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(edges: &[(&str, &str)]) -> Calls {
        Calls::new(edges.iter().map(|(caller, callee)| ((*caller).to_owned(), (*callee).to_owned())))
    }

    fn excess(nodes: &[(&str, f64)]) -> BTreeMap<String, f64> {
        nodes.iter().map(|(node, excess)| ((*node).to_owned(), *excess)).collect()
    }

    #[test]
    fn the_excess_of_a_callee_is_not_its_callers_own() {
        let graph = calls(&[("site", "search"), ("search", "table"), ("site", "pay")]);
        let own = own_excess(&graph, &excess(&[("site", 60.0), ("search", 58.0), ("pay", 1.0)]));
        assert_eq!(own, excess(&[("site", 1.0), ("search", 58.0), ("pay", 1.0)]));
    }

    #[test]
    fn calls_in_a_circle_have_an_end() {
        let graph = calls(&[("a", "b"), ("b", "a"), ("b", "b"), ("c", "a")]);
        assert_eq!(graph.reached_from("a"), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(graph.reached_from("alone"), BTreeSet::from(["alone".to_owned()]));
        let own = own_excess(&graph, &excess(&[("a", 5.0), ("b", 3.0)]));
        assert_eq!(own, excess(&[("a", 2.0), ("b", 0.0)]));
    }
}
