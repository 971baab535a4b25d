//! `culprit admin keys`: access keys, and what they may do.

use std::collections::BTreeSet;

use clap::Subcommand;
use culprit_store::{Grant, Right, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output::say;
use crate::remote::Server;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  culprit admin keys create --grant '*:admin'
  culprit admin keys create --id shop-agent --grant shop:write
  culprit admin keys create --grant shop:read,consume --grant audit:read
  culprit admin keys disable shop-agent")]
pub(crate) enum KeysCommand {
    /// Make a key and print its secret, this once
    Create {
        /// PROJECT:RIGHT,RIGHT; the project may be *, rights are read, write, consume, admin (which includes the others)
        #[arg(long = "grant", required = true, value_name = "GRANT", value_parser = grant)]
        grants: Vec<Grant>,
        /// By default one is made up
        #[arg(long)]
        id: Option<String>,
    },
    /// List the keys with what they may do
    List,
    /// Refuse what a key signs, and keep it
    Disable { id: String },
    /// Take what a disabled key signs again
    Enable { id: String },
    /// Delete a key
    Delete { id: String },
}

pub(crate) async fn run(command: KeysCommand, server: &Server) -> Result<(), CliError> {
    const KEYS: [&str; 3] = ["api", "admin", "keys"];
    match command {
        KeysCommand::Create { grants, id } => {
            let mut body = json!({ "grants": grants });
            if let Some(id) = id {
                body["id"] = id.into();
            }
            let made: Value = server.json(server.request(Method::POST, &KEYS).json(&body)).await?;
            let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
            say(format_args!("{}:{}", text("id"), text("secret")))
        }
        KeysCommand::List => list(&server.json(server.request(Method::GET, &KEYS)).await?),
        KeysCommand::Disable { id } => set_disabled(server, &id, true).await,
        KeysCommand::Enable { id } => set_disabled(server, &id, false).await,
        KeysCommand::Delete { id } => {
            server.send(server.request(Method::DELETE, &["api", "admin", "keys", id.as_str()])).await?;
            say(format_args!("key {id} is deleted"))
        }
    }
}

async fn set_disabled(server: &Server, id: &str, is_disabled: bool) -> Result<(), CliError> {
    let request = server.request(Method::PATCH, &["api", "admin", "keys", id]);
    server.send(request.json(&json!({ "disabled": is_disabled }))).await?;
    say(format_args!("key {id} is {}", if is_disabled { "disabled" } else { "enabled" }))
}

fn list(answer: &Value) -> Result<(), CliError> {
    say(format_args!("{:<24} {:<20} {:<8}  GRANTS", "KEY", "CREATED", "STATE"))?;
    for key in answer["keys"].as_array().into_iter().flatten() {
        let text = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let grants: Vec<String> = key["grants"].as_array().into_iter().flatten().map(grant_text).collect();
        let state = if key["disabled"] == true { "disabled" } else { "enabled" };
        say(format_args!("{:<24} {:<20} {state:<8}  {}", text("id"), text("created"), grants.join(" ")))?;
    }
    Ok(())
}

fn grant_text(grant: &Value) -> String {
    let rights: Vec<&str> = grant["rights"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{}:{}", grant["project"].as_str().unwrap_or_default(), rights.join(","))
}

fn grant(text: &str) -> Result<Grant, String> {
    let (project, rights) =
        text.rsplit_once(':').ok_or("it has no colon; a grant is written as in shop:read,write".to_owned())?;
    let right = |name: &str| {
        Right::ALL
            .into_iter()
            .find(|right| right.name() == name.trim())
            .ok_or_else(|| format!("there is no right {name:?}; there are read, write, consume and admin"))
    };
    let rights = rights.split(',').map(right).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Grant { project: Scope::parse(project).map_err(|error| error.to_string())?, rights })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read() {
        let parsed = grant("shop:read, write").unwrap();
        assert_eq!(
            (parsed.project.to_string(), parsed.rights),
            ("shop".to_owned(), [Right::Read, Right::Write].into())
        );
        assert_eq!(grant("*:admin").unwrap(), Grant::administrator());
        for (text, why) in [
            ("shop", "no colon"),
            ("shop:", "no right \"\""),
            ("shop:delete", "no right \"delete\""),
            ("-x:read", "must begin"),
        ] {
            assert!(grant(text).unwrap_err().contains(why), "{text}");
        }
    }
}
