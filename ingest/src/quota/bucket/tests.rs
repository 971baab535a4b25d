//! Against a bucket that is filled drop by drop.

use proptest::prelude::*;

use super::*;

/// Tokens in billionths, refilled by multiplication: what everybody would write first.
struct Naive {
    rate: i128,
    size: i128,
    floor: i128,
    level: i128,
    at: u64,
}

impl Naive {
    fn new(rate: Rate) -> Self {
        let per_nano = i128::from(rate.per_second);
        let size = per_nano * rate.burst.as_nanos() as i128;
        Self { rate: per_nano, size, floor: -per_nano * QUOTA_DEBT_MAX.as_nanos() as i128, level: size, at: 0 }
    }

    fn refill(&mut self, now: Nanos) {
        self.level = self.size.min(self.level + self.rate * i128::from(now.0 - self.at));
        self.at = now.0;
    }

    fn lower(&mut self, amount: i128) {
        self.level = self.floor.max(self.level - amount * 1_000_000_000);
    }
}

#[derive(Debug, Clone)]
enum Move {
    Wait(u64),
    Take(u64),
    Owe(u64),
    GiveBack(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..3_000_000_000_u64).prop_map(Move::Wait),
        (0..4_000_u64).prop_map(Move::Take),
        (0..4_000_u64).prop_map(Move::Owe),
        (0..500_u64).prop_map(Move::GiveBack),
    ];
    proptest::collection::vec(one, 1..200)
}

proptest! {
    /// Rates that divide a second: no rounding, so the two agree to the last token.
    #[test]
    fn the_bucket_is_the_naive_one(rate in prop::sample::select(vec![1_u64, 2, 5, 100, 1_000, 50_000]), burst_ms in 1..4_000_u64, moves in moves()) {
        let rate = Rate { per_second: rate, burst: Duration::from_millis(burst_ms) };
        let (bucket, mut naive) = (Bucket::default(), Naive::new(rate));
        let mut now = Nanos(0);
        for step in moves {
            match step {
                Move::Wait(pause) => now = Nanos(now.0 + pause),
                Move::Take(amount) => {
                    naive.refill(now);
                    let given = bucket.take(rate, amount, now);
                    prop_assert_eq!(given.is_ok(), naive.level > 0);
                    match given {
                        Ok(()) => naive.lower(amount.into()),
                        Err(overdrawn) => {
                            let waited = |wait: Duration| naive.level + naive.rate * wait.as_nanos() as i128;
                            prop_assert!(waited(overdrawn.wait) > 0, "{:?}", overdrawn);
                            prop_assert!(waited(overdrawn.wait - Duration::from_nanos(1)) <= 0, "{:?}", overdrawn);
                        }
                    }
                }
                Move::Owe(amount) => {
                    naive.refill(now);
                    bucket.owe(rate, amount, now);
                    naive.lower(amount.into());
                }
                Move::GiveBack(amount) => {
                    naive.refill(now);
                    bucket.give_back(rate, amount);
                    naive.level = naive.size.min(naive.level + i128::from(amount) * 1_000_000_000);
                }
            }
            naive.refill(now);
            prop_assert_eq!(bucket.is_full(now), naive.level == naive.size);
        }
    }

    /// Any rate: what passes in a time is bounded from above and, when everything asks, from below.
    #[test]
    fn a_flood_passes_at_the_rate(rate in 1_000..5_000_000_000_u64, amount in 1..1_000_000_u64, gap in 1_000..2_000_000_u64) {
        let rate = Rate { per_second: rate, burst: Duration::from_secs(1) };
        let bucket = Bucket::default();
        let (mut passed, mut asked, mut now) = (0_u128, 0_u128, Nanos(1));
        for _ in 0..5_000 {
            asked += u128::from(amount);
            passed += if bucket.take(rate, amount, now).is_ok() { u128::from(amount) } else { 0 };
            now = Nanos(now.0 + gap);
        }
        let paid = u128::from(rate.per_second) * u128::from(now.0) / 1_000_000_000;
        prop_assert!(passed <= paid + u128::from(rate.per_second) + u128::from(amount));
        // Each charge may round up by a nanosecond, and a gap goes by before the next one asks.
        let rounding = u128::from(rate.per_second) * 5_000 / 1_000_000_000 + 1;
        let idle = u128::from(rate.per_second) * u128::from(gap) / 1_000_000_000 + 1;
        prop_assert!(passed + rounding + idle >= asked.min(paid), "{passed} of {asked}, {paid} paid");
    }
}

#[test]
fn a_rate_of_nothing_gives_nothing() {
    let rate = Rate { per_second: 0, burst: Duration::from_secs(1) };
    assert!(Bucket::default().take(rate, 0, Nanos(5)).is_err());
}

#[test]
fn amounts_from_outside_do_not_overflow() {
    let rate = Rate { per_second: 1, burst: Duration::from_secs(1) };
    let bucket = Bucket::default();
    bucket.owe(rate, u64::MAX, Nanos(1));
    let overdrawn = bucket.check(rate, Nanos(1)).unwrap_err();
    assert_eq!(overdrawn.wait, QUOTA_DEBT_MAX + Duration::from_nanos(1));
    bucket.give_back(rate, u64::MAX);
    assert!(bucket.is_full(Nanos(1)));
}
