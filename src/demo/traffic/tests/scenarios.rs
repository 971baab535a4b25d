//! The other incidents, each counted by plain means: what the rules look at, and whether the cause is what sets the rows
//! apart.

use super::*;

struct Case {
    scenario: Scenario,
    seed: u64,
    cause: [&'static str; 2],
}

/// Causes of one condition have it twice.
const CASES: [Case; 12] = [
    deploy(1, ["service = checkout", "version = 2.14.0"]),
    deploy(2, ["service = cart", "version = 2.14.0"]),
    deploy(3, ["service = payment", "version = 2.14.1"]),
    deploy(4, ["service = shipping", "version = 2.14.1"]),
    slow(1, ["upstream = payments-db", "region = eu"]),
    slow(2, ["upstream = search-index", "region = eu"]),
    slow(6, ["upstream = sessions-db", "region = us"]),
    slow(7, ["upstream = payments-db", "region = us"]),
    full(1, "host = catalog-eu-1"),
    full(2, "host = frontend-eu-1"),
    full(4, "host = frontend-ap-1"),
    full(5, "host = catalog-ap-4"),
];

const fn deploy(seed: u64, cause: [&'static str; 2]) -> Case {
    Case { scenario: Scenario::BadDeploy, seed, cause }
}

const fn slow(seed: u64, cause: [&'static str; 2]) -> Case {
    Case { scenario: Scenario::SlowDependency, seed, cause }
}

const fn full(seed: u64, cause: &'static str) -> Case {
    Case { scenario: Scenario::FullDisk, seed, cause: [cause, cause] }
}

impl Case {
    fn traffic(&self, start: UnixNanos) -> Traffic {
        Traffic::new(self.seed, 1002, Incident::new(self.scenario, self.seed, 1002), start, OPENING)
    }

    /// What the rule counts, among what the customers ask.
    fn alarms(&self, row: &Row) -> bool {
        match self.scenario {
            Scenario::SlowDependency => row.latency_ms > 1_000.0,
            _ => row.failed(),
        }
    }

    /// The share of those above which the rule is true.
    fn threshold(&self) -> f64 {
        match self.scenario {
            Scenario::SlowDependency => 0.01,
            _ => 0.03,
        }
    }

    /// The predicate of the rule's key `explain`.
    fn is_to_be_explained(&self, row: &Row) -> bool {
        match self.scenario {
            Scenario::SlowDependency => row.latency_ms >= 1_000.0,
            _ => row.failed() && row.status != 502,
        }
    }

    fn share(&self, rows: &[Row], end: i64) -> f64 {
        let window = requests(rows).filter(|row| row.time >= after(end - 20) && row.time < after(end));
        let alarms: Vec<bool> = window.map(|row| self.alarms(row)).collect();
        alarms.iter().filter(|alarm| **alarm).count() as f64 / alarms.len() as f64
    }
}

#[test]
fn the_rule_is_true_soon_after_the_beginning_and_not_before() {
    for case in &CASES {
        let mut traffic = case.traffic(after(-60));
        traffic.begin_incident(OPENING);
        let rows = traffic.until(after(20));
        let calm = (-40..=0).map(|end| case.share(&rows, end)).fold(0.0, f64::max);
        assert!(calm < 0.9 * case.threshold(), "{:?} {}: {calm} in the calm", case.scenario, case.seed);
        let crossed = (0..20).find(|end| case.share(&rows, *end) > case.threshold());
        assert!(crossed.is_some(), "{:?} {}: {}", case.scenario, case.seed, case.share(&rows, 20));
    }
}

/// Of all conditions and pairs of conditions none sets the rows apart better than the cause.
#[test]
fn the_cause_is_the_strongest_contrast_by_plain_counting() {
    // Every second one: two of each kind.
    for case in CASES.iter().step_by(2) {
        let mut traffic = case.traffic(OPENING);
        traffic.begin_incident(after(1));
        let rows = traffic.until(after(16));
        let counts = Counts::of(&rows, |row| case.is_to_be_explained(row));
        let strength = |pair: (usize, usize)| likelihood_ratio(counts.with[&pair], counts.totals);
        let [first, second] = case.cause.map(|condition| counts.items[condition]);
        let cause = strength((first.min(second), first.max(second)));
        let best = counts.with.keys().copied().max_by(|a, b| strength(*a).total_cmp(&strength(*b))).unwrap();
        let named = |item: usize| counts.items.iter().find(|(_, number)| **number == item).unwrap().0;
        let rather = (named(best.0), named(best.1));
        assert!(cause >= strength(best), "{:?} {}: rather {rather:?}", case.scenario, case.seed);
    }
}

struct Counts {
    /// The conditions, numbered.
    items: HashMap<String, usize>,
    /// Of two items, the smaller number first, one alone as a pair with itself: rows not anomalous, and anomalous.
    with: HashMap<(usize, usize), [f64; 2]>,
    totals: [f64; 2],
}

impl Counts {
    fn of(rows: &[Row], is_a: impl Fn(&Row) -> bool) -> Self {
        let mut counts = Self { items: HashMap::new(), with: HashMap::new(), totals: [0.0; 2] };
        for row in rows {
            let side = usize::from(is_a(row));
            counts.totals[side] += 1.0;
            let items = counts.items_of(row);
            for (at, first) in items.iter().enumerate() {
                for second in &items[at..] {
                    counts.with.entry((*first, *second)).or_default()[side] += 1.0;
                }
            }
        }
        counts
    }

    fn items_of(&mut self, row: &Row) -> Vec<usize> {
        let Value::Object(fields) = serde_json::to_value(row).unwrap() else { panic!("a row is an object") };
        let searched = fields.iter().filter(|(name, value)| {
            !["_time", "_msg", "status", "trace_id", "path"].contains(&name.as_str()) && !value.is_f64()
        });
        let mut number = |(name, value): (&String, &Value)| {
            let next = self.items.len();
            *self.items.entry(format!("{name} = {}", text(value))).or_insert(next)
        };
        let mut items: Vec<_> = searched.map(&mut number).collect();
        items.sort_unstable();
        items
    }
}
