use proptest::prelude::*;

use super::*;

/// Sentences with `{}` where a value stands, and the generators of the values.
const SENTENCES: [(&str, &[Value]); 16] = [
    ("connection from {} closed after {} s", &[Value::Ip, Value::Number]),
    ("connection from {} refused: too many open files", &[Value::Ip]),
    ("user {} logged in from {}", &[Value::User, Value::Ip]),
    ("user {} logged out", &[Value::User]),
    ("password of user {} is wrong, attempt {}", &[Value::User, Value::Number]),
    ("disk {} is full: {}% used", &[Value::Path, Value::Number]),
    ("disk {} was checked", &[Value::Path]),
    ("order {} was charged {} cents on card {}", &[Value::Uuid, Value::Number, Value::Hex]),
    ("order {} was refunded", &[Value::Uuid]),
    ("cache miss for key {}", &[Value::Hex]),
    ("node {} joined the cluster at {}", &[Value::Host, Value::Time]),
    ("node {} left the cluster", &[Value::Host]),
    ("retrying in {} ms (attempt {} of {})", &[Value::Number, Value::Number, Value::Number]),
    ("shutting down", &[]),
    ("ready to serve", &[]),
    ("level={} took={} path={}", &[Value::Number, Value::Number, Value::Path]),
];

#[derive(Debug, Clone, Copy)]
enum Value {
    Number,
    Ip,
    User,
    Path,
    Uuid,
    Hex,
    Host,
    Time,
}

impl Value {
    fn of(self, seed: u64) -> String {
        let users = ["ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida", "jim", "kim", "lea"];
        match self {
            Self::Number => (seed % 100_000).to_string(),
            Self::Ip => format!("10.{}.{}.{}", seed % 200, seed / 7 % 200, seed / 11 % 200),
            Self::User => users[(seed % 12) as usize].to_owned(),
            Self::Path => format!("/var/lib/{}/data", users[(seed / 3 % 12) as usize]),
            Self::Uuid => format!("{:08x}-aaaa-4bbb-8ccc-{:012x}", seed as u32, seed / 5 % (1 << 48)),
            Self::Hex => format!("0x{:x}", seed % 1_000_000),
            Self::Host => format!("db-{}.eu.internal", users[(seed / 5 % 12) as usize]),
            Self::Time => format!("2031-04-{:02}T{:02}:17:41Z", 1 + seed % 28, seed % 24),
        }
    }
}

/// The message, and the values in it.
fn message(sentence: usize, seed: u64) -> (String, Vec<String>) {
    let (text, values) = SENTENCES[sentence];
    let values: Vec<String> =
        values.iter().zip(1..).map(|(value, at)| value.of(seed.wrapping_mul(at * 7919))).collect();
    let message = values.iter().fold(text.to_owned(), |text, value| text.replacen("{}", value, 1));
    (message, values)
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 20
}

/// The sentence, the message and its values.
type Row = (usize, String, Vec<String>);

fn learn_all(miner: &mut PatternMiner, rows: &[Row]) -> Vec<ShapeId> {
    rows.iter().map(|(_, message, _)| miner.learn(message)).collect()
}

fn generated(rows: usize) -> Vec<Row> {
    let mut state = 7;
    let row = |_| {
        let sentence = (random(&mut state) % SENTENCES.len() as u64) as usize;
        let (message, values) = message(sentence, random(&mut state));
        (sentence, message, values)
    };
    (0..rows).map(row).collect()
}

#[test]
fn messages_are_grouped_as_they_were_generated_and_slots_hold_the_values() {
    let rows = generated(5_000);
    let mut miner = PatternMiner::new();
    let shapes = learn_all(&mut miner, &rows);
    miner.settle();
    let mut sentence_of: HashMap<PatternId, usize> = HashMap::new();
    for ((sentence, message, values), shape) in rows.iter().zip(shapes) {
        let template = miner.template_of(shape).expect("settled");
        assert_eq!(*sentence_of.entry(template.id()).or_insert(*sentence), *sentence, "{}", template.text());
        assert_eq!(miner.find(message), Some(template));
        let slots: Vec<&str> = template.slots(message);
        // A unit belongs to its number.
        let same = slots.iter().zip(values).all(|(slot, value)| slot.starts_with(value.as_str()));
        assert!(same && slots.len() == values.len(), "{message}: {slots:?} in {}", template.text());
    }
    assert_eq!(sentence_of.len(), SENTENCES.len(), "one pattern per sentence");
}

#[test]
fn templates_read_as_sentences_with_typed_slots() {
    let rows = generated(5_000);
    let mut miner = PatternMiner::new();
    learn_all(&mut miner, &rows);
    miner.settle();
    let counts = miner.counts();
    assert_eq!(counts.iter().map(|pattern| pattern.count).sum::<u64>(), 5_000);
    for text in [
        "connection from <ip> closed after <num>",
        "user <*> logged in from <ip>",
        "disk <path> is full: <num> used",
        "order <uuid> was charged <num> cents on card <hex>",
        "node <*> joined the cluster at <time>",
        "level=<num> took=<num> path=<path>",
    ] {
        assert!(counts.iter().any(|pattern| pattern.template == text), "{text} in {counts:#?}");
    }
}

#[test]
fn an_id_is_the_hash_of_the_text_and_outlives_a_wider_type() {
    let mut miner = PatternMiner::new();
    miner.learn("took 5 ms");
    miner.settle();
    let id = miner.counts()[0].id;
    assert_eq!(id.0, xxhash_rust::xxh3::xxh3_64(b"took <*>"));
    miner.learn("took 0x5");
    miner.settle();
    assert_eq!(miner.counts()[0], PatternCount { id, template: "took <*>".to_owned(), count: 2 });
}

#[test]
fn a_hundred_thousand_different_messages_take_bounded_memory() {
    let mut miner = PatternMiner::with_shapes_max(1_000);
    let mut state = 3;
    let word = |number: u64| -> String { (0..8).map(|at| (b'a' + (number >> (4 * at) & 15) as u8) as char).collect() };
    for _ in 0..100_000 {
        let words = [random(&mut state), random(&mut state), random(&mut state)].map(word);
        miner.learn(&words.join(" "));
    }
    for _ in 0..100_000 {
        miner.learn("the one message that is always the same");
    }
    assert!(miner.shapes.len() <= 1_000 && miner.by_key.len() <= 2_001);
    assert!(miner.homes.len() <= SHAPE_IDS_MAX);
    miner.settle();
    let counts = miner.counts();
    assert_eq!(counts.iter().map(|pattern| pattern.count).sum::<u64>(), 200_000);
    let same = counts.iter().find(|pattern| pattern.template == "the one message that is always the same");
    assert_eq!(same.map(|pattern| pattern.count), Some(100_000));
}

#[test]
fn a_message_of_a_megabyte_is_told_by_its_beginning() {
    let mut miner = PatternMiner::new();
    let [one, other] = ["x", "y"].map(|letter| format!("dump of node {}", letter.repeat(1 << 20)));
    let shapes = [one, other].map(|message| miner.learn(&message));
    let lines = ["first second third ".repeat(50_000), "first second third ".repeat(60_000)];
    let long = lines.map(|message| miner.learn(&message));
    miner.settle();
    assert!(shapes.iter().chain(&long).all(|shape| miner.template_of(*shape).is_some()));
    assert_eq!(long[0], long[1]);
}

#[test]
fn what_two_miners_learn_is_what_one_learns() {
    let rows = generated(2_000);
    let (mut one, mut left, mut right) = (PatternMiner::new(), PatternMiner::new(), PatternMiner::new());
    learn_all(&mut one, &rows);
    let shapes = learn_all(&mut left, &rows[..700]);
    learn_all(&mut right, &rows[700..]);
    let here = right.absorb(left);
    one.settle();
    right.settle();
    assert_eq!(one.counts(), right.counts());
    for ((_, message, _), shape) in rows[..700].iter().zip(shapes) {
        assert_eq!(right.template_of(here(shape)), one.find(message));
    }
}

/// Texts as logs have them: words, values and marks, and now and then anything.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let token = prop_oneof![
        "[a-d]{1,2}",
        "[0-9]{1,4}",
        "[=:,.()\\[\\]\"<>/*-]{1,4}",
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        "\\PC{0,3}",
    ];
    let text = prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat());
    prop::collection::vec(text, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn order_decides_nothing(texts in texts(), seed in any::<u64>()) {
        let mut shuffled = texts.clone();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, (random(&mut state) % (at as u64 + 1)) as usize);
        }
        let counts = [texts, shuffled].map(|texts| {
            let mut miner = PatternMiner::new();
            for text in &texts {
                miner.learn(text);
            }
            miner.settle();
            miner.counts()
        });
        prop_assert_eq!(&counts[0], &counts[1]);
    }

    #[test]
    fn every_message_has_a_pattern_however_little_is_kept(texts in texts(), shapes_max in 4usize..20) {
        let mut miner = PatternMiner::with_shapes_max(shapes_max);
        let shapes: Vec<_> = texts.iter().map(|text| miner.learn(text)).collect();
        prop_assert!(miner.shapes.len() <= shapes_max);
        miner.settle();
        let counts = miner.counts();
        prop_assert_eq!(counts.iter().map(|pattern| pattern.count).sum::<u64>(), texts.len() as u64);
        for (text, shape) in texts.iter().zip(shapes) {
            let template = miner.template_of(shape).expect("settled");
            for slot in template.slots(text) {
                prop_assert!(text.contains(slot));
            }
        }
    }
}
