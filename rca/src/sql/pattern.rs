//! `pattern(message)`, the template of a message, and `pattern_id(message)`, its id.
//!
//! Both learn from the messages that they see, and all queries of an engine share what was learnt, in bounded memory. A
//! message seen before much of its kind may be shown with a value in it that a later query shows as a slot; what
//! `patterns('store')` lists is settled over all rows that it reads.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, AsArray, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::patterns::{PatternMiner, ShapeId};

/// The functions, with one memory.
pub(super) fn pattern_functions() -> [ScalarUDF; 2] {
    let miner = Arc::new(Mutex::new(PatternMiner::new()));
    let function = |shows| {
        ScalarUDF::from(PatternOf {
            shows,
            // What is learnt changes the answer, though not within a query that has learnt enough.
            signature: Signature::user_defined(Volatility::Stable),
            miner: Arc::clone(&miner),
        })
    };
    [function(Shows::Template), function(Shows::Id)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shows {
    Template,
    Id,
}

#[derive(Debug)]
struct PatternOf {
    shows: Shows,
    signature: Signature,
    /// Held for one batch at a time.
    miner: Arc<Mutex<PatternMiner>>,
}

impl PartialEq for PatternOf {
    fn eq(&self, other: &Self) -> bool {
        self.shows == other.shows && Arc::ptr_eq(&self.miner, &other.miner)
    }
}

impl Eq for PatternOf {}

impl Hash for PatternOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shows.hash(state);
    }
}

impl ScalarUDFImpl for PatternOf {
    fn name(&self) -> &str {
        match self.shows {
            Shows::Template => "pattern",
            Shows::Id => "pattern_id",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [one] if !one.is_nested() => Ok(vec![DataType::Utf8]),
            _ => plan_err!("{}(message) takes one text", self.name()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = ColumnarValue::values_to_arrays(&call.args)?;
        let mut miner = self.miner.lock().expect("no holder of this lock panics");
        Ok(ColumnarValue::Array(Arc::new(shown(&mut miner, arguments[0].as_string(), self.shows))))
    }
}

/// Learns the whole batch before the first answer, so that a batch is told in one way.
fn shown(miner: &mut PatternMiner, messages: &StringArray, shows: Shows) -> StringArray {
    let shapes: Vec<Option<ShapeId>> = messages.iter().map(|message| Some(miner.learn(message?))).collect();
    miner.settle_when_grown();
    let mut texts: HashMap<ShapeId, String> = HashMap::new();
    let mut shown = StringBuilder::with_capacity(messages.len(), 0);
    for (message, shape) in messages.iter().zip(shapes) {
        let text = message.zip(shape).map(|(message, shape)| {
            &*texts.entry(shape).or_insert_with(|| {
                let template = miner.read(message);
                match shows {
                    Shows::Template => template.text().to_owned(),
                    Shows::Id => template.id().to_string(),
                }
            })
        });
        shown.append_option(text);
    }
    shown.finish()
}
