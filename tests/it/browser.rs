//! The console in a real browser, on a running demo.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::harness::{command, has_programs};

const CHROMIUM: &str = "/usr/bin/chromium";
/// Where its packages are after `npm ci`.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

#[tokio::test]
async fn the_console_shows_the_demo() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    if !has_programs("the browser tests", &[&chromium], "apt-get install chromium, or set CHROMIUM to its path") {
        return;
    }
    let modules = Path::new(FOLDER).join("node_modules");
    assert!(modules.is_dir(), "{} is missing; run `npm ci` in tests/browser, as `make test` does", modules.display());
    let mut demo = command().args(["demo", "--http", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().expect("it is a pipe")).lines();
    let told = tokio::time::timeout(Duration::from_secs(60), async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(at) = line.find("http://127.0.0.1:") {
                let address: String =
                    line[at + 7..].chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
                return format!("http://{}", address.trim_end_matches(['.', ':']));
            }
        }
        panic!("the demo ended without an address");
    });
    let url = told.await.expect("the demo tells its address");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

    let mut npm = Command::new("npm");
    npm.arg("test").current_dir(FOLDER).env("CULPRIT_URL", &url).stdin(Stdio::null()).kill_on_drop(true);
    let tests = tokio::time::timeout(Duration::from_secs(300), npm.output()).await;
    let output = tests.expect("the browser tests come to an end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    demo.kill().await.unwrap();
}
