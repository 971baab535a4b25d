//! What is anomalous: a point of a series, a slice among thousands, the moment at which a level changed.
//!
//! [`Detector`] scores a series point by point; [`anomalous_slices`] says which of many series jumped within a window, with
//! the false discoveries bounded; [`level_shift`] finds the one change of a series, if it has one. Nothing here is trained
//! and nothing is tuned: whatever a method must know of a series it learns from the points before.
//!
//! Values that are no numbers (NaN, infinities) are gaps: they score nothing and teach nothing.

mod detector;
mod forecast;
#[cfg(test)]
mod noise;
mod period;
mod ranks;
mod rarity;
mod season;
mod shift;
mod slices;
mod window;

pub use detector::{Detector, Scored, scores};
pub use shift::{LevelShift, level_shift};
pub use slices::{SliceAnomaly, anomalous_slices};
