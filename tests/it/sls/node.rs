//! npm's `@alicloud/log`. It takes no proxy: Debian's libnss-wrapper resolves the names of its hosts.

use std::path::Path;
use std::time::Duration;

use crate::harness::{CLIENTS, Server, client_command, finish_client, has_programs};

const PATIENCE: Duration = Duration::from_secs(120);
const PROJECT: &str = "node-shop";
/// Where Debian puts libraries, by architecture.
const WRAPPERS: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/libnss_wrapper.so", "/usr/lib/aarch64-linux-gnu/libnss_wrapper.so"];

#[tokio::test]
async fn the_node_sdk_uses_every_call() {
    let wrapper = WRAPPERS.into_iter().find(|path| Path::new(path).exists()).unwrap_or(WRAPPERS[0]);
    if !has_programs("the Node SDK", &[wrapper], "apt-get install libnss-wrapper") {
        return;
    }
    let folder = Path::new(CLIENTS).join("node");
    let modules = folder.join("node_modules");
    assert!(modules.is_dir(), "{} is missing; run `npm ci` there, as `make test` does", modules.display());
    let server = Server::start_locked("").await;
    let hosts = server.folder().join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 sls.local\n127.0.0.1 {PROJECT}.sls.local\n")).unwrap();
    let (_, port) = server.url().rsplit_once(':').expect("an address has a port");
    let mut command = client_command(Path::new("node"), &server);
    command.args(["--test", "--test-reporter=spec"]).current_dir(&folder);
    command.env("LD_PRELOAD", wrapper).env("NSS_WRAPPER_HOSTS", &hosts);
    command.env("SLS_ENDPOINT", format!("http://sls.local:{port}")).env("SLS_PROJECT", PROJECT);
    let said = finish_client(&mut command, PATIENCE).await;
    assert!(said.contains("pass 2"), "two tests were to pass: {said}");
}
