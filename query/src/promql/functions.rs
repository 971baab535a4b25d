//! The table of functions. Each family has its file; adding a function is its body there and one line here.

use chrono::{DateTime, Utc};

use super::column::{Column, Output, Sample};
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Notes;
use super::plan::{Node, WindowSource};
use super::syntax::ValueType;
use super::window::{NameRule, Window};
use super::{
    PromqlError, absent, date, histogram, histogram_parts, labels, math, over_time, rate, regression, scalar, sort,
};

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Its value depends on the time of evaluation even if its arguments do not.
    pub(super) reads_clock: bool,
    pub(super) signature: Signature,
    body: Body,
}

/// Of `WINDOW_TWO_SCALARS`.
const WINDOW_SCALARS_MAX: usize = 2;

type WindowWithScalars = fn(&Window, &[f64], &mut Notes) -> Result<Option<f64>, PromqlError>;

/// The shapes that functions have. All but `Pick` and `Whole` drop the metric's name.
enum Body {
    /// From one sample to one sample.
    Map(fn(f64) -> f64),
    /// Some part of a sample's value taken as a Unix time; of the evaluation time when there is no argument.
    Date(fn(DateTime<Utc>) -> f64),
    /// From the numbers of a window, of which there is at least one, to one number. Histograms beside them are ignored.
    Window(fn(&Window) -> Option<f64>),
    /// From all samples of a window, of which there is at least one, to one number.
    Count(fn(&Window) -> Option<f64>),
    /// From all samples of a window to a number or a histogram.
    Sampled(fn(&Window, &mut Notes) -> Option<Sample>),
    /// The same, for counters: says so when the metric's name is not one of a counter.
    Counter(fn(&Window, &mut Notes) -> Option<Sample>),
    /// Gives one of the window's own samples, so that the name still fits.
    Pick(fn(&Window) -> Option<Sample>),
    /// The numbers of a window and the scalars of the other arguments, in their order.
    WindowWith(WindowWithScalars),
    /// Becomes a node of its own in the plan.
    Planned,
    Whole(fn(&mut Evaluator<'_>, &[Node], &Grid) -> Result<Output, PromqlError>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

const fn steady(name: &'static str, signature: Signature, body: Body) -> Function {
    Function { name, reads_clock: false, signature, body }
}

const fn clocked(name: &'static str, signature: Signature, body: Body) -> Function {
    Function { name, reads_clock: true, signature, body }
}

/// The types of a function's arguments and of its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) args: &'static [ValueType],
    pub(super) repeat: Repeat,
    pub(super) returns: ValueType,
}

/// How often the last argument can be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Exact,
    Optional,
    /// Up to so many times, or not at all.
    Last(usize),
}

const fn takes(args: &'static [ValueType]) -> Signature {
    Signature { args, repeat: Repeat::Exact, returns: ValueType::Vector }
}

const fn last(repeat: Repeat, args: &'static [ValueType]) -> Signature {
    Signature { args, repeat, returns: ValueType::Vector }
}

const fn gives_scalar(args: &'static [ValueType]) -> Signature {
    Signature { args, repeat: Repeat::Exact, returns: ValueType::Scalar }
}

const VECTOR: Signature = takes(&[ValueType::Vector]);
const WINDOW: Signature = takes(&[ValueType::Matrix]);
const SCALAR: Signature = takes(&[ValueType::Scalar]);
const OPTIONAL_VECTOR: Signature = last(Repeat::Optional, &[ValueType::Vector]);
const INFO: Signature = last(Repeat::Optional, &[ValueType::Vector, ValueType::Vector]);
const ROUND: Signature = last(Repeat::Optional, &[ValueType::Vector, ValueType::Scalar]);
const VECTOR_SCALAR: Signature = takes(&[ValueType::Vector, ValueType::Scalar]);
const SCALAR_VECTOR: Signature = takes(&[ValueType::Scalar, ValueType::Vector]);
const CLAMP: Signature = takes(&[ValueType::Vector, ValueType::Scalar, ValueType::Scalar]);
const FRACTION: Signature = takes(&[ValueType::Scalar, ValueType::Scalar, ValueType::Vector]);
const QUANTILES: Signature = last(Repeat::Last(10), &[ValueType::Vector, ValueType::Text, ValueType::Scalar]);
const WINDOW_SCALAR: Signature = takes(&[ValueType::Matrix, ValueType::Scalar]);
const SCALAR_WINDOW: Signature = takes(&[ValueType::Scalar, ValueType::Matrix]);
const WINDOW_TWO_SCALARS: Signature = takes(&[ValueType::Matrix, ValueType::Scalar, ValueType::Scalar]);
const VECTOR_LABELS: Signature = last(Repeat::Last(usize::MAX / 2), &[ValueType::Vector, ValueType::Text]);
const LABEL_JOIN: Signature =
    last(Repeat::Last(usize::MAX / 2), &[ValueType::Vector, ValueType::Text, ValueType::Text, ValueType::Text]);
const LABEL_REPLACE: Signature =
    takes(&[ValueType::Vector, ValueType::Text, ValueType::Text, ValueType::Text, ValueType::Text]);
const NOTHING: Signature = gives_scalar(&[]);
const TWO_SCALARS: Signature = gives_scalar(&[ValueType::Scalar, ValueType::Scalar]);
const TO_SCALAR: Signature = gives_scalar(&[ValueType::Vector]);

static FUNCTIONS: &[Function] = &[
    steady("abs", VECTOR, Body::Map(f64::abs)),
    steady("absent", VECTOR, Body::Whole(absent::absent)),
    steady("absent_over_time", WINDOW, Body::Whole(absent::absent_over_time)),
    steady("acos", VECTOR, Body::Map(f64::acos)),
    steady("acosh", VECTOR, Body::Map(f64::acosh)),
    steady("asin", VECTOR, Body::Map(f64::asin)),
    steady("asinh", VECTOR, Body::Map(f64::asinh)),
    steady("atan", VECTOR, Body::Map(f64::atan)),
    steady("atanh", VECTOR, Body::Map(f64::atanh)),
    steady("avg_over_time", WINDOW, Body::Sampled(over_time::avg)),
    steady("ceil", VECTOR, Body::Map(f64::ceil)),
    steady("changes", WINDOW, Body::Count(rate::changes)),
    steady("clamp", CLAMP, Body::Whole(math::clamp)),
    steady("clamp_max", VECTOR_SCALAR, Body::Whole(math::clamp_max)),
    steady("clamp_min", VECTOR_SCALAR, Body::Whole(math::clamp_min)),
    steady("cos", VECTOR, Body::Map(f64::cos)),
    steady("cosh", VECTOR, Body::Map(f64::cosh)),
    steady("count_over_time", WINDOW, Body::Count(over_time::count)),
    clocked("day_of_month", OPTIONAL_VECTOR, Body::Date(date::day_of_month)),
    clocked("day_of_week", OPTIONAL_VECTOR, Body::Date(date::day_of_week)),
    clocked("day_of_year", OPTIONAL_VECTOR, Body::Date(date::day_of_year)),
    clocked("days_in_month", OPTIONAL_VECTOR, Body::Date(date::days_in_month)),
    steady("deg", VECTOR, Body::Map(f64::to_degrees)),
    steady("delta", WINDOW, Body::Sampled(rate::delta)),
    steady("deriv", WINDOW, Body::Window(regression::deriv)),
    steady(
        "double_exponential_smoothing",
        WINDOW_TWO_SCALARS,
        Body::WindowWith(regression::double_exponential_smoothing),
    ),
    steady("end", NOTHING, Body::Whole(scalar::end)),
    steady("exp", VECTOR, Body::Map(f64::exp)),
    steady("first_over_time", WINDOW, Body::Pick(over_time::first)),
    steady("floor", VECTOR, Body::Map(f64::floor)),
    steady("histogram_avg", VECTOR, Body::Whole(histogram_parts::avg)),
    steady("histogram_count", VECTOR, Body::Whole(histogram_parts::count)),
    steady("histogram_fraction", FRACTION, Body::Whole(histogram::fraction)),
    steady("histogram_quantile", SCALAR_VECTOR, Body::Whole(histogram::quantile)),
    steady("histogram_quantiles", QUANTILES, Body::Whole(histogram::quantiles)),
    steady("histogram_stddev", VECTOR, Body::Whole(histogram_parts::stddev)),
    steady("histogram_stdvar", VECTOR, Body::Whole(histogram_parts::stdvar)),
    steady("histogram_sum", VECTOR, Body::Whole(histogram_parts::sum)),
    clocked("hour", OPTIONAL_VECTOR, Body::Date(date::hour)),
    steady("idelta", WINDOW, Body::Sampled(rate::idelta)),
    steady("increase", WINDOW, Body::Counter(rate::increase)),
    steady("info", INFO, Body::Planned),
    steady("irate", WINDOW, Body::Sampled(rate::irate)),
    steady("label_join", LABEL_JOIN, Body::Whole(labels::label_join)),
    steady("label_replace", LABEL_REPLACE, Body::Whole(labels::label_replace)),
    steady("last_over_time", WINDOW, Body::Pick(over_time::last)),
    steady("ln", VECTOR, Body::Map(f64::ln)),
    steady("log10", VECTOR, Body::Map(f64::log10)),
    steady("log2", VECTOR, Body::Map(f64::log2)),
    steady("mad_over_time", WINDOW, Body::Window(over_time::mad)),
    steady("max_of", TWO_SCALARS, Body::Whole(scalar::max_of)),
    steady("max_over_time", WINDOW, Body::Window(over_time::max)),
    steady("min_of", TWO_SCALARS, Body::Whole(scalar::min_of)),
    steady("min_over_time", WINDOW, Body::Window(over_time::min)),
    clocked("minute", OPTIONAL_VECTOR, Body::Date(date::minute)),
    clocked("month", OPTIONAL_VECTOR, Body::Date(date::month)),
    steady("pi", NOTHING, Body::Whole(scalar::pi)),
    clocked("predict_linear", WINDOW_SCALAR, Body::WindowWith(regression::predict_linear)),
    steady("present_over_time", WINDOW, Body::Count(over_time::present)),
    steady("quantile_over_time", SCALAR_WINDOW, Body::WindowWith(over_time::quantile)),
    steady("rad", VECTOR, Body::Map(f64::to_radians)),
    steady("range", NOTHING, Body::Whole(scalar::range)),
    steady("rate", WINDOW, Body::Counter(rate::rate)),
    steady("resets", WINDOW, Body::Count(rate::resets)),
    steady("round", ROUND, Body::Whole(math::round)),
    steady("scalar", TO_SCALAR, Body::Whole(scalar::scalar)),
    steady("sgn", VECTOR, Body::Map(math::sgn)),
    steady("sin", VECTOR, Body::Map(f64::sin)),
    steady("sinh", VECTOR, Body::Map(f64::sinh)),
    steady("sort", VECTOR, Body::Whole(sort::ascending)),
    steady("sort_by_label", VECTOR_LABELS, Body::Whole(sort::by_label)),
    steady("sort_by_label_desc", VECTOR_LABELS, Body::Whole(sort::by_label_descending)),
    steady("sort_desc", VECTOR, Body::Whole(sort::descending)),
    steady("sqrt", VECTOR, Body::Map(f64::sqrt)),
    steady("start", NOTHING, Body::Whole(scalar::start)),
    clocked("start_timestamp", VECTOR, Body::Whole(scalar::start_timestamp)),
    steady("stddev_over_time", WINDOW, Body::Window(over_time::stddev)),
    steady("stdvar_over_time", WINDOW, Body::Window(over_time::stdvar)),
    steady("step", NOTHING, Body::Whole(scalar::step)),
    steady("sum_over_time", WINDOW, Body::Sampled(over_time::sum)),
    steady("tan", VECTOR, Body::Map(f64::tan)),
    steady("tanh", VECTOR, Body::Map(f64::tanh)),
    clocked("time", NOTHING, Body::Whole(scalar::time)),
    clocked("timestamp", VECTOR, Body::Whole(scalar::timestamp)),
    steady("ts_of_first_over_time", WINDOW, Body::Count(over_time::time_of_first)),
    steady("ts_of_last_over_time", WINDOW, Body::Count(over_time::time_of_last)),
    steady("ts_of_max_over_time", WINDOW, Body::Window(over_time::time_of_max)),
    steady("ts_of_min_over_time", WINDOW, Body::Window(over_time::time_of_min)),
    steady("vector", SCALAR, Body::Whole(scalar::vector)),
    clocked("year", OPTIONAL_VECTOR, Body::Date(date::year)),
];

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    pub(super) fn call(
        &self,
        evaluator: &mut Evaluator<'_>,
        args: &[Node],
        grid: &Grid,
    ) -> Result<Output, PromqlError> {
        match &self.body {
            Body::Planned => Err(PromqlError::execution(format!("{}() stands where it was not planned", self.name))),
            Body::Whole(whole) => whole(evaluator, args, grid),
            Body::Map(map) => {
                let mut columns = evaluator.vector(&args[0], grid)?;
                for column in &mut columns {
                    column.map(map);
                    column.drop_name = true;
                }
                columns.retain(Column::has_values);
                Ok(Output::Vector(columns))
            }
            Body::Date(part) => date::call(evaluator, args, grid, *part),
            Body::Pick(pick) => windowed(evaluator, args, grid, NameRule::Keep, |window, _| pick(window)),
            Body::Window(of_window) => windowed(evaluator, args, grid, NameRule::Drop, |window, notes| {
                of_numbers(window, notes).then(|| of_window(window)).flatten().map(Sample::Float)
            }),
            Body::Count(of_window) => {
                windowed(evaluator, args, grid, NameRule::Drop, |window, _| of_window(window).map(Sample::Float))
            }
            Body::Sampled(of_window) => windowed(evaluator, args, grid, NameRule::Drop, *of_window),
            Body::Counter(of_window) => {
                let output = windowed(evaluator, args, grid, NameRule::Drop, *of_window)?;
                evaluator.about_argument(0);
                if let Output::Vector(columns) = &output {
                    doubt_counters(columns, evaluator);
                }
                Ok(output)
            }
            Body::WindowWith(of_window) => windowed_with(evaluator, args, grid, *of_window),
        }
    }
}

fn windowed(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    names: NameRule,
    of_window: impl Fn(&Window, &mut Notes) -> Option<Sample> + Sync,
) -> Result<Output, PromqlError> {
    let (source, _) = split_window(args)?;
    let columns = evaluator.over_windows(source, grid, names, |window, _, notes| Ok(of_window(window, notes)))?;
    Ok(Output::Vector(columns))
}

/// Whether a window has numbers; says so when it also has what a function of numbers cannot see.
fn of_numbers(window: &Window, notes: &mut Notes) -> bool {
    if !window.values.is_empty() && !window.histograms.is_empty() {
        notes.ignored_in_range(window.metric);
    }
    !window.values.is_empty()
}

fn windowed_with(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    of_window: WindowWithScalars,
) -> Result<Output, PromqlError> {
    let (source, others) = split_window(args)?;
    let scalars: Vec<Vec<f64>> = others.map(|node| evaluator.scalar(node, grid)).collect::<Result<_, _>>()?;
    let columns = evaluator.over_windows(source, grid, NameRule::Drop, |window, step, notes| {
        let mut at_step = [0.0; WINDOW_SCALARS_MAX];
        for (value, scalar) in at_step.iter_mut().zip(&scalars) {
            *value = scalar[step];
        }
        if !of_numbers(window, notes) {
            return Ok(None);
        }
        Ok(of_window(window, &at_step[..scalars.len()], notes)?.map(Sample::Float))
    })?;
    Ok(Output::Vector(columns))
}

/// The range vector among the arguments, and the others.
fn split_window(args: &[Node]) -> Result<(&WindowSource, impl Iterator<Item = &Node>), PromqlError> {
    let source = args.iter().find_map(|arg| match arg {
        Node::Window(source) => Some(source),
        _ => None,
    });
    let others = args.iter().filter(|arg| !matches!(arg, Node::Window(_)));
    Ok((source.ok_or_else(|| PromqlError::execution("expected a range vector as argument"))?, others))
}

fn doubt_counters(columns: &[Column], evaluator: &mut Evaluator<'_>) {
    const COUNTER_ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
    let counted = columns.iter().filter(|column| column.histograms.is_empty());
    for name in counted.filter_map(|column| column.labels.metric_name()) {
        if !COUNTER_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            evaluator.notes.info(format_args!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_are_unique() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("rate").is_some() && find("holt_winters").is_none());
    }
}
