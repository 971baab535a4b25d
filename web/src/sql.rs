//! `POST /api/sql`: rows as JSON, NDJSON, CSV or Arrow, by `Accept`. All but JSON are streamed.

mod rows;

use std::pin::Pin;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use culprit_query::limits::SQL_ROWS_MAX;
use culprit_query::{QueryError, Rows};
use culprit_store::Right;
use futures::{Stream, StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::{ApiError, one_line};
use crate::explain::project;
use crate::limits::ANSWER_BYTES_MAX;
use crate::quota::admit_query;
use crate::router::App;
use crate::time::{Moment, range};
use rows::{RowWriter, write_json_row};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlRequest {
    project: Option<String>,
    query: String,
    from: Option<Moment>,
    to: Option<Moment>,
}

impl JsonRequest for SqlRequest {
    const EXAMPLE: &'static str = r#"{"project":"default","query":"SELECT 1"}"#;
}

pub(crate) async fn query(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    JsonBody(request): JsonBody<SqlRequest>,
) -> Result<Response, ApiError> {
    let project = project(request.project.as_deref())?;
    principal.check(&project, Right::Read)?;
    admit_query(&app, &project)?;
    let range = range(request.from.as_ref(), request.to.as_ref())?;
    let begun = Instant::now();
    let rows = principal.sql(&app).stream(&project, &request.query, range).await?;
    written(rows, &headers, begun).await
}

/// Rows as `Accept` wants them.
pub(crate) async fn written(rows: Rows, headers: &HeaderMap, begun: Instant) -> Result<Response, ApiError> {
    match Format::of_accept(headers) {
        Format::Json => whole(rows, begun).await,
        format => streamed(rows, format).await,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Ndjson,
    Csv,
    Arrow,
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Arrow];

    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// The first known media type; anything else gets JSON.
    fn of_accept(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted
            .flat_map(|list| list.split(','))
            .filter_map(|wanted| {
                let media_type = wanted.split(';').next().unwrap_or(wanted).trim();
                Self::ALL.into_iter().find(|format| media_type.eq_ignore_ascii_case(format.media_type()))
            })
            .next()
            .unwrap_or(Self::Json)
    }
}

/// `{"columns":[{"name","type"}],"rows":[[…]],"elapsed_ms":…}`.
async fn whole(rows: Rows, begun: Instant) -> Result<Response, ApiError> {
    let failed = |source| ApiError::Encode { format: "JSON", source };
    let schema = rows.schema.clone();
    let mut out = Vec::new();
    write_head(&mut out, &schema);
    let mut stream = std::pin::pin!(rows.into_stream());
    let mut count = 0;
    while let Some(batch) = stream.try_next().await? {
        count += batch.num_rows();
        if count > SQL_ROWS_MAX {
            return Err(QueryError::TooManyRows { limit: SQL_ROWS_MAX }.into());
        }
        write_json_row(&batch, &mut out).map_err(failed)?;
        if out.len() > ANSWER_BYTES_MAX {
            return Err(ApiError::AnswerTooLarge { limit: ANSWER_BYTES_MAX });
        }
    }
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.extend_from_slice(format!("],\"elapsed_ms\":{:.3}}}", begun.elapsed().as_secs_f64() * 1e3).as_bytes());
    Ok(([(header::CONTENT_TYPE, Format::Json.media_type())], out).into_response())
}

fn write_head(out: &mut Vec<u8>, schema: &SchemaRef) {
    let fields = schema.fields().iter();
    let columns: serde_json::Value =
        fields.map(|field| serde_json::json!({ "name": field.name(), "type": type_name(field.data_type()) })).collect();
    out.extend_from_slice(format!("{{\"columns\":{columns},\"rows\":[").as_bytes());
}

/// Text is text, however the engine lays it out.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "Utf8".to_owned(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Map(..) => "Map".to_owned(),
        DataType::Struct(_) => "Struct".to_owned(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "List".to_owned(),
        other => other.to_string(),
    }
}

type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch, QueryError>> + Send>>;

/// The first batch is awaited, so that most errors still have a status. A later one breaks the connection off: an answer
/// that ends early must not look whole.
async fn streamed(rows: Rows, format: Format) -> Result<Response, ApiError> {
    let failed = move |source| ApiError::Encode { format: format.media_type(), source };
    let mut writer = RowWriter::new(format, &rows.schema).map_err(failed)?;
    let mut batches: Batches = Box::pin(rows.into_stream());
    let mut first = match batches.try_next().await? {
        Some(batch) => writer.write(&batch).map_err(failed)?,
        None => Vec::new(),
    };
    let head = writer.take_head();
    first.splice(0..0, head);
    let rest = futures::stream::try_unfold(Some((batches, writer)), move |state| async move {
        let Some((mut batches, mut writer)) = state else { return Ok(None) };
        match batches.try_next().await? {
            Some(batch) => Ok(Some((writer.write(&batch).map_err(failed)?, Some((batches, writer))))),
            None => Ok(Some((writer.finish().map_err(failed)?, None))),
        }
    });
    let rest = rest.inspect_err(|error: &ApiError| tracing::warn!("an answer was broken off: {}", one_line(error)));
    let body = futures::stream::once(async { Ok(first) }).chain(rest);
    Ok(([(header::CONTENT_TYPE, format.media_type())], Body::from_stream(body)).into_response())
}
