//! One store behind the services answers slowly in one region. All who wait for it are slow with it, and what asks
//! something else in that region, or the same store elsewhere, is as fast as ever.

use super::{choice, other_choice, region_of};
use crate::demo::random::Random;
use crate::demo::shop::REGIONS;
use crate::demo::traffic::Request;

#[derive(Debug, Clone)]
pub(in crate::demo) struct SlowDependency {
    upstream: &'static str,
    region: &'static str,
}

/// Milliseconds: of the median, and the logarithmic spread around it.
const DELAY: (f64, f64) = (2_500.0, 0.3);
/// Requests that find the answer before the store is asked.
const CACHED: f64 = 0.05;

impl SlowDependency {
    pub(super) fn new(seed: u64) -> Self {
        // The last region is so small that a percentile would not show it at once.
        Self {
            upstream: choice(seed, &["payments-db", "search-index", "sessions-db"]),
            region: REGIONS[other_choice(seed, 2)],
        }
    }

    pub(super) fn told(&self) -> String {
        format!("from now on {} answers slowly in region {}", self.upstream, self.region)
    }

    pub(super) fn look_at(&self) -> String {
        format!(
            "the query page: `rate(shop_upstream_seconds_sum[20s]) / rate(shop_upstream_seconds_count[20s])` shows {}",
            self.upstream
        )
    }

    pub(super) fn delay_ms(&self, request: &Request, random: &mut Random) -> f64 {
        let is_hit = request.upstream == self.upstream && region_of(request) == self.region;
        if is_hit && !random.chance(CACHED) { random.log_normal(DELAY.0, DELAY.1) } else { 0.0 }
    }
}
