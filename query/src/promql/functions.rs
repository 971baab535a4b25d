//! The table of functions. Each family has its file; adding a function is its body there and one line here.

use chrono::{DateTime, Utc};

use super::column::{Column, Output};
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Notes;
use super::plan::{Node, WindowSource};
use super::window::{NameRule, Window};
use super::{PromqlError, absent, date, histogram, labels, math, over_time, rate, regression, scalar, sort};

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Its value depends on the time of evaluation even if its arguments do not.
    pub(super) reads_clock: bool,
    body: Body,
}

type WindowWithScalars = fn(&Window, &[f64], &mut Notes) -> Result<Option<f64>, PromqlError>;

/// The shapes that functions have. All but `Pick` and `Whole` drop the metric's name.
enum Body {
    /// From one sample to one sample.
    Map(fn(f64) -> f64),
    /// Some part of a sample's value taken as a Unix time; of the evaluation time when there is no argument.
    Date(fn(DateTime<Utc>) -> f64),
    /// From the samples of a window, of which there is at least one, to one value.
    Window(fn(&Window) -> Option<f64>),
    /// The same, for counters: says so when the metric's name is not one of a counter.
    Counter(fn(&Window) -> Option<f64>),
    /// Gives one of the window's own samples, so that the name still fits.
    Pick(fn(&Window) -> Option<f64>),
    /// A window and the scalars of the other arguments, in their order.
    WindowWith(WindowWithScalars),
    Whole(fn(&mut Evaluator<'_>, &[Node], &Grid) -> Result<Output, PromqlError>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

const fn steady(name: &'static str, body: Body) -> Function {
    Function { name, reads_clock: false, body }
}

const fn clocked(name: &'static str, body: Body) -> Function {
    Function { name, reads_clock: true, body }
}

static FUNCTIONS: &[Function] = &[
    steady("abs", Body::Map(f64::abs)),
    steady("absent", Body::Whole(absent::absent)),
    steady("absent_over_time", Body::Whole(absent::absent_over_time)),
    steady("acos", Body::Map(f64::acos)),
    steady("acosh", Body::Map(f64::acosh)),
    steady("asin", Body::Map(f64::asin)),
    steady("asinh", Body::Map(f64::asinh)),
    steady("atan", Body::Map(f64::atan)),
    steady("atanh", Body::Map(f64::atanh)),
    steady("avg_over_time", Body::Window(over_time::avg)),
    steady("ceil", Body::Map(f64::ceil)),
    steady("changes", Body::Window(rate::changes)),
    steady("clamp", Body::Whole(math::clamp)),
    steady("clamp_max", Body::Whole(math::clamp_max)),
    steady("clamp_min", Body::Whole(math::clamp_min)),
    steady("cos", Body::Map(f64::cos)),
    steady("cosh", Body::Map(f64::cosh)),
    steady("count_over_time", Body::Window(over_time::count)),
    clocked("day_of_month", Body::Date(date::day_of_month)),
    clocked("day_of_week", Body::Date(date::day_of_week)),
    clocked("day_of_year", Body::Date(date::day_of_year)),
    clocked("days_in_month", Body::Date(date::days_in_month)),
    steady("deg", Body::Map(f64::to_degrees)),
    steady("delta", Body::Window(rate::delta)),
    steady("deriv", Body::Window(regression::deriv)),
    steady("double_exponential_smoothing", Body::WindowWith(regression::double_exponential_smoothing)),
    steady("end", Body::Whole(scalar::end)),
    steady("exp", Body::Map(f64::exp)),
    steady("first_over_time", Body::Pick(over_time::first)),
    steady("floor", Body::Map(f64::floor)),
    steady("histogram_fraction", Body::Whole(histogram::fraction)),
    steady("histogram_quantile", Body::Whole(histogram::quantile)),
    clocked("hour", Body::Date(date::hour)),
    steady("idelta", Body::Window(rate::idelta)),
    steady("increase", Body::Counter(rate::increase)),
    steady("irate", Body::Window(rate::irate)),
    steady("label_join", Body::Whole(labels::label_join)),
    steady("label_replace", Body::Whole(labels::label_replace)),
    steady("last_over_time", Body::Pick(over_time::last)),
    steady("ln", Body::Map(f64::ln)),
    steady("log10", Body::Map(f64::log10)),
    steady("log2", Body::Map(f64::log2)),
    steady("mad_over_time", Body::Window(over_time::mad)),
    steady("max_of", Body::Whole(scalar::max_of)),
    steady("max_over_time", Body::Window(over_time::max)),
    steady("min_of", Body::Whole(scalar::min_of)),
    steady("min_over_time", Body::Window(over_time::min)),
    clocked("minute", Body::Date(date::minute)),
    clocked("month", Body::Date(date::month)),
    steady("pi", Body::Whole(scalar::pi)),
    clocked("predict_linear", Body::WindowWith(regression::predict_linear)),
    steady("present_over_time", Body::Window(over_time::present)),
    steady("quantile_over_time", Body::WindowWith(over_time::quantile)),
    steady("rad", Body::Map(f64::to_radians)),
    steady("range", Body::Whole(scalar::range)),
    steady("rate", Body::Counter(rate::rate)),
    steady("resets", Body::Window(rate::resets)),
    steady("round", Body::Whole(math::round)),
    steady("scalar", Body::Whole(scalar::scalar)),
    steady("sgn", Body::Map(math::sgn)),
    steady("sin", Body::Map(f64::sin)),
    steady("sinh", Body::Map(f64::sinh)),
    steady("sort", Body::Whole(sort::ascending)),
    steady("sort_by_label", Body::Whole(sort::by_label)),
    steady("sort_by_label_desc", Body::Whole(sort::by_label_descending)),
    steady("sort_desc", Body::Whole(sort::descending)),
    steady("sqrt", Body::Map(f64::sqrt)),
    steady("start", Body::Whole(scalar::start)),
    steady("stddev_over_time", Body::Window(over_time::stddev)),
    steady("stdvar_over_time", Body::Window(over_time::stdvar)),
    steady("step", Body::Whole(scalar::step)),
    steady("sum_over_time", Body::Window(over_time::sum)),
    steady("tan", Body::Map(f64::tan)),
    steady("tanh", Body::Map(f64::tanh)),
    clocked("time", Body::Whole(scalar::time)),
    clocked("timestamp", Body::Whole(scalar::timestamp)),
    steady("ts_of_first_over_time", Body::Window(over_time::time_of_first)),
    steady("ts_of_last_over_time", Body::Window(over_time::time_of_last)),
    steady("ts_of_max_over_time", Body::Window(over_time::time_of_max)),
    steady("ts_of_min_over_time", Body::Window(over_time::time_of_min)),
    steady("vector", Body::Whole(scalar::vector)),
    clocked("year", Body::Date(date::year)),
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
            Body::Whole(whole) => whole(evaluator, args, grid),
            Body::Map(map) => {
                let mut columns = evaluator.vector(&args[0], grid)?;
                for column in &mut columns {
                    column.map(map);
                    column.drop_name = true;
                }
                Ok(Output::Vector(columns))
            }
            Body::Date(part) => date::call(evaluator, args, grid, *part),
            Body::Pick(pick) => windowed(evaluator, args, grid, NameRule::Keep, *pick),
            Body::Window(of_window) => windowed(evaluator, args, grid, NameRule::Drop, *of_window),
            Body::Counter(of_window) => {
                let output = windowed(evaluator, args, grid, NameRule::Drop, *of_window)?;
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
    of_window: fn(&Window) -> Option<f64>,
) -> Result<Output, PromqlError> {
    let (source, _) = split_window(args)?;
    let columns = evaluator.over_windows(source, grid, names, |window, _, _| Ok(of_window(window)))?;
    Ok(Output::Vector(columns))
}

fn windowed_with(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    of_window: WindowWithScalars,
) -> Result<Output, PromqlError> {
    let (source, others) = split_window(args)?;
    let scalars: Vec<Vec<f64>> = others.map(|node| evaluator.scalar(node, grid)).collect::<Result<_, _>>()?;
    let mut at_step = vec![0.0; scalars.len()];
    let columns = evaluator.over_windows(source, grid, NameRule::Drop, |window, step, notes| {
        for (value, scalar) in at_step.iter_mut().zip(&scalars) {
            *value = scalar[step];
        }
        of_window(window, &at_step, notes)
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
    for name in columns.iter().filter_map(|column| column.labels.metric_name()) {
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
        assert!(find("rate").is_some() && find("info").is_none());
    }
}
