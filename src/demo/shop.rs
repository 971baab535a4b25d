//! The shop as it stands: its services, the routes through them, and where they run.

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Frontend,
    Cart,
    Checkout,
    Payment,
    Catalog,
    Shipping,
}

use Service::{Cart, Catalog, Checkout, Frontend, Payment, Shipping};

impl Service {
    /// In the order of the variants.
    pub(super) const ALL: [Service; 6] = [Frontend, Cart, Checkout, Payment, Catalog, Shipping];

    pub(super) fn name(self) -> &'static str {
        match self {
            Frontend => "frontend",
            Cart => "cart",
            Checkout => "checkout",
            Payment => "payment",
            Catalog => "catalog",
            Shipping => "shipping",
        }
    }

    /// Time spent in the service itself, without those that it calls.
    pub(super) fn median_ms(self) -> f64 {
        match self {
            Frontend => 12.0,
            Cart => 18.0,
            Checkout => 45.0,
            Payment => 110.0,
            Catalog => 22.0,
            Shipping => 40.0,
        }
    }

    /// The stable version, and the one that is being tried out on the last host of every region.
    fn versions(self) -> [&'static str; 2] {
        match self {
            Frontend => ["5.2.0", "5.3.0"],
            Cart => ["2.14.1", "2.15.0"],
            Checkout => ["3.8.0", "3.8.1"],
            Payment => ["1.31.2", "1.32.0"],
            Catalog => ["7.0.3", "7.1.0"],
            Shipping => ["1.9.4", "1.10.0"],
        }
    }

    pub(super) fn version(self, host: usize) -> &'static str {
        self.versions()[usize::from(host + 1 == HOSTS_PER_REGION)]
    }
}

/// Of each service.
pub(super) const HOSTS_PER_REGION: usize = 4;

pub(super) const REGIONS: [&str; 3] = ["eu", "us", "ap"];

/// Hosts of a region stand in two zones.
pub(super) const ZONES: [[&str; 2]; 3] = [["eu-a", "eu-b"], ["us-a", "us-b"], ["ap-a", "ap-b"]];

/// A request as the customer sends it, and the services that it passes, each called by the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) services: &'static [Service],
}

const fn route(method: &'static str, path: &'static str, services: &'static [Service]) -> Route {
    Route { method, path, services }
}

/// With the share of the traffic that each has. `/products/` and `/categories/` are completed with a number.
const ROUTES: [(Route, f64); 10] = [
    (route("GET", "/", &[Frontend, Catalog]), 20.0),
    (route("GET", "/products/", &[Frontend, Catalog]), 24.0),
    (route("GET", "/categories/", &[Frontend, Catalog]), 11.0),
    (route("GET", "/search", &[Frontend, Catalog]), 14.0),
    (route("GET", "/cart", &[Frontend, Cart]), 9.0),
    (route("POST", "/cart/items", &[Frontend, Cart, Catalog]), 8.0),
    (route("POST", "/checkout", &[Frontend, Checkout, Payment]), 5.0),
    (route("POST", "/orders", &[Frontend, Checkout, Payment, Shipping]), 3.0),
    (route("GET", "/orders/status", &[Frontend, Shipping]), 5.0),
    (route("GET", "/shipping/rates", &[Frontend, Checkout, Shipping]), 1.0),
];

impl Route {
    pub(super) fn random(random: &mut Random) -> Self {
        random.pick(&ROUTES)
    }

    /// Few products are asked for often, most hardly ever.
    pub(super) fn full_path(&self, random: &mut Random) -> String {
        let skewed = |random: &mut Random, n: f64| n.powf(random.unit()) as usize;
        match self.path {
            "/products/" => format!("/products/{}", skewed(random, 400.0)),
            "/categories/" => format!("/categories/{}", skewed(random, 24.0)),
            path => path.to_owned(),
        }
    }
}
