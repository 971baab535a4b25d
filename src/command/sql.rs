//! `culprit sql`: on a server's stores, or on files without any server.

use arrow::ipc::reader::StreamReader;
use clap::Args;
use culprit_query::FileSql;
use culprit_rca::sql_functions;
use reqwest::Method;
use serde_json::json;

use super::scope::ScopeArgs;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit sql \"SELECT status, count(*) FROM web GROUP BY status ORDER BY 2 DESC\"
  culprit sql \"SELECT * FROM shop WHERE status >= 500 LIMIT 10\" --output json
  culprit sql \"timeout status>=500 | SELECT service, count(*) FROM shop GROUP BY service\"
  culprit sql 'SELECT count(*) FROM \"access.parquet\"'
  culprit sql \"SELECT explanation, support_a, support_b FROM explain('access.parquet', 'status >= 500')\"

A name with a slash or the extension .parquet, .csv, .ndjson, .jsonl or .json is a file; anything else is a store.")]
pub(crate) struct SqlArgs {
    /// The query: one SELECT, or search words, a bar and a SELECT
    query: String,
    #[command(flatten)]
    scope: ScopeArgs,
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: SqlArgs) -> Result<(), CliError> {
    let files = FileSql::new().with_extensions(sql_functions());
    if files.is_about_files(&args.query)? {
        return output::rows(&files.query(&args.query).await?, args.output);
    }
    let server = args.server.connect()?;
    let body =
        json!({ "project": args.scope.project, "query": args.query, "from": args.scope.from, "to": args.scope.to });
    let request = server
        .request(Method::POST, &["api", "sql"])
        .header("accept", "application/vnd.apache.arrow.stream")
        .json(&body);
    let bytes = server.bytes(request).await?;
    let reader = StreamReader::try_new(bytes.as_ref(), None)?;
    let schema = reader.schema();
    let mut batches = reader.collect::<Result<Vec<_>, _>>()?;
    if batches.is_empty() {
        batches.push(arrow::record_batch::RecordBatch::new_empty(schema));
    }
    output::rows(&batches, args.output)
}
