//! One customer's requests fail, whichever service, version or host serves them.

use super::Failure;
use crate::demo::shop::Host;
use crate::demo::traffic::{ORDINARY_REASON, Request};

#[derive(Debug, Clone)]
pub(in crate::demo) struct OneCustomer {
    pub(super) id: i64,
}

impl OneCustomer {
    pub(super) fn told(&self) -> String {
        format!("from now on most requests of customer {} fail, whichever service serves them", self.id)
    }

    pub(super) fn look_at(&self) -> String {
        format!("the alert's page has the evidence; `culprit search shop 'customer_id={}'` has the rows", self.id)
    }

    /// The deepest service fails, so that none of them stands out.
    pub(super) fn failure(&self, request: &Request, host: Host) -> Option<Failure> {
        let is_deepest = request.route.services.last() == Some(&host.service);
        (is_deepest && request.customer.id == self.id).then_some(Failure { rate: 0.92, reason: ORDINARY_REASON })
    }
}
