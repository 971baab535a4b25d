//! `culprit search`: rows by words and fields, newest first.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::scope::ScopeArgs;
use crate::error::CliError;
use crate::output::say;
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit search shop 'timeout status>=500 NOT service:cart'
  culprit search web '\"connection reset\" path:/api/*' --limit 5")]
pub(crate) struct SearchArgs {
    store: String,
    /// Words (in the message), "phrases", field:value, field>=value, AND, OR, NOT, parentheses
    query: String,
    #[command(flatten)]
    scope: ScopeArgs,
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

/// One JSON object a line, without the fields that a row does not have.
pub(crate) async fn run(args: SearchArgs) -> Result<(), CliError> {
    let server = args.server.connect()?;
    let body = json!({
        "project": args.scope.project, "store": args.store, "query": args.query,
        "from": args.scope.from, "to": args.scope.to, "limit": args.limit,
    });
    let answer: Answer = server.json(server.request(Method::POST, &["api", "search"]).json(&body)).await?;
    for row in answer.rows {
        let fields = answer.columns.iter().map(|column| column.name.clone()).zip(row);
        let row: serde_json::Map<String, Value> = fields.filter(|(_, value)| !value.is_null()).collect();
        say(Value::Object(row))?;
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Answer {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

#[derive(serde::Deserialize)]
struct Column {
    name: String,
}
