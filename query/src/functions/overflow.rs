//! Fields that have no column of their own stand in the overflow map.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;
use culprit_store::{OVERFLOW, overflow_field};
use datafusion::common::cast::as_map_array;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, ident,
};

/// The value of one field; null where the row has none.
pub(crate) fn overflow_value(name: &str) -> Expr {
    call(Overflow::new(Some(name.to_owned())))
}

/// All values, a line each, for words that stand anywhere.
pub(crate) fn overflow_text() -> Expr {
    call(Overflow::new(None))
}

fn call(function: Overflow) -> Expr {
    ScalarUDF::from(function).call(vec![ident(OVERFLOW)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Overflow {
    /// None takes all.
    field: Option<String>,
    signature: Signature,
}

impl Overflow {
    fn new(field: Option<String>) -> Self {
        let signature = Signature::exact(vec![overflow_field().data_type().clone()], Volatility::Immutable);
        Self { field, signature }
    }
}

impl ScalarUDFImpl for Overflow {
    fn name(&self) -> &str {
        "overflow_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let map = as_map_array(&arrays[0])?;
        let keys = map.keys().as_string::<i32>();
        let values = map.values().as_string::<i32>();
        let mut texts = StringBuilder::new();
        for row in 0..map.len() {
            let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
            let mut wanted = entries.filter(|at| {
                let is_wanted = self.field.as_ref().is_none_or(|field| field == keys.value(*at));
                map.is_valid(row) && values.is_valid(*at) && is_wanted
            });
            match &self.field {
                Some(_) => texts.append_option(wanted.next().map(|at| values.value(at))),
                None => texts.append_value(wanted.map(|at| values.value(at)).collect::<Vec<_>>().join("\n")),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish()) as ArrayRef))
    }
}
