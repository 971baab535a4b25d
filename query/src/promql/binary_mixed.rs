//! Binary operators with native histograms on one side or both.

use super::binary::{Arithmetic, Binary, Comparison, Operator};
use super::column::Sample;
use super::native::{self, NativeHistogram};
use super::notes::Notes;

impl Binary {
    /// As `combine`, for all kinds of samples. What makes no sense gives nothing, and a note.
    pub(super) fn combine_samples(&self, left: Sample, right: Sample, notes: &mut Notes) -> Option<Sample> {
        let combined = match (&left, &right) {
            (Sample::Float(left), Sample::Float(right)) => {
                return self.combine(*left, *right, *left).map(Sample::Float);
            }
            (Sample::Histogram(left), Sample::Float(right)) => self.scaled_or_trimmed(left, *right),
            (Sample::Float(left), Sample::Histogram(right)) => match self.operator {
                Operator::Arithmetic(Arithmetic::Mul) => scaled(right, |it| it.multiply(*left)),
                _ => Err(Incompatible),
            },
            (Sample::Histogram(a), Sample::Histogram(b)) => match self.operator {
                Operator::Arithmetic(operator @ (Arithmetic::Add | Arithmetic::Sub)) => {
                    Ok(added(a, b, operator, notes))
                }
                Operator::Comparison(Comparison::Equal) => Ok(a.same_as(b).then(|| left.clone())),
                Operator::Comparison(Comparison::NotEqual) => Ok((!a.same_as(b)).then(|| left.clone())),
                _ => Err(Incompatible),
            },
        };
        let combined = combined.unwrap_or_else(|Incompatible| {
            self.tell_incompatible(&left, &right, notes);
            None
        });
        if self.returns_bool { Some(Sample::Float(f64::from(u8::from(combined.is_some())))) } else { combined }
    }

    fn scaled_or_trimmed(&self, histogram: &NativeHistogram, by: f64) -> Result<Option<Sample>, Incompatible> {
        match self.operator {
            Operator::Arithmetic(Arithmetic::Mul) => scaled(histogram, |it| it.multiply(by)),
            Operator::Arithmetic(Arithmetic::Div) => scaled(histogram, |it| it.divide(by)),
            Operator::Trim(trim) => Ok(Some(native::trim(histogram, trim, by).into())),
            _ => Err(Incompatible),
        }
    }

    pub(super) fn tell_incompatible(&self, left: &Sample, right: &Sample, notes: &mut Notes) {
        let kind = |sample: &Sample| match sample {
            Sample::Float(_) => "float",
            Sample::Histogram(_) => "histogram",
        };
        let operator = self.operator.name();
        notes.info(format_args!(
            "incompatible sample types encountered for binary operator {operator:?}: {} {operator} {}",
            kind(left),
            kind(right)
        ));
    }
}

struct Incompatible;

fn scaled(
    histogram: &NativeHistogram,
    change: impl FnOnce(&mut NativeHistogram),
) -> Result<Option<Sample>, Incompatible> {
    let mut scaled = histogram.clone();
    change(&mut scaled);
    Ok(Some(scaled.into()))
}

fn added(left: &NativeHistogram, right: &NativeHistogram, operator: Arithmetic, notes: &mut Notes) -> Option<Sample> {
    let mut result = left.clone();
    let (done, what) = match operator {
        Arithmetic::Sub => (result.subtract(right), "subtraction"),
        _ => (result.add(right), "addition"),
    };
    let Ok(reconciled) = done else {
        let operator = Operator::Arithmetic(operator).name();
        notes.warn(format_args!("incompatible bucket layout encountered for binary operator {operator}"));
        return None;
    };
    if reconciled.resets {
        notes.contradicting_resets(what);
    }
    if reconciled.bounds {
        notes.reconciled_bounds(what);
    }
    Some(result.into())
}
