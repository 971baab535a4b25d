//! `culprit admin`: stores, how long they keep their rows, access keys.

use clap::{Args, Subcommand};
use culprit_alerting::{format_duration, parse_duration};
use reqwest::Method;
use serde_json::{Value, json};

use crate::command::keys::{self, KeysCommand};
use crate::error::CliError;
use crate::output::say;
use crate::remote::{Server, ServerArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit admin stores
  culprit admin create audit --ttl 365d --shards 4
  culprit admin ttl audit 30d
  culprit admin delete audit")]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
    #[arg(long, global = true, default_value = "default")]
    project: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// List the project's stores with their sizes
    Stores,
    /// Create a store
    Create {
        store: String,
        /// logs or metrics
        #[arg(long, default_value = "logs")]
        kind: String,
        #[arg(long)]
        shards: Option<u16>,
        /// How long rows are kept, as 30d; `never` drops none
        #[arg(long)]
        ttl: Option<String>,
    },
    /// Set how long a store keeps its rows, as 30d; `never` drops none
    Ttl { store: String, ttl: String },
    /// Delete a store with all its rows
    Delete { store: String },
    /// Make, list, disable and delete access keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Read the rule files again
    ReloadRules,
}

pub(crate) async fn run(args: AdminArgs) -> Result<(), CliError> {
    let server = args.server.connect()?;
    let project = args.project.as_str();
    match args.command {
        AdminCommand::Stores => list(&server, project).await,
        AdminCommand::Create { store, kind, shards, ttl } => {
            let mut body = json!({ "kind": kind });
            if let Some(shards) = shards {
                body["shards"] = json!(shards);
            }
            if let Some(ttl) = ttl {
                body["ttl_seconds"] = ttl_seconds(&ttl)?;
            }
            let path = ["api", "stores", project, store.as_str()];
            server.send(server.request(Method::PUT, &path).json(&body)).await?;
            say(format_args!("{project}/{store} is there"))
        }
        AdminCommand::Ttl { store, ttl } => {
            let body = json!({ "ttl_seconds": ttl_seconds(&ttl)? });
            let path = ["api", "stores", project, store.as_str()];
            server.send(server.request(Method::PATCH, &path).json(&body)).await?;
            let how_long = if ttl == "never" { "for ever" } else { ttl.as_str() };
            say(format_args!("{project}/{store} keeps its rows {how_long}"))
        }
        AdminCommand::Delete { store } => {
            server.send(server.request(Method::DELETE, &["api", "stores", project, store.as_str()])).await?;
            say(format_args!("{project}/{store} is deleted"))
        }
        AdminCommand::Keys(command) => keys::run(command, &server).await,
        AdminCommand::ReloadRules => {
            let report: Value = server.json(server.request(Method::POST, &["api", "admin", "rules", "reload"])).await?;
            say(report)
        }
    }
}

fn ttl_seconds(text: &str) -> Result<Value, CliError> {
    if text == "never" {
        return Ok(Value::Null);
    }
    let ttl = parse_duration(text).map_err(|error| CliError::BadArgument {
        what: "TTL",
        text: text.to_owned(),
        why: error.to_string(),
    })?;
    Ok(json!(ttl.as_secs()))
}

async fn list(server: &Server, project: &str) -> Result<(), CliError> {
    let request = server.request(Method::GET, &["api", "stores"]).query(&[("project", project)]);
    let answer: Value = server.json(request).await?;
    say(format_args!("{:<24} {:<8} {:>6} {:>12} {:>14}  {}", "STORE", "KIND", "SHARDS", "ROWS", "BYTES", "TTL"))?;
    for store in answer["stores"].as_array().into_iter().flatten() {
        let text = |key: &str| store[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| store[key].as_u64().unwrap_or(0);
        let ttl = store["ttl_seconds"].as_u64().map(std::time::Duration::from_secs);
        let ttl = ttl.map_or_else(|| "never".to_owned(), format_duration);
        say(format_args!(
            "{:<24} {:<8} {:>6} {:>12} {:>14}  {ttl}",
            text("name"),
            text("kind"),
            number("shards"),
            number("rows"),
            number("bytes")
        ))?;
    }
    Ok(())
}
