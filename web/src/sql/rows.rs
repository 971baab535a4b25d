//! Batches of rows as text or as Arrow's stream.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::csv::WriterBuilder as CsvWriterBuilder;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};

use super::Format;

/// Appends each row as an array with a comma behind it.
pub(super) fn write_json_row(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let options = options();
    let mut cells = encoders(batch, &options)?;
    for row in 0..batch.num_rows() {
        out.push(b'[');
        for (at, cell) in cells.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_cell(cell, row, out);
        }
        out.extend_from_slice(b"],");
    }
    Ok(())
}

fn options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true)
}

fn encoders<'a>(batch: &'a RecordBatch, options: &'a EncoderOptions) -> Result<Vec<NullableEncoder<'a>>, ArrowError> {
    let fields = batch.schema_ref().fields().iter();
    fields.zip(batch.columns()).map(|(field, array)| make_encoder(field, array, options)).collect()
}

/// NaN and the infinities are null, JSON has no words for them.
fn write_cell(cell: &mut NullableEncoder<'_>, row: usize, out: &mut Vec<u8>) {
    if cell.is_null(row) {
        out.extend_from_slice(b"null");
    } else {
        cell.encode(row, out);
    }
}

/// One answer in a format that is sent as it comes.
pub(super) enum RowWriter {
    Ndjson { names: Vec<String> },
    Csv { head: Vec<u8> },
    Arrow { writer: Box<StreamWriter<Vec<u8>>>, head: Vec<u8> },
}

impl RowWriter {
    pub(super) fn new(format: Format, schema: &SchemaRef) -> Result<Self, ArrowError> {
        match format {
            Format::Csv => {
                let mut head = Vec::new();
                let names = RecordBatch::new_empty(csv_schema(schema));
                CsvWriterBuilder::new().with_header(true).build(&mut head).write(&names)?;
                Ok(Self::Csv { head })
            }
            Format::Arrow => {
                let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
                let head = std::mem::take(writer.get_mut());
                Ok(Self::Arrow { writer: Box::new(writer), head })
            }
            Format::Json | Format::Ndjson => {
                let names =
                    schema.fields().iter().map(|field| serde_json::Value::from(field.name().as_str()).to_string());
                Ok(Self::Ndjson { names: names.collect() })
            }
        }
    }

    /// What stands before the first row.
    pub(super) fn take_head(&mut self) -> Vec<u8> {
        match self {
            Self::Ndjson { .. } => Vec::new(),
            Self::Csv { head } | Self::Arrow { head, .. } => std::mem::take(head),
        }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match self {
            Self::Ndjson { names } => ndjson(batch, names),
            Self::Csv { .. } => csv(batch),
            Self::Arrow { writer, .. } => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, ArrowError> {
        if let Self::Arrow { writer, .. } = &mut self {
            writer.finish()?;
            return Ok(std::mem::take(writer.get_mut()));
        }
        Ok(Vec::new())
    }
}

/// `names` are quoted already.
fn ndjson(batch: &RecordBatch, names: &[String]) -> Result<Vec<u8>, ArrowError> {
    let options = options();
    let mut cells = encoders(batch, &options)?;
    let mut out = Vec::new();
    for row in 0..batch.num_rows() {
        for (at, (cell, name)) in cells.iter_mut().zip(names).enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            write_cell(cell, row, &mut out);
        }
        out.extend_from_slice(if names.is_empty() { b"{}\n" } else { b"}\n" });
    }
    Ok(out)
}

fn csv(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let schema = csv_schema(batch.schema_ref());
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, array)| csv_column(field, array)).collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::new();
    CsvWriterBuilder::new().with_header(false).build(&mut out).write(&RecordBatch::try_new(schema, columns)?)?;
    Ok(out)
}

/// CSV has no nesting: maps, lists and structs become their JSON text.
fn csv_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type().is_nested() {
        true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
        false => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn csv_column(field: &FieldRef, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !field.data_type().is_nested() {
        return Ok(array.clone());
    }
    let options = options();
    let mut cells = make_encoder(field, array, &options)?;
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..array.len() {
        if cells.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        cells.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Float64Array, Int64Array, MapBuilder, StringArray, TimestampNanosecondArray};
    use arrow::ipc::reader::StreamReader;
    use expect_test::expect;

    use super::*;

    fn batch() -> RecordBatch {
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("a");
        map.values().append_value("x\"y");
        map.append(true).unwrap();
        map.append(false).unwrap();
        let times = [1_431_857_103_000_000_000, 1_431_857_103_123_456_789];
        let columns: [(&str, ArrayRef); 6] = [
            ("_time", Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))),
            ("n", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None]))),
            ("x", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
            ("say \"hi\"", Arc::new(StringArray::from(vec!["a,b", "line\nbreak"]))),
            ("ok", Arc::new(BooleanArray::from(vec![true, false]))),
            ("_overflow", Arc::new(map.finish())),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn text(format: Format) -> String {
        let batch = batch();
        let mut writer = RowWriter::new(format, &batch.schema()).unwrap();
        let rows = writer.write(&batch).unwrap();
        let all = [writer.take_head(), rows, writer.finish().unwrap()].concat();
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn rows_as_text() {
        let mut json = Vec::new();
        write_json_row(&batch(), &mut json).unwrap();
        expect![[r#"["2015-05-17T10:05:03Z",9007199254740993,0.5,"a,b",true,{"a":"x\"y"}],["2015-05-17T10:05:03.123456789Z",null,null,"line\nbreak",false,null],"#]]
            .assert_eq(&String::from_utf8(json).unwrap());
        expect![[r#"
            {"_time":"2015-05-17T10:05:03Z","n":9007199254740993,"x":0.5,"say \"hi\"":"a,b","ok":true,"_overflow":{"a":"x\"y"}}
            {"_time":"2015-05-17T10:05:03.123456789Z","n":null,"x":null,"say \"hi\"":"line\nbreak","ok":false,"_overflow":null}
        "#]]
        .assert_eq(&text(Format::Ndjson));
        expect![[r#"
            _time,n,x,"say ""hi""",ok,_overflow
            2015-05-17T10:05:03Z,9007199254740993,0.5,"a,b",true,"{""a"":""x\""y""}"
            2015-05-17T10:05:03.123456789Z,,NaN,"line
            break",false,
        "#]]
        .assert_eq(&text(Format::Csv));
    }

    #[test]
    fn arrow_reads_what_arrow_wrote() {
        let batch = batch();
        let mut writer = RowWriter::new(Format::Arrow, &batch.schema()).unwrap();
        let mut bytes = writer.take_head();
        for _ in 0..2 {
            bytes.extend(writer.write(&batch).unwrap());
        }
        bytes.extend(writer.finish().unwrap());
        let read: Vec<_> = StreamReader::try_new(bytes.as_slice(), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [batch.clone(), batch]);
    }
}
