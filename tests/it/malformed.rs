//! What no client should send, through the front door: each gets its code, nobody's data is touched, and the server goes on.

mod bodies;
mod names;
mod raw;
mod signatures;

use serde_json::json;

use crate::harness::{Log, LogGroup, Server, Sls};

const PROJECT: &str = "attacked";
const STORE: &str = "shop";
/// Another project whose store has the same name.
const NEIGHBOUR: &str = "neighbour";

/// The neighbour, who must not notice.
struct Neighbour {
    sls: Sls,
    group: LogGroup,
}

impl Neighbour {
    async fn settle(server: &Server) -> Self {
        let sls = Sls::new(&server.client, NEIGHBOUR, None);
        sls.create_project().await;
        sls.create_store(STORE, 1).await;
        let group = LogGroup::of(vec![Log::new(1_700_000_000, &[("mine", "and nobody else's")])]);
        assert_eq!(sls.put(STORE, "shards/lb", &group).await.unwrap().verdict().0, 200);
        Self { sls, group }
    }

    /// Its one log group is all there is, and its store and project all they were.
    async fn is_undisturbed(&self, server: &Server) {
        let begin = self.sls.cursor(STORE, 0, "begin").await.unwrap();
        let pull = self.sls.pull(STORE, 0, &begin, 1000).await.unwrap();
        assert_eq!(pull.groups, std::slice::from_ref(&self.group));
        let stores = self.sls.call(reqwest::Method::GET, "/logstores", None).await;
        assert_eq!(stores["logstores"], json!([STORE]));
        is_alive(server).await;
    }
}

async fn is_alive(server: &Server) {
    assert!(server.client.get("/healthz").await.0.is_success());
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
