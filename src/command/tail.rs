//! `culprit tail`: rows of a store as they come.

use std::io::Write;

use clap::Args;
use reqwest::Method;

use crate::error::CliError;
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit tail shop
  culprit tail shop --from begin --search timeout --search cart | head")]
pub(crate) struct TailArgs {
    /// A logstore or a view
    store: String,
    #[arg(long, default_value = "default")]
    project: String,
    /// One shard; all by default
    #[arg(long)]
    shard: Option<u32>,
    /// begin or end; with --shard also a cursor, as rows show it in _cursor
    #[arg(long, default_value = "end")]
    from: String,
    /// Only rows that have this text somewhere, in any case; may be given several times
    #[arg(long, value_name = "TEXT")]
    search: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// One JSON object a line, until the server or the reader of the output goes away.
pub(crate) async fn run(args: TailArgs) -> Result<(), CliError> {
    let server = args.server.connect()?;
    let mut parameters = vec![("project", args.project), ("store", args.store), ("from", args.from)];
    parameters.extend(args.shard.map(|shard| ("shard", shard.to_string())));
    let request = server.request(Method::GET, &["api", "tail"]).query(&parameters);
    let mut rows = server.send(request).await?;
    let mut printer = Printer { words: args.search.iter().map(|word| word.to_lowercase()).collect(), rest: Vec::new() };
    while let Some(chunk) = server.next_chunk(&mut rows).await? {
        printer.print(&chunk, &mut std::io::stdout().lock())?;
    }
    Ok(())
}

struct Printer {
    /// In lower case.
    words: Vec<String>,
    /// A line whose end has not come yet.
    rest: Vec<u8>,
}

impl Printer {
    fn print(&mut self, chunk: &[u8], out: &mut impl Write) -> Result<(), CliError> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.ends_with(b"\n") {
                // An empty line says that the server lives.
                if self.rest.len() > 1 && self.is_wanted() {
                    out.write_all(&self.rest)?;
                }
                self.rest.clear();
            }
        }
        Ok(out.flush()?)
    }

    fn is_wanted(&self) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let line = String::from_utf8_lossy(&self.rest).to_lowercase();
        self.words.iter().all(|word| line.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_have_the_words() {
        let mut printer = Printer { words: vec!["a".to_owned(), "b".to_owned()], rest: Vec::new() };
        let mut out = Vec::new();
        for chunk in ["{A", "b}\n\n{a}\n{", "ab", "}\n{ab"] {
            printer.print(chunk.as_bytes(), &mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "{Ab}\n{ab}\n");
    }
}
