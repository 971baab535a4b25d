//! Arithmetic and comparison between two vectors: which series meet, and what labels their result carries.

use std::collections::HashMap;

use culprit_store::Labels;

use super::PromqlError;
use super::aggregate::Grouping;
use super::binary::{Binary, Cardinality, Matching, Operator};
use super::column::{Column, Sample, join_same, without_metadata};
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Notes;
use super::syntax::Fill;

/// The side whose series may be several per match group ("many", for one-to-one the left) is walked; for each of its samples
/// the group's single sample of the other side ("one") is looked up. `fill` stands in for what one side lacks.
pub(super) fn combine(
    binary: &Binary,
    left: Vec<Column>,
    right: Vec<Column>,
    evaluator: &mut Evaluator<'_>,
    grid: &Grid,
) -> Result<Vec<Column>, PromqlError> {
    let matching = &binary.matching;
    let swapped = matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    // Prometheus has exchanged the sides by then: with group_right, fill_left fills the right one, which is "many".
    let (fill_many, fill_one) = (matching.fill.left, matching.fill.right);
    if (many.is_empty() && fill_many.is_none()) || (one.is_empty() && fill_one.is_none()) {
        return Ok(Vec::new());
    }
    let ones = OneSide::new(&one, &many, matching, grid)?;
    let mut meeting = Meeting { binary, swapped, taken: Taken::new(matching.cardinality), results: Vec::new() };
    for column in &many {
        evaluator.check_stop()?;
        let group = matching.by.key(&column.labels);
        let partners = ones.partners(&group);
        for partner in partners {
            meeting.add(&group, column, partner, &mut evaluator.notes)?;
        }
        if let Some(fill) = fill_one {
            let gaps = filled(&group, grid, fill, |step| partners.iter().all(|partner| !partner.is_present(step)));
            meeting.add(&group, column, &gaps, &mut evaluator.notes)?;
        }
    }
    if let Some(fill) = fill_many {
        let mut by_group: HashMap<Labels, Vec<&Column>> = HashMap::new();
        for column in &many {
            by_group.entry(matching.by.key(&column.labels)).or_default().push(column);
        }
        for partner in &one {
            let group = matching.by.key(&partner.labels);
            let there = by_group.get(&group).map_or(&[][..], Vec::as_slice);
            let gaps = filled(&group, grid, fill, |step| there.iter().all(|column| !column.is_present(step)));
            meeting.add(&group, &gaps, partner, &mut evaluator.notes)?;
        }
    }
    join_same(meeting.results)
}

/// A series with the labels of the match group that has `value` wherever there is a gap.
fn filled(group: &Labels, grid: &Grid, value: f64, gap: impl Fn(usize) -> bool) -> Column {
    let mut column = Column::empty(group.clone(), false, grid.steps);
    for (_, slot) in column.values.iter_mut().enumerate().filter(|(step, _)| gap(*step)) {
        *slot = value;
    }
    column
}

/// Combines series that belong together.
struct Meeting<'a> {
    binary: &'a Binary,
    /// The "many" side is the right one.
    swapped: bool,
    taken: Taken,
    results: Vec<Column>,
}

impl Meeting<'_> {
    fn add(&mut self, group: &Labels, many: &Column, one: &Column, notes: &mut Notes) -> Result<(), PromqlError> {
        let labels = result_labels(self.binary, &many.labels, &one.labels);
        let drop_name = many.drop_name || self.binary.drops_name();
        let mut result = Column::empty(labels, drop_name, many.values.len());
        for (step, slot) in result.values.iter_mut().enumerate() {
            let (Some(value), Some(other)) = (many.get(step), one.get(step)) else { continue };
            let (left, right) = if self.swapped { (other, value) } else { (value, other) };
            if let Some(combined) = self.binary.combine(left, right, left) {
                *slot = combined;
            }
        }
        if !many.histograms.is_empty() || !one.histograms.is_empty() {
            for step in 0..many.values.len() {
                let (Some(many), Some(one)) = (many.sample(step), one.sample(step)) else { continue };
                let (left, right) = if self.swapped { (one, many) } else { (many, one) };
                if matches!((&left, &right), (Sample::Float(_), Sample::Float(_))) {
                    continue;
                }
                if let Some(sample) = self.binary.combine_samples(left, right, notes) {
                    result.put(step, sample);
                }
            }
        }
        if result.has_values() {
            self.taken.claim(group, &result)?;
            self.results.push(result);
        }
        Ok(())
    }
}

/// The series of the "one" side by match group. Several may share a group as long as they are never there together.
struct OneSide<'a> {
    groups: HashMap<Labels, Vec<&'a Column>>,
}

impl<'a> OneSide<'a> {
    fn new(one: &'a [Column], many: &[Column], matching: &Matching, grid: &Grid) -> Result<Self, PromqlError> {
        let mut groups: HashMap<Labels, Vec<&Column>> = HashMap::new();
        for column in one {
            groups.entry(matching.by.key(&column.labels)).or_default().push(column);
        }
        let mut crowded: Vec<(&Labels, &Vec<&Column>)> =
            groups.iter().filter(|(_, columns)| columns.len() > 1).collect();
        crowded.sort_by_key(|(group, _)| *group);
        for step in 0..grid.steps {
            for (group, columns) in &crowded {
                let mut there = columns.iter().filter(|column| column.is_present(step));
                let (Some(first), Some(second)) = (there.next(), there.next()) else { continue };
                // With nothing on the other side at this step, Prometheus does not look.
                if matching.fill != Fill::default() || many.iter().any(|column| column.is_present(step)) {
                    return Err(many_to_many(group, matching, first, second));
                }
            }
        }
        Ok(Self { groups })
    }

    fn partners(&self, group: &Labels) -> &[&'a Column] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }
}

fn many_to_many(group: &Labels, matching: &Matching, first: &Column, second: &Column) -> PromqlError {
    let side = if matching.cardinality == Cardinality::OneToMany { "left" } else { "right" };
    PromqlError::execution(format!(
        "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many \
         matching not allowed: matching labels must be unique on one side",
        braced(group),
        braced(&second.labels),
        braced(&first.labels)
    ))
}

/// `{a="b", c="d"}`, the name among the labels, as Prometheus prints label sets in messages.
fn braced(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|label| format!("{}={:?}", label.name, label.value)).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Which steps of which result are taken, to find a second sample that claims the same place.
struct Taken {
    cardinality: Cardinality,
    steps: HashMap<(Labels, Labels), Vec<bool>>,
}

impl Taken {
    fn new(cardinality: Cardinality) -> Self {
        Self { cardinality, steps: HashMap::new() }
    }

    fn claim(&mut self, group: &Labels, result: &Column) -> Result<(), PromqlError> {
        let one_to_one = self.cardinality == Cardinality::OneToOne;
        let within = if one_to_one { Labels::default() } else { result.labels.clone() };
        let steps = self.steps.entry((group.clone(), within)).or_insert_with(|| vec![false; result.values.len()]);
        for (_, taken) in steps.iter_mut().enumerate().filter(|(step, _)| result.is_present(*step)) {
            if std::mem::replace(taken, true) {
                return Err(PromqlError::execution(if one_to_one {
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                } else {
                    "multiple matches for labels: grouping labels must ensure unique matches"
                }));
            }
        }
        Ok(())
    }
}

/// One-to-one keeps the labels that were matched on; otherwise the "many" side's labels stay and `include` comes over.
fn result_labels(binary: &Binary, many: &Labels, one: &Labels) -> Labels {
    let matching = &binary.matching;
    let named = match binary.operator {
        Operator::Arithmetic(_) => without_metadata(many),
        _ => many.clone(),
    };
    let mut labels = match (&matching.cardinality, &matching.by) {
        (Cardinality::OneToOne, Grouping::By(names)) => {
            named.filter(|label| names.iter().any(|name| **name == *label.name))
        }
        (Cardinality::OneToOne, Grouping::Without(names)) => {
            named.filter(|label| !names.iter().any(|name| **name == *label.name))
        }
        _ => named,
    };
    for name in &matching.include {
        labels = labels.with(name, one.get(name).unwrap_or(""));
    }
    labels
}
