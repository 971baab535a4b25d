//! Why a row was refused, and the tally of it. One bad row never loses its neighbours, and none is dropped in silence.

use serde::Serialize;

use crate::limits::{
    BATCH_CELLS_MAX, FIELD_NAME_BYTES_MAX, LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, REASON_VALUE_CHARS_MAX,
    REASONS_MAX, ROW_BYTES_MAX, ROW_FIELDS_MAX, SERIES_LABELS_MAX,
};

#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// `line` counts from 1 inside the row, which may take several.
    #[error("not valid JSON: {what} (column {column})")]
    Json { what: String, line: usize, column: usize },
    #[error("a row must be a JSON object, but this begins with {first:?}")]
    NotAnObject { first: char },
    #[error("a closing bracket that nothing opened")]
    StrayBracket,
    #[error("the JSON array does not end; was the body cut?")]
    ArrayCut,
    #[error("not valid logfmt: {what} (column {column})")]
    Logfmt { what: &'static str, column: usize },
    #[error("not an access log line: {what}")]
    AccessLog { what: &'static str },
    #[error("field {field:?} has the value {value:?}, which is not a time")]
    Time { field: String, value: String },
    #[error("the row has {bytes} bytes, more than the {ROW_BYTES_MAX} that one row may have")]
    RowTooLong { bytes: usize },
    #[error("rows times columns of this body exceed {BATCH_CELLS_MAX}; send it in parts")]
    BatchFull,
    #[error("the row has more than the {ROW_FIELDS_MAX} fields that one row may have")]
    TooManyFields,
    #[error("the field name {name:?} has {bytes} bytes, more than the {FIELD_NAME_BYTES_MAX} allowed")]
    FieldNameTooLong { name: String, bytes: usize },

    #[error("a series without a metric name (label __name__)")]
    NoMetricName,
    #[error("series {metric}: label {name:?} comes twice")]
    DuplicateLabel { metric: String, name: String },
    #[error("series {metric}: a label without a name")]
    EmptyLabelName { metric: String },
    #[error("series {metric}: {labels} labels, more than the {SERIES_LABELS_MAX} that one series may have")]
    TooManyLabels { metric: String, labels: usize },
    #[error(
        "series {metric}: label {name:?} is longer than a name of {LABEL_NAME_BYTES_MAX} or a value of \
         {LABEL_VALUE_BYTES_MAX} bytes"
    )]
    LabelTooLong { metric: String, name: String },
    #[error("series {metric}: native histograms are not stored yet; send classic ones (buckets with le)")]
    NativeHistogram { metric: String },
    #[error("series {metric}: {labels:?} are no labels; they are written name#$#value|name#$#value")]
    Labels { metric: String, labels: String },
    #[error("the sample's value {value:?} is not a number")]
    SampleValue { value: String },
    #[error("series {metric}: timestamp {timestamp_ms} ms is outside the years 1677 to 2262")]
    SampleTime { metric: String, timestamp_ms: i64 },
}

/// The classes of refusal that are counted; few, because each is a label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    Syntax,
    Time,
    TooLarge,
    Labels,
    NativeHistogram,
}

impl RejectionKind {
    pub const ALL: [Self; 5] = [Self::Syntax, Self::Time, Self::TooLarge, Self::Labels, Self::NativeHistogram];

    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Time => "time",
            Self::TooLarge => "too_large",
            Self::Labels => "labels",
            Self::NativeHistogram => "native_histogram",
        }
    }
}

impl RowError {
    pub fn kind(&self) -> RejectionKind {
        match self {
            Self::Json { .. }
            | Self::NotAnObject { .. }
            | Self::ArrayCut
            | Self::StrayBracket
            | Self::Logfmt { .. }
            | Self::AccessLog { .. }
            | Self::SampleValue { .. } => RejectionKind::Syntax,
            Self::Time { .. } | Self::SampleTime { .. } => RejectionKind::Time,
            Self::RowTooLong { .. } | Self::BatchFull | Self::TooManyFields | Self::FieldNameTooLong { .. } => {
                RejectionKind::TooLarge
            }
            Self::NoMetricName
            | Self::DuplicateLabel { .. }
            | Self::EmptyLabelName { .. }
            | Self::Labels { .. }
            | Self::TooManyLabels { .. }
            | Self::LabelTooLong { .. } => RejectionKind::Labels,
            Self::NativeHistogram { .. } => RejectionKind::NativeHistogram,
        }
    }
}

/// `line` counts from 1: the line in the body where the row begins, the position of the series in a remote write, or
/// that of the log in a LogGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub line: u64,
    pub why: String,
}

/// Counts everything, remembers the first reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejections {
    pub reasons: Vec<Reason>,
    by_kind: [u64; RejectionKind::ALL.len()],
}

impl Rejections {
    pub(crate) fn add(&mut self, line: u64, error: &RowError) {
        self.add_many(line, error, 1);
    }

    /// `rows` share one reason, as the samples of a series do.
    pub(crate) fn add_many(&mut self, line: u64, error: &RowError, rows: u64) {
        self.by_kind[error.kind() as usize] += rows;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(Reason { line, why: error.to_string() });
        }
    }

    pub fn total(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    pub fn of(&self, kind: RejectionKind) -> u64 {
        self.by_kind[kind as usize]
    }
}

/// The beginning of a text from outside, short enough for one line of an answer.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(REASON_VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
