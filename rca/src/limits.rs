//! Every bound of this crate, with what raising it costs.

/// Items per explanation at most. Candidates grow with the power of it; 5 is what a person can still read.
pub(crate) const ORDER_MAX: usize = 5;

/// An itemset with fewer anomalous rows is never looked at: below it neither chi-square nor an engineer can say anything.
pub(crate) const ROWS_MIN: u64 = 5;

/// Integers with more distinct values are measured, not named, unless the column is called like an identifier.
pub(crate) const INTEGER_CATEGORIES_MAX: usize = 1_000;

/// Floats with at most this many distinct values are names in disguise (a version, a flag).
pub(crate) const FLOAT_CATEGORIES_MAX: usize = 20;

/// Values of a column that have a dictionary, so that a row keeps two bytes; with more it keeps eight.
pub(crate) const DICTIONARY_MAX: usize = 60_000;

/// Texts of a column without a dictionary that are remembered: all that are in more than one of so many rows of A.
pub(crate) const FREQUENT_TEXTS_MAX: usize = 60_000;

/// Rows of B that reject what does not separate. The count that is reported is always that of all rows; a larger sample
/// rejects more at the first look, and costs each look more.
pub(crate) const SAMPLE_ROWS_MIN: usize = 1 << 16;

/// Quantiles taken from each slice to cut a numeric column. More cuts find sharper edges and cost significance.
pub(crate) const CUTS_PER_SLICE: usize = 16;

/// Rows of each slice that the quantiles of a numeric column are taken from.
pub(crate) const CUT_SAMPLE_ROWS: usize = 20_000;

/// Items that may be combined. Pairs grow with the square; beyond it the items that separate least stay alone.
pub(crate) const COMBINED_ITEMS_MAX: usize = 2_000;

/// Itemsets of one order that are kept to be extended, 32 bytes each. When it is reached the report is marked inexact.
pub(crate) const CANDIDATES_MAX: u64 = 400_000;

/// Best itemsets of one search that compete for being the next explanation and are folded under it. More make the
/// alternates richer and let less be pruned.
pub(crate) const FOUND_MAX: usize = 64;

/// Explanations asserted at most.
pub(crate) const EXPLANATIONS_MAX: usize = 20;

/// How many times more frequent in B than in A is "missing, or nearly"; what is half as frequent has not vanished.
pub(crate) const VANISHED_RATIO_MIN: f64 = 4.0;

/// Values that are looked at in pairs for having vanished, the most frequent in B. Pairs cost the square of it.
pub(crate) const VANISHED_COMBINED_MAX: usize = 100;

/// Values that seem to have vanished and are counted in all rows, the most frequent in B.
pub(crate) const VANISHED_SINGLES_MAX: usize = 200;

/// What is said to have vanished at most.
pub(crate) const VANISHED_MAX: usize = 10;

/// Dimensions of a measure's leaf table; one bit each.
pub(crate) const LEAF_DIMENSIONS_MAX: usize = 32;

/// Leaves times combinations of dimensions that a measure is searched by, 4 bytes each. Beyond it, longer combinations
/// are not searched.
pub(crate) const GROUPED_CELLS_MAX: usize = 32 << 20;

/// Slices of a leaf table, the best by pooled likelihood, whose leaves are looked at one by one.
pub(crate) const SCANNED_SLICES_MAX: usize = 150;

/// Leaves that are looked at one by one, a kilobyte and a half each; of more, an even sample is.
pub(crate) const RIPPLE_LEAVES_MAX: usize = 20_000;

/// The noise of an expectation at least, relative: nobody asks after a deviation of a thousandth.
pub(crate) const DEVIATION_MIN: f64 = 1e-3;

/// Baseline periods told apart; a longer baseline is cut into so many of equal length.
pub(crate) const PERIODS_MAX: usize = 16;

/// Entries of the ranked list.
pub(crate) const RANKED_MAX: usize = 20;

/// Of the ranked list, entries below significance, so that the folded alternates are still seen.
pub(crate) const RANKED_INSIGNIFICANT_MAX: usize = 8;

/// Alternates shown under one explanation; the rest is counted.
pub(crate) const ALTERNATES_MAX: usize = 8;

/// Rivals of one candidate for the next explanation that are tested for being the closer cause.
pub(crate) const RIVALS_MAX: usize = 64;

/// Rows of each slice that the test for "a function of the predicate's columns" reads: first few, which refute nearly
/// every column, then many.
pub(crate) const FUNCTION_SAMPLE_ROWS: [usize; 2] = [4_000, 100_000];

/// Rows from which units are sampled (whole units, by hash) to estimate the design effect.
pub(crate) const UNIT_SAMPLE_ROWS: usize = 250_000;

/// Rows that the weights of `diff_patterns` or of a tally may stand for: they are written out, about a hundred bytes each.
pub(crate) const WEIGHTED_ROWS_MAX: usize = 10_000_000;

/// Columns that one explanation reads. Each costs a kilobyte, and a test that all others are corrected for; ten thousand of them
/// and some thousand rows take seconds.
pub(crate) const COLUMNS_MAX: usize = 1 << 14;

/// Bytes of the rows that one explanation gathers, as codes: one, two or eight bytes per cell.
pub(crate) const GATHERED_BYTES_MAX: usize = 1 << 30;

/// Reading and searching, when the caller does not say: longer than any store of one machine needs, shorter than patience.
pub(crate) const BUDGET: std::time::Duration = std::time::Duration::from_secs(10);

/// How long the first rows are waited for, whatever the budget: a scan is put together and a first batch decoded in it.
pub(crate) const FIRST_ROWS: std::time::Duration = std::time::Duration::from_millis(50);

/// Points before the window that a slice needs before anything is said of it.
pub(crate) const SLICE_HISTORY_MIN: usize = 8;

/// Stretches of history that a slice's window is compared with, the latest. More see older habits and cost time.
pub(crate) const SLICE_BLOCKS_MAX: usize = 64;

/// Stretches of all slices together that tell how far chance strays; each count costs an incomplete beta function.
pub(crate) const SLICE_POOL_MAX: usize = 20_000;

/// Bytes of a message that its pattern is taken from; what follows is one slot.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Tokens of a message that its pattern is taken from; merging costs as many steps per shape.
pub(crate) const MESSAGE_TOKENS_MAX: usize = 200;

/// Different shapes of messages that a miner holds, about a kilobyte each. When it is reached, the shapes of a pattern become
/// one and the rarest patterns are given up, down to half of it.
pub(crate) const SHAPES_MAX: usize = 16 * 1024;

/// Shapes that a miner tells its caller apart by, 4 bytes each; messages of later ones belong to the rest.
pub(crate) const SHAPE_IDS_MAX: usize = 1 << 22;

/// Patterns compared with one message that has a shape not seen before.
pub(crate) const PATTERNS_COMPARED_MAX: usize = 1_024;

/// Sentences up to which two places are tried at once; pairs of places cost the square of a sentence's length.
pub(crate) const PAIRED_SENTENCES_MAX: usize = 4_096;

/// Places of a sentence up to which pairs of them are tried.
pub(crate) const PAIRED_PLACES_MAX: usize = 16;

/// Points of history without which a series is not judged: fewer cannot say what is usual.
pub(crate) const SHIFT_HISTORY_MIN: usize = 12;

/// Points before a window that tell its level; more of them smooth noise, and follow a slow drift later.
pub(crate) const SHIFT_RECENT_MAX: usize = 40;

/// Findings of one investigation: what a person reads to its end.
pub(crate) const FINDINGS_MAX: usize = 25;

/// Series of one metric among them.
pub(crate) const FINDINGS_PER_METRIC_MAX: usize = 3;

/// Earlier incidents of the same rule that are recalled.
pub(crate) const RECALLED_MAX: usize = 3;

/// New values of a version-like label; a label with more of them is an id.
pub(crate) const CHANGED_VALUES_MAX: usize = 5;

/// Rows of the time before without which a value cannot be called new.
pub(crate) const CHANGE_ROWS_MIN: u64 = 20;

/// Probability that one source (the metrics, the messages, ...) of an investigation reports a change when there is none.
pub(crate) const INVESTIGATION_ALPHA: f64 = 0.0125;

/// Stretches into which a window is cut to see how steadily a message comes.
pub(crate) const STRETCHES: i64 = 30;

/// How many times more frequent a message must be than before to be called new.
pub(crate) const PATTERN_RATIO_MIN: f64 = 10.0;

/// Messages of a logstore that are read for their patterns, of the window and of the time before together.
pub(crate) const INVESTIGATED_MESSAGES_MAX: u64 = 100_000;

/// Change of a level, as a share of it, below which a shift explains nothing however certain it is.
pub(crate) const SHIFT_CHANGE_MIN: f64 = 0.1;

/// Stores of a project that one investigation reads, of each kind.
pub(crate) const INVESTIGATED_STORES_MAX: usize = 16;

/// Series of a metricstore that are judged; 500 samples each are about 8 MB per thousand.
pub(crate) const INVESTIGATED_SERIES_MAX: usize = 4_000;

/// Values of one version-like column that are read.
pub(crate) const LABEL_VALUES_MAX: usize = 1_000;

/// How far back the incidents of a rule are recalled.
pub(crate) const RECALL: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);

/// Share of the series named behind an alarm that may be there by chance.
pub(crate) const SUSPECT_ALPHA: f64 = 0.05;

/// The window of an investigation begins at least this long before the alert: rates and `for` are late.
pub(crate) const WINDOW_LEAD: std::time::Duration = std::time::Duration::from_secs(120);

/// The calm that a window is compared with: at least so long, and at least so many windows.
pub(crate) const BASELINE_MIN: std::time::Duration = std::time::Duration::from_secs(30 * 60);
pub(crate) const BASELINE_WINDOWS: i64 = 4;

/// Slices that SQL names as having jumped: one in so many is wrong on average.
pub(crate) const SLICE_FALSE_DISCOVERIES: f64 = 0.05;

/// Points of all series together that a table function of SQL fetches; a series of a year by the minute has half a million.
pub(crate) const BUCKETS_MAX: usize = 2_000_000;

/// Dimensions whose values make a series each; series multiply with each of them.
pub(crate) const DIMENSIONS_OF_SERIES_MAX: usize = 4;
/// Patterns of messages that a report adds to its explanations.
pub(crate) const SAID_MAX: usize = 5;

/// Slots of a pattern that are looked into for values.
pub(crate) const SLOTS_MAX: usize = 8;

/// Different values, over all slots of a pattern, that are counted.
pub(crate) const SLOT_VALUES_MAX: usize = 10_000;

/// Rows of a text column that decide whether it holds sentences.
pub(crate) const PROSE_SAMPLE_ROWS: usize = 200;
