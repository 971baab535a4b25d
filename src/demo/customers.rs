//! Who shops: two thousand customers of very different size, each with traits that stay.

use super::random::{Random, pick, trait_of};
use super::shop::{HOSTS_PER_REGION, REGIONS, Service};

pub(super) const FIRST_ID: i64 = 1000;
const COUNT: usize = 2_000;
/// Of the culprit: large, not the largest, and from the first minute on, so that its size gives nothing away.
const CULPRIT_SHARE: f64 = 0.055;
/// Zipf's exponent and offset: the largest customer has about seven percent.
const SKEW: (f64, f64) = (0.95, 1.0);

pub(super) struct Customers {
    seed: u64,
    culprit: i64,
    /// The others, the largest first, with the weight up to and including each.
    others: Vec<(i64, f64)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Customer {
    pub(super) id: i64,
    pub(super) plan: &'static str,
    pub(super) tenant_tier: &'static str,
    pub(super) payment_provider: &'static str,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    /// Index in [`REGIONS`].
    home: usize,
    usual_flag: &'static str,
    seed: u64,
    is_culprit: bool,
}

/// By region: country, currency and share. Here and in all traits the culprit has what comes first.
type Country = (&'static str, &'static str);
const COUNTRIES: [&[(Country, f64)]; 3] = [
    &[(("DE", "EUR"), 40.0), (("FR", "EUR"), 22.0), (("GB", "GBP"), 20.0), (("SE", "SEK"), 10.0), (("PL", "PLN"), 8.0)],
    &[(("US", "USD"), 80.0), (("CA", "CAD"), 14.0), (("MX", "MXN"), 6.0)],
    &[(("JP", "JPY"), 45.0), (("SG", "SGD"), 25.0), (("AU", "AUD"), 18.0), (("IN", "INR"), 12.0)],
];

const FLAGS: [(&str, f64); 4] = [("new-checkout", 20.0), ("fast-search", 17.0), ("dark-mode", 8.0), ("none", 55.0)];

/// What a trait is for, so that the traits of one customer do not depend on each other.
#[derive(Clone, Copy)]
enum Trait {
    Region = 1,
    Country,
    Plan,
    Tier,
    Flag,
    Provider,
    Host,
}

impl Customers {
    pub(super) fn new(seed: u64, culprit: i64) -> Self {
        let mut random = Random::new(seed);
        let mut ids: Vec<i64> = (FIRST_ID..).take(COUNT).filter(|id| *id != culprit).collect();
        for last in (1..ids.len()).rev() {
            ids.swap(last, random.below(last + 1));
        }
        let (exponent, offset) = SKEW;
        let mut total = 0.0;
        let weight_up_to = |(rank, id): (usize, i64)| {
            total += 1.0 / (rank as f64 + 1.0 + offset).powf(exponent);
            (id, total)
        };
        let others = ids.into_iter().enumerate().map(weight_up_to).collect();
        Self { seed, culprit, others }
    }

    pub(super) fn random(&self, random: &mut Random) -> Customer {
        if random.chance(CULPRIT_SHARE) {
            return self.customer(self.culprit);
        }
        let total = self.others.last().expect("there are other customers").1;
        let position = random.unit() * total;
        let at = self.others.partition_point(|(_, up_to)| *up_to <= position);
        self.customer(self.others[at.min(self.others.len() - 1)].0)
    }

    /// The culprit is what large customers are, an enterprise with a home and a flag to try: that correlates with its
    /// failures and causes none of them. Each of these it shares with many others.
    fn customer(&self, id: i64) -> Customer {
        let is_culprit = id == self.culprit;
        let of = |of: Trait| if is_culprit { 0.0 } else { trait_of(&[self.seed, id as u64, of as u64]) };
        let home = pick(of(Trait::Region), &[(0, 45.0), (1, 35.0), (2, 20.0)]);
        let (country, currency) = pick(of(Trait::Country), COUNTRIES[home]);
        let plan = pick(of(Trait::Plan), &[("enterprise", 15.0), ("pro", 30.0), ("free", 55.0)]);
        let tiers = match plan {
            "enterprise" => [("gold", 80.0), ("silver", 20.0), ("bronze", 0.0)],
            "pro" => [("gold", 10.0), ("silver", 70.0), ("bronze", 20.0)],
            _ => [("gold", 0.0), ("silver", 10.0), ("bronze", 90.0)],
        };
        let providers = match plan {
            "enterprise" => [("invoice", 70.0), ("card", 25.0), ("paypal", 5.0)],
            _ => [("invoice", 5.0), ("card", 60.0), ("paypal", 35.0)],
        };
        Customer {
            id,
            plan,
            tenant_tier: pick(of(Trait::Tier), &tiers),
            usual_flag: pick(of(Trait::Flag), &FLAGS),
            payment_provider: pick(of(Trait::Provider), &providers),
            country,
            currency,
            home,
            seed: self.seed,
            is_culprit,
        }
    }
}

impl Customer {
    /// Index in [`REGIONS`]: nearly always the one at home.
    pub(super) fn region(&self, random: &mut Random) -> usize {
        if random.chance(if self.is_culprit { 0.88 } else { 0.93 }) { self.home } else { random.below(REGIONS.len()) }
    }

    /// An experiment runs on some sessions of everybody and on most of those who asked for it.
    pub(super) fn feature_flag(&self, random: &mut Random) -> &'static str {
        if random.chance(0.7) { self.usual_flag } else { random.pick(&FLAGS) }
    }

    /// Sessions stick to a host as long as it is there.
    pub(super) fn host(&self, service: Service, random: &mut Random) -> usize {
        if random.chance(if self.is_culprit { 0.7 } else { 0.5 }) {
            let usual = trait_of(&[self.seed, self.id as u64, Trait::Host as u64, service as u64]);
            (usual * HOSTS_PER_REGION as f64) as usize
        } else {
            random.below(HOSTS_PER_REGION)
        }
    }

    /// Device and browser family. Companies also call from their own servers.
    pub(super) fn user_agent(&self, random: &mut Random) -> (&'static str, &'static str) {
        let servers = if self.plan == "enterprise" { 45.0 } else { 4.0 };
        let device = random.pick(&[("server", servers), ("desktop", 40.0), ("mobile", 50.0), ("tablet", 6.0)]);
        let family = match device {
            "server" => random.pick(&[("shop-sdk-java", 50.0), ("shop-sdk-python", 35.0), ("curl", 15.0)]),
            "desktop" => random.pick(&[("chrome", 62.0), ("edge", 16.0), ("firefox", 12.0), ("safari", 10.0)]),
            "mobile" => random.pick(&[("shop-app", 45.0), ("safari-mobile", 30.0), ("chrome-mobile", 25.0)]),
            _ => random.pick(&[("safari-mobile", 70.0), ("chrome-mobile", 30.0)]),
        };
        (device, family)
    }
}
