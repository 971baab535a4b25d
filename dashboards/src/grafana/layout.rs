//! Where panels stand. Grafana has had two forms: `rows[]` of panels with a span of twelve (before 5), and a flat list
//! with `gridPos`, where a collapsed row holds its panels. Both become one flat list with every row open.

use super::json::Json;
use crate::model::Grid;

/// The columns of the page.
const COLUMNS: u32 = 24;
/// Pixels of a grid line with its gap, for the heights in pixels of old rows.
const LINE_PIXELS: f64 = 38.0;
/// What Grafana takes for a panel without a place.
const UNPLACED: (u32, u32) = (12, 8);
/// No real panel is higher, none stands lower: they bound sums of what a file says.
const HEIGHT_MAX: u32 = 1_000;
const Y_MAX: u32 = 1_000_000;

/// A panel of the file with its place; `row` marks the head of an old row, whose JSON is the row's.
pub(crate) struct Placed<'a> {
    pub(crate) json: Json<'a>,
    pub(crate) grid: Grid,
    pub(crate) old_row: bool,
}

pub(crate) fn place(dashboard: Json<'_>) -> Vec<Placed<'_>> {
    if dashboard.list("panels").is_empty() && !dashboard.list("rows").is_empty() {
        return place_rows(dashboard);
    }
    place_grid(dashboard)
}

fn place_grid(dashboard: Json<'_>) -> Vec<Placed<'_>> {
    let mut placed = Vec::new();
    for panel in in_order(dashboard.items("panels")) {
        let inside = panel.json.items("panels");
        let is_row = panel.json.text("type") == Some("row");
        placed.push(panel);
        if is_row {
            placed.extend(in_order(inside));
        }
    }
    // As Grafana does, every panel rises until it meets another: files have gaps and overlaps.
    let mut skyline = [0; COLUMNS as usize];
    for panel in &mut placed {
        panel.grid = drop_at(&mut skyline, panel.grid.x, panel.grid.w, panel.grid.h);
    }
    placed
}

fn in_order<'a>(panels: impl Iterator<Item = Json<'a>>) -> Vec<Placed<'a>> {
    let mut panels = with_places(panels);
    panels.sort_by_key(|panel| (panel.grid.y, panel.grid.x));
    panels
}

fn with_places<'a>(panels: impl Iterator<Item = Json<'a>>) -> Vec<Placed<'a>> {
    let mut below = 0;
    panels
        .map(|json| {
            let grid = grid_pos(json, below);
            below = below.max(grid.y + grid.h);
            Placed { json, grid, old_row: false }
        })
        .collect()
}

fn grid_pos(json: Json<'_>, below: u32) -> Grid {
    let row = json.text("type") == Some("row");
    let Some(pos) = json.get("gridPos") else {
        let (w, h) = if row { (COLUMNS, 1) } else { UNPLACED };
        return Grid { x: 0, y: below, w, h };
    };
    let w = pos.whole("w").unwrap_or(UNPLACED.0).clamp(1, COLUMNS);
    let h = if row { 1 } else { pos.whole("h").unwrap_or(UNPLACED.1).clamp(1, HEIGHT_MAX) };
    let y = pos.whole("y").unwrap_or(below).min(Y_MAX);
    Grid { x: pos.whole("x").unwrap_or(0).min(COLUMNS - w), y, w, h }
}

fn place_rows(dashboard: Json<'_>) -> Vec<Placed<'_>> {
    // Old boards put every panel in a row; a head is drawn only where some row shows one.
    let heads = dashboard.items("rows").any(|row| {
        row.flag("collapse") || row.flag("showTitle") || row.text("repeat").is_some_and(|by| !by.is_empty())
    });
    let mut placed = Vec::new();
    let mut top = 0;
    for row in dashboard.items("rows") {
        if heads {
            placed.push(Placed { json: row, grid: Grid { x: 0, y: top, w: COLUMNS, h: 1 }, old_row: true });
            top += 1;
        }
        let row_height = row.get("height").map_or(250.0, pixels);
        let mut skyline = [top; COLUMNS as usize];
        for json in row.items("panels") {
            let span = json.number("span").unwrap_or(4.0).clamp(1.0, 12.0);
            let w = (span * 2.0).round() as u32;
            let height = json.get("height").map_or(row_height, pixels);
            let h = (height.clamp(100.0, 38_000.0) / LINE_PIXELS).ceil() as u32;
            placed.push(Placed { json, grid: drop_in(&mut skyline, w, h), old_row: false });
        }
        top = skyline.into_iter().max().unwrap_or(top);
    }
    placed
}

/// `250`, `"250"` or `"250px"`.
fn pixels(json: Json<'_>) -> f64 {
    let text = json.as_text().map(|text| text.trim_end_matches("px").trim());
    text.and_then(|text| text.parse().ok())
        .or_else(|| json.as_number())
        .filter(|px: &f64| px.is_finite())
        .unwrap_or(250.0)
}

/// The leftmost of the highest free places of that width.
fn drop_in(skyline: &mut [u32; COLUMNS as usize], w: u32, h: u32) -> Grid {
    let x = (0..=COLUMNS - w).min_by_key(|x| highest(skyline, *x, w)).unwrap_or(0);
    drop_at(skyline, x, w, h)
}

fn drop_at(skyline: &mut [u32; COLUMNS as usize], x: u32, w: u32, h: u32) -> Grid {
    let y = highest(skyline, x, w);
    skyline[x as usize..(x + w) as usize].fill(y + h);
    Grid { x, y, w, h }
}

fn highest(skyline: &[u32; COLUMNS as usize], x: u32, w: u32) -> u32 {
    skyline[x as usize..(x + w) as usize].iter().copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(dashboard: serde_json::Value) -> Vec<(String, [u32; 4])> {
        place(Json(&dashboard))
            .iter()
            .map(|panel| {
                let Grid { x, y, w, h } = panel.grid;
                (panel.json.text("title").unwrap().to_owned(), [x, y, w, h])
            })
            .collect()
    }

    #[test]
    fn a_collapsed_row_opens_and_pushes_down() {
        let found = places(json!({"panels": [
            {"title": "below", "gridPos": {"x": 0, "y": 1, "w": 24, "h": 4}},
            {"title": "row", "type": "row", "collapsed": true, "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "panels": [
                {"title": "b", "gridPos": {"x": 12, "y": 21, "w": 12, "h": 9}},
                {"title": "a", "gridPos": {"x": 0, "y": 21, "w": 12, "h": 7}},
            ]},
        ]}));
        let expected = [("row", [0, 0, 24, 1]), ("a", [0, 1, 12, 7]), ("b", [12, 1, 12, 9]), ("below", [0, 10, 24, 4])];
        assert_eq!(found, expected.map(|(title, grid)| (title.to_owned(), grid)));
    }

    #[test]
    fn gaps_close_and_overlaps_part() {
        let found = places(json!({"panels": [
            {"title": "a", "gridPos": {"x": 0, "y": 2, "w": 12, "h": 4}},
            {"title": "b", "gridPos": {"x": 6, "y": 3, "w": 12, "h": 4}},
            {"title": "c", "gridPos": {"x": 18, "y": 30, "w": 6, "h": 2}},
        ]}));
        let expected = [("a", [0, 0, 12, 4]), ("b", [6, 4, 12, 4]), ("c", [18, 0, 6, 2])];
        assert_eq!(found, expected.map(|(title, grid)| (title.to_owned(), grid)));
    }

    #[test]
    fn old_rows_become_lines_of_the_grid() {
        let found = places(json!({"rows": [
            {"title": "first", "showTitle": true, "height": "250px", "panels": [
                {"title": "a", "span": 8}, {"title": "b", "span": 4, "height": 100}, {"title": "c", "span": 4},
                {"title": "d", "span": 12, "height": "20px"},
            ]},
            {"title": "second", "panels": [{"title": "e", "span": 6}]},
        ]}));
        let expected = [
            ("first", [0, 0, 24, 1]),
            ("a", [0, 1, 16, 7]),
            ("b", [16, 1, 8, 3]),
            ("c", [16, 4, 8, 7]),
            ("d", [0, 11, 24, 3]),
            ("second", [0, 14, 24, 1]),
            ("e", [0, 15, 12, 7]),
        ];
        assert_eq!(found, expected.map(|(title, grid)| (title.to_owned(), grid)));
    }

    #[test]
    fn absurd_places_are_bounded() {
        let found = places(json!({"panels": [
            {"title": "wide", "gridPos": {"x": 40, "y": 0, "w": 99, "h": 0}},
            {"title": "nowhere"},
            {"title": "text", "gridPos": {"x": "3", "y": "7", "w": "6", "h": "4294967295"}},
        ]}));
        let expected = [("wide", [0, 0, 24, 1]), ("nowhere", [0, 1, 12, 8]), ("text", [3, 9, 6, 1000])];
        assert_eq!(found, expected.map(|(title, grid)| (title.to_owned(), grid)));
    }
}
