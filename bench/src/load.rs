//! What is sent: rows of a web shop as LogGroups and as NDJSON, the same for every run of one seed.

use bytes::Bytes;
use prost::Message;

/// `Log.Content`: one field of a row.
#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(string, required, tag = "1")]
    key: String,
    #[prost(string, required, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(uint32, required, tag = "1")]
    time: u32,
    #[prost(message, repeated, tag = "2")]
    contents: Vec<Content>,
}

#[derive(Clone, PartialEq, Message)]
struct LogTag {
    #[prost(string, required, tag = "1")]
    key: String,
    #[prost(string, required, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct LogGroup {
    #[prost(message, repeated, tag = "1")]
    logs: Vec<Log>,
    #[prost(string, optional, tag = "3")]
    topic: Option<String>,
    #[prost(string, optional, tag = "4")]
    source: Option<String>,
    #[prost(message, repeated, tag = "6")]
    tags: Vec<LogTag>,
}

/// xorshift64*: the load needs repeatable variety, not quality.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }
}

/// A LogGroup as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Body {
    /// lz4 block.
    pub(crate) packed: Bytes,
    pub(crate) raw_bytes: usize,
    pub(crate) rows: u64,
}

/// A group of at least `raw_bytes` before compression.
pub(crate) fn log_group(raw_bytes: usize, time: u32, random: &mut Random) -> Body {
    let mut group = LogGroup {
        topic: Some("access".to_owned()),
        source: Some(format!("10.0.{}.{}", random.below(4), random.below(250))),
        tags: vec![LogTag { key: "__hostname__".to_owned(), value: format!("web-{:03}", random.below(200)) }],
        ..LogGroup::default()
    };
    let mut bytes = 0;
    while bytes < raw_bytes {
        let contents: Vec<Content> =
            row(random).into_iter().map(|(key, value)| Content { key: key.to_owned(), value }).collect();
        let log = Log { time, contents };
        bytes += log.encoded_len() + 4;
        group.logs.push(log);
    }
    let raw = group.encode_to_vec();
    Body { packed: lz4_flex::block::compress(&raw).into(), raw_bytes: raw.len(), rows: group.logs.len() as u64 }
}

/// A group of one row that carries a number, to find it again at a reader.
pub(crate) fn numbered(number: u64, time: u32) -> Body {
    let contents = vec![
        Content { key: "number".to_owned(), value: number.to_string() },
        Content { key: "message".to_owned(), value: "a row on its way from a writer to a reader".to_owned() },
    ];
    let group = LogGroup { logs: vec![Log { time, contents }], ..LogGroup::default() };
    let raw = group.encode_to_vec();
    Body { packed: lz4_flex::block::compress(&raw).into(), raw_bytes: raw.len(), rows: 1 }
}

/// NDJSON of at least `bytes`.
pub(crate) fn ndjson(bytes: usize, millis: u64, random: &mut Random) -> (Bytes, u64) {
    let mut text = Vec::with_capacity(bytes + 1024);
    let mut rows = 0;
    while text.len() < bytes {
        let mut object = serde_json::Map::new();
        object.insert("_time".to_owned(), millis.into());
        for (key, value) in row(random) {
            // Numbers arrive as numbers, as programs that log JSON send them.
            let value = value.parse::<u64>().map_or_else(|_| value.into(), serde_json::Value::from);
            object.insert(key.to_owned(), value);
        }
        text.extend_from_slice(serde_json::Value::Object(object).to_string().as_bytes());
        text.push(b'\n');
        rows += 1;
    }
    (text.into(), rows)
}

/// Some 450 bytes in fourteen fields, skewed as a shop's are.
fn row(random: &mut Random) -> Vec<(&'static str, String)> {
    const PATHS: [&str; 6] = ["/", "/api/v1/cart", "/api/v1/items", "/api/v1/orders", "/login", "/search"];
    const AGENTS: [&str; 3] = [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148",
        "okhttp/4.12.0",
    ];
    let path = random.pick(&PATHS);
    let customer = random.below(1 + random.0 % 20_000);
    let status = if random.below(50) == 0 { "500" } else { "200" };
    let micros = 300 + random.below(1 + random.0 % 900_000);
    vec![
        ("method", random.pick(&["GET", "GET", "GET", "POST", "PUT"]).to_owned()),
        ("path", path.to_owned()),
        ("status", status.to_owned()),
        ("customer_id", customer.to_string()),
        ("service", random.pick(&["cart", "items", "orders", "pay", "search", "web"]).to_owned()),
        ("version", format!("1.{}.{}", random.below(3), random.below(8))),
        ("region", random.pick(&["eu-1", "eu-2", "us-1", "ap-1"]).to_owned()),
        ("host", format!("host-{:03}", random.below(200))),
        ("latency_us", micros.to_string()),
        ("bytes", random.below(60_000).to_string()),
        ("trace_id", format!("{:016x}{:016x}", random.next(), random.next())),
        ("user_agent", random.pick(&AGENTS).to_owned()),
        ("remote", format!("203.0.{}.{}", random.below(256), random.below(256))),
        ("message", format!("{path} answered {status} after {micros} us for customer {customer}")),
    ]
}
