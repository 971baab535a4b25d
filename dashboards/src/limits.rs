//! What a dashboard file may hold. Files come from outside, and every board is imported again when it is read.

/// A dashboard's JSON. The largest public boards stay under 1 MB.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Panels with those inside rows. The largest public boards have about 500.
pub const PANELS_MAX: usize = 2_000;
/// Queries of one panel.
pub const TARGETS_MAX: usize = 200;
/// Variables of one dashboard.
pub const VARIABLES_MAX: usize = 200;
/// Imported dashboards of one project; a list reads all of them.
pub const DASHBOARDS_MAX: usize = 1_000;
/// A dashboard's key.
pub const UID_BYTES_MAX: usize = 128;
