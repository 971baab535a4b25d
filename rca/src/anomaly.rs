//! What is anomalous: a point of a series, a slice among thousands, a series that left its level.
//!
//! [`Detector`] scores a series point by point; [`anomalous_slices`] says which of many series jumped within a window, with
//! the false discoveries bounded; [`shifts`] says which left their level in a window that something else has marked. Nothing
//! here is trained and nothing is tuned: whatever a method must know of a series it learns from the points before.
//!
//! Values that are no numbers (NaN, infinities) are gaps: they score nothing and teach nothing.

mod detector;
mod forecast;
mod median;
#[cfg(test)]
mod noise;
mod period;
mod rarity;
mod season;
mod shift;
mod slices;
mod window;

pub use detector::{Detector, Scored, scores};
pub use shift::{Direction, MetricSeries, Shift, shifts};
pub use slices::{SliceAnomaly, anomalous_slices};
