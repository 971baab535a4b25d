//! A release of the whole shop reaches every second host, and one service fails in it. The release is fine everywhere
//! else and the service is fine in the release before, so neither of them alone says what is wrong.

use super::{Failure, choice, other_choice};
use crate::demo::shop::{Host, Service};

#[derive(Debug, Clone)]
pub(in crate::demo) struct BadDeploy {
    service: Service,
    /// The one that ran everywhere, and the one that rolls out.
    versions: [&'static str; 2],
    /// Whether it is the even or the odd hosts that get the new one.
    parity: usize,
}

const RELEASES: [[&str; 2]; 4] =
    [["2.13.4", "2.14.0"], ["2.14.0", "2.14.1"], ["2.14.1", "2.14.2"], ["2.14.2", "2.15.0"]];

impl BadDeploy {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            service: choice(seed, &[Service::Checkout, Service::Cart, Service::Payment, Service::Shipping]),
            versions: choice(seed / 3 + 1, &RELEASES),
            parity: other_choice(seed, 2),
        }
    }

    pub(super) fn told(&self) -> String {
        let (service, version) = (self.service.name(), self.versions[1]);
        format!("from now on every second host runs release {version}, in which service {service} fails")
    }

    pub(super) fn look_at(&self) -> String {
        let version = self.versions[1];
        format!("the query page: `count by (version) (shop_build_info)` shows when {version} came")
    }

    pub(super) fn version(&self, host: Host, lasts: bool) -> &'static str {
        self.versions[usize::from(lasts && host.number % 2 == self.parity)]
    }

    pub(super) fn failure(&self, host: Host) -> Option<Failure> {
        let is_hit = host.service == self.service && host.number % 2 == self.parity;
        is_hit.then_some(Failure { rate: 0.9, reason: "cannot read field currency of null" })
    }
}
