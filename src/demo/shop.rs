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

    /// The stable version, and the one that has long been tried out on the last host of every region.
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

/// A host, by its place in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) service: Service,
    /// Index in [`REGIONS`].
    pub(super) region: usize,
    /// From 0 within its service and region.
    pub(super) number: usize,
}

impl Host {
    pub(super) fn all() -> impl Iterator<Item = Host> {
        let of = |service| {
            let regions = 0..REGIONS.len();
            regions.flat_map(move |region| (0..HOSTS_PER_REGION).map(move |number| Host { service, region, number }))
        };
        Service::ALL.into_iter().flat_map(of)
    }

    pub(super) fn name(self) -> String {
        format!("{}-{}-{}", self.service.name(), REGIONS[self.region], self.number + 1)
    }

    pub(super) fn zone(self) -> &'static str {
        ZONES[self.region][self.number % 2]
    }
}

/// Of each service.
pub(super) const HOSTS_PER_REGION: usize = 4;

pub(super) const REGIONS: [&str; 3] = ["eu", "us", "ap"];

/// Hosts of a region stand in two zones.
const ZONES: [[&str; 2]; 3] = [["eu-a", "eu-b"], ["us-a", "us-b"], ["ap-a", "ap-b"]];

/// What keeps the shop's data, and the partner that ships its goods.
pub(super) const UPSTREAMS: [&str; 6] =
    ["catalog-db", "search-index", "sessions-db", "payments-db", "orders-db", "carrier-api"];

/// A request as the customer sends it, and the services that it passes, each called by the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) services: &'static [Service],
    /// What the last of the services asks, with weights. Not one of them is asked by all requests of one path alone, so
    /// that neither stands for the other.
    upstreams: &'static [(&'static str, f64)],
}

const fn route(
    method: &'static str,
    path: &'static str,
    services: &'static [Service],
    upstreams: &'static [(&'static str, f64)],
) -> Route {
    Route { method, path, services, upstreams }
}

/// With the share of the traffic that each has. `/products/` and `/categories/` are completed with a number.
const ROUTES: [(Route, f64); 10] = [
    (route("GET", "/", &[Frontend, Catalog], &[("catalog-db", 100.0)]), 20.0),
    (route("GET", "/products/", &[Frontend, Catalog], &[("catalog-db", 100.0)]), 24.0),
    (route("GET", "/categories/", &[Frontend, Catalog], &[("catalog-db", 60.0), ("search-index", 40.0)]), 11.0),
    (route("GET", "/search", &[Frontend, Catalog], &[("search-index", 85.0), ("catalog-db", 15.0)]), 14.0),
    (route("GET", "/cart", &[Frontend, Cart], &[("sessions-db", 100.0)]), 9.0),
    (route("POST", "/cart/items", &[Frontend, Cart, Catalog], &[("sessions-db", 60.0), ("catalog-db", 40.0)]), 8.0),
    (route("POST", "/checkout", &[Frontend, Checkout, Payment], &[("payments-db", 90.0), ("orders-db", 10.0)]), 5.0),
    (
        route(
            "POST",
            "/orders",
            &[Frontend, Checkout, Payment, Shipping],
            &[("payments-db", 80.0), ("orders-db", 20.0)],
        ),
        3.0,
    ),
    (route("GET", "/orders/status", &[Frontend, Shipping], &[("orders-db", 70.0), ("carrier-api", 30.0)]), 5.0),
    (route("GET", "/shipping/rates", &[Frontend, Checkout, Shipping], &[("carrier-api", 100.0)]), 1.0),
];

impl Route {
    pub(super) fn random(random: &mut Random) -> Self {
        random.pick(&ROUTES)
    }

    pub(super) fn upstream(&self, random: &mut Random) -> &'static str {
        random.pick(self.upstreams)
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
