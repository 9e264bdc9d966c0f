//! Reads rows on a thread, and decodes them as `ts/api/build-row.ts` does.

use strongroom_database::{Database, Location, OpenOptions, Value};

use super::*;
use crate::exchange::MAX_PARAMETERS;
use crate::row::Integers;

/// A value as JavaScript gets it.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Null,
    Number(f64),
    BigInt(i64),
    Text(Vec<u16>),
    Invalid(Vec<u8>),
    Blob(Vec<u8>),
}

/// A blob of a byte that differs from the memory's zeros.
const fn blob<const N: usize>() -> [u8; N] {
    [0xB5; N]
}

static LONG: [u8; 65_536] = blob();

/// Values of every type, at the limits of every encoding.
fn values() -> Vec<Value<'static>> {
    vec![
        Value::Null,
        Value::Integer(0),
        Value::Integer(i64::from(i32::MIN)),
        Value::Integer(i64::from(i32::MAX)),
        Value::Integer(i64::from(i32::MAX) + 1),
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Real(f64::NEG_INFINITY),
        Value::Text(b""),
        Value::Text(b"ascii"),
        Value::Text("Übergröße".as_bytes()),
        Value::Text("漢\u{1F600}".as_bytes()),
        Value::Text(b"a\xFFb"),
        Value::Blob(b""),
        Value::Blob(&LONG[..64]),
        Value::Blob(&LONG[..65]),
        Value::Blob(&LONG),
    ]
}

fn expected(value: Value<'_>, integers: Integers) -> Seen {
    match value {
        Value::Null => Seen::Null,
        Value::Integer(integer) if integers == Integers::BigInts => Seen::BigInt(integer),
        Value::Integer(integer) => Seen::Number(integer as f64),
        Value::Real(number) => Seen::Number(number),
        Value::Text(text) => match str::from_utf8(text) {
            Ok(text) => Seen::Text(text.encode_utf16().collect()),
            Err(_) => Seen::Invalid(text.to_vec()),
        },
        Value::Blob(bytes) => Seen::Blob(bytes.to_vec()),
    }
}

fn seen(value: &ThreadValue) -> Seen {
    match value {
        ThreadValue::Null => Seen::Null,
        &ThreadValue::Number(integer) => Seen::Number(integer as f64),
        &ThreadValue::BigInt(integer) => Seen::BigInt(integer),
        &ThreadValue::Real(number) => Seen::Number(number),
        ThreadValue::Latin1(_) | ThreadValue::Utf16(_) => Seen::Text(value.units().unwrap().0),
        ThreadValue::Invalid(_) => Seen::Invalid(value.bytes().unwrap()),
        ThreadValue::Blob(_) | ThreadValue::Buffer(_) => Seen::Blob(value.bytes().unwrap()),
    }
}

/// Decodes rows. Checks that the rows use every value.
fn decoded(rows: &ThreadRows) -> Vec<Vec<Seen>> {
    let ThreadRows { slots, bytes, values, .. } = rows;
    assert_eq!(rows.head.values, values.len());
    if rows.count() == 0 {
        return Vec::new();
    }
    let mut values = values.iter();
    let Some(columns) = rows.columns() else {
        assert_eq!((rows.head.layout, rows.count(), slots.len()), (DIRECT, 1, 0));
        return vec![vec![seen(values.next().unwrap())]];
    };
    assert_eq!(slots.len(), rows.count() * columns.kinds.len());
    let mut decode = |kind, slot: u64| {
        let (first, second) = (slot as u32, (slot >> 32) as u32);
        match kind {
            Kind::Small => Seen::Number(f64::from(first.cast_signed())),
            Kind::Number if f64::from_bits(slot).is_nan() => Seen::Null,
            Kind::Number => Seen::Number(f64::from_bits(slot)),
            Kind::BigInt => Seen::BigInt(slot.cast_signed()),
            Kind::Blob if first != u32::MAX => {
                let start = first as usize - MAX_PARAMETERS;
                Seen::Blob(bytes[start..start + second as usize].to_vec())
            }
            Kind::Blob if second == u32::MAX => Seen::Null,
            Kind::Blob => {
                let value = values.next().unwrap();
                assert!(matches!(value, ThreadValue::Blob(_)));
                seen(value)
            }
            Kind::Value => {
                let value = values.next().unwrap();
                assert!(!matches!(value, ThreadValue::Blob(_)), "a Buffer");
                seen(value)
            }
        }
    };
    let row = |row: &[u64]| row.iter().zip(&columns.kinds).map(|(&slot, &kind)| decode(kind, slot)).collect();
    let decoded = slots.chunks(columns.kinds.len()).map(row).collect();
    assert!(values.next().is_none(), "a value that no row uses");
    decoded
}

/// A thread with an in-memory database.
struct Thread {
    database: Database,
    encoder: Encoder,
}

impl Thread {
    fn new() -> Self {
        let database = Database::open_unencrypted(Location::Memory, &OpenOptions::default()).unwrap();
        Self { database, encoder: Encoder::default() }
    }

    fn read(&mut self, batch: &mut ThreadBatch, statement: &mut Statement, request: &Request) -> ThreadRows {
        batch.read(&mut self.encoder, statement, request).unwrap()
    }

    /// Reads the rows of a statement in batches.
    fn batches(&mut self, sql: &str, request: &Request) -> Vec<ThreadRows> {
        let (mut batch, mut statement) = (ThreadBatch::default(), self.database.prepare(sql).unwrap());
        let mut batches = Vec::new();
        loop {
            let rows = self.read(&mut batch, &mut statement, request);
            let last = rows.is_last();
            assert!(last || rows.count() > 0, "a batch without rows that is not the last");
            batches.push(rows);
            if last {
                return batches;
            }
        }
    }
}

fn request(integers: Integers, only_first: bool, limit: usize) -> Request {
    Request { form: Form { integers, only_first }, limit, ahead: false, direct: false }
}

fn all() -> Request {
    request(Integers::Numbers, false, usize::MAX)
}

#[test]
fn every_pair_of_values_reads_back_in_every_form() {
    let mut thread = Thread::new();
    thread.database.execute_batch("CREATE TABLE pair (a, b)").unwrap();
    let values = values();
    let pairs: Vec<[Value<'_>; 2]> =
        values.iter().flat_map(|&a| values.iter().map(move |&b| [a, b])).collect();
    // A cast keeps bytes that are not UTF-8, which a parameter of text cannot be.
    let insert = "INSERT INTO pair VALUES (iif(?2, CAST(?1 AS TEXT), ?1), iif(?4, CAST(?3 AS TEXT), ?3))";
    let mut insert = thread.database.prepare(insert).unwrap();
    for pair in &pairs {
        for (index, &value) in (1..).step_by(2).zip(pair) {
            let (value, is_text) = match value {
                Value::Text(bytes) => (Value::Blob(bytes), 1),
                value => (value, 0),
            };
            insert.bind(index, value).unwrap();
            insert.bind(index + 1, Value::Integer(is_text)).unwrap();
        }
        assert!(insert.step().unwrap().is_none());
    }
    for integers in [Integers::Numbers, Integers::BigInts] {
        for only_first in [false, true] {
            let columns = if only_first { 1 } else { 2 };
            let expected: Vec<Vec<Seen>> = pairs
                .iter()
                .map(|pair| pair[..columns].iter().map(|&value| expected(value, integers)).collect())
                .collect();
            for limit in [1, 7, usize::MAX] {
                let batches = thread.batches("SELECT a, b FROM pair", &request(integers, only_first, limit));
                assert!(batches.iter().all(|rows| rows.count() <= limit));
                let rows: Vec<_> = batches.iter().flat_map(decoded).collect();
                assert_eq!(rows, expected, "limit {limit}");
            }
        }
    }
}

#[test]
fn a_call_may_return_a_single_value_without_a_slot() {
    let mut thread = Thread::new();
    let request = Request { direct: true, ..request(Integers::Numbers, true, 1) };
    for (sql, value) in [
        ("SELECT 7, 8", Seen::Number(7.0)),
        ("SELECT 'text'", Seen::Text("text".encode_utf16().collect())),
        ("SELECT NULL", Seen::Null),
        // A small blob has a slot, which is cheaper.
        ("SELECT x'0102'", Seen::Blob(vec![1, 2])),
    ] {
        let rows = thread.batches(sql, &request);
        assert_eq!(decoded(&rows[0]), [[value]], "{sql}");
        assert_eq!(rows[0].head.layout == DIRECT, !sql.contains("x'"), "{sql}");
    }
}

#[test]
fn a_batch_ends_at_each_limit_and_loses_no_row() {
    let mut thread = Thread::new();
    let mut counts = |columns: &str| {
        let series = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)";
        let batches = thread.batches(&format!("{series} SELECT i, {columns} FROM n"), &all());
        let firsts = batches.iter().flat_map(decoded).map(|row| row[0].clone());
        assert!(firsts.eq((0..10_000).map(|i| Seen::Number(f64::from(i)))));
        batches.iter().map(ThreadRows::count).collect::<Vec<_>>()
    };
    // The slots: 4,088 of them.
    assert_eq!(counts("i, i, i"), [[1022; 9].as_slice(), &[802]].concat());
    // The values: 2,048 of them.
    assert_eq!(counts("'a', 'b'"), [[1024; 9].as_slice(), &[784]].concat());
    // The bytes of text and blobs: 256 KiB.
    assert_eq!(counts("zeroblob(1024)")[..3], [256; 3]);
}

#[test]
fn small_blobs_share_a_memory_until_it_is_full() {
    let mut thread = Thread::new();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1099) SELECT zeroblob(64) FROM n";
    let batches = thread.batches(sql, &all());
    let ThreadRows { bytes, values, .. } = &batches[0];
    assert_eq!((bytes.len(), values.len()), (1020 * 64, 80));
    assert!(decoded(&batches[0]).iter().all(|row| *row == [Seen::Blob(vec![0; 64])]));
}

#[test]
fn a_value_that_does_not_fit_widens_the_layout_and_gets_a_new_number() {
    let mut thread = Thread::new();
    let batches = thread.batches("VALUES (1), (2), (2.5), (NULL), ('a'), (3)", &all());
    let layouts: Vec<(u32, &[Kind])> =
        batches.iter().map(|rows| (rows.head.layout, &*rows.columns().unwrap().kinds)).collect();
    let [(small, [Kind::Small]), (number, [Kind::Number]), (value, [Kind::Value])] = *layouts.as_slice()
    else {
        panic!("{layouts:?}")
    };
    assert_eq!(batches.iter().map(ThreadRows::count).collect::<Vec<_>>(), [2, 2, 2]);
    // Another statement with the same columns has another number, because JavaScript keeps one list for all.
    let other = thread.batches("SELECT 'a'", &all());
    let numbers = [small, number, value, other[0].head.layout, DIRECT];
    let unique: std::collections::BTreeSet<_> = numbers.iter().collect();
    assert_eq!(unique.len(), numbers.len(), "{numbers:?}");
}

#[test]
fn a_row_that_ends_a_batch_leaves_no_value_behind() {
    let mut thread = Thread::new();
    let batches = thread.batches("VALUES ('a', 1), ('b', 2.5), ('c', x'00'), ('d', 3)", &all());
    let text = |text: &str| Seen::Text(text.encode_utf16().collect());
    let expected = [
        [text("a"), Seen::Number(1.0)],
        [text("b"), Seen::Number(2.5)],
        [text("c"), Seen::Blob(vec![0])],
        [text("d"), Seen::Number(3.0)],
    ];
    assert_eq!(batches.iter().flat_map(decoded).collect::<Vec<_>>(), expected);
    assert_eq!(batches.iter().map(ThreadRows::count).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn rows_of_one_layout_share_their_columns_until_the_schema_changes() {
    let mut thread = Thread::new();
    let setup = "CREATE TABLE item (a); INSERT INTO item VALUES (1), (2), (3)";
    thread.database.execute_batch(setup).unwrap();
    let mut statement = thread.database.prepare("SELECT *, 1 AS one FROM item").unwrap();
    let (mut batch, one) = (ThreadBatch::default(), request(Integers::Numbers, false, 1));
    let first = thread.read(&mut batch, &mut statement, &one);
    let second = thread.read(&mut batch, &mut statement, &one);
    assert!(Arc::ptr_eq(first.columns().unwrap(), second.columns().unwrap()));
    let columns = Columns {
        names: vec!["a".to_owned(), "one".to_owned()],
        tables: vec![Some("item".to_owned()), None],
        kinds: vec![Kind::Small, Kind::Small],
    };
    assert_eq!(**second.columns().unwrap(), columns);

    statement.reset();
    batch.end();
    thread.database.execute_batch("ALTER TABLE item ADD COLUMN b DEFAULT 'x'").unwrap();
    let third = thread.read(&mut batch, &mut statement, &one);
    assert_eq!(third.columns().unwrap().names, ["a", "b", "one"]);
    assert_ne!(third.head.layout, first.head.layout);
}

#[test]
fn a_failure_after_rows_is_reported_by_the_next_batch() {
    let mut thread = Thread::new();
    let sql = "SELECT abs(column1) FROM (VALUES (1), (2), (-9223372036854775808))";
    let (mut batch, mut statement) = (ThreadBatch::default(), thread.database.prepare(sql).unwrap());
    for _ in 0..2 {
        let rows = thread.read(&mut batch, &mut statement, &all());
        assert_eq!((rows.count(), rows.is_last()), (2, false));
        let failed = batch.read(&mut thread.encoder, &mut statement, &all());
        assert!(format!("{:?}", failed.err().unwrap()).contains("integer overflow"));
    }
    // A run that ends early drops its failure.
    thread.read(&mut batch, &mut statement, &all());
    batch.end();
    assert_eq!(thread.read(&mut batch, &mut statement, &all()).count(), 2);
}

#[test]
fn a_batch_that_reads_ahead_ends_when_rows_take_long_to_find() {
    let mut thread = Thread::new();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
               SELECT i FROM n WHERE i % 10000 = 0";
    let batches = thread.batches(sql, &Request { ahead: true, ..all() });
    assert!(batches.len() >= 5, "{} batches", batches.len());
    assert_eq!(batches.iter().map(ThreadRows::count).sum::<usize>(), 10);
}

#[test]
fn long_texts_are_external_and_latin1_is_narrow() {
    let mut thread = Thread::new();
    let mut text = |text: &str| {
        let (mut batch, mut statement) =
            (ThreadBatch::default(), thread.database.prepare("SELECT ?").unwrap());
        statement.bind(1, Value::Text(text.as_bytes())).unwrap();
        let rows = thread.read(&mut batch, &mut statement, &all());
        let [value] = rows.values.as_slice() else { panic!("one value") };
        let (units, external) = value.units().unwrap();
        assert_eq!(units, text.encode_utf16().collect::<Vec<_>>());
        (matches!(value, ThreadValue::Latin1(_)), external)
    };
    assert_eq!(text(&"a".repeat(95)), (true, false));
    assert_eq!(text(&"a".repeat(96)), (true, true));
    // 96 characters of two bytes each.
    assert_eq!(text(&"ÿ".repeat(95)), (true, false));
    assert_eq!(text(&"ÿ".repeat(96)), (true, true));
    assert_eq!(text(&"Ā".repeat(95)), (false, false));
    assert_eq!(text(&"Ā".repeat(96)), (false, true));
    // 48 characters of two units each.
    assert_eq!(text(&"\u{1F600}".repeat(48)), (false, true));
}

#[test]
fn rows_have_only_the_memory_that_they_need() {
    let mut thread = Thread::new();
    let rows = thread.batches("SELECT 1, 'a', zeroblob(64), zeroblob(65)", &all()).remove(0);
    assert_eq!((rows.slots.len(), rows.bytes.len(), rows.values.capacity()), (4, 64, 2));
    // A failure leaves values behind, which the next rows do not contain.
    let mut statement = thread.database.prepare("SELECT 'a', abs(-9223372036854775808)").unwrap();
    let failed = ThreadBatch::default().read(&mut thread.encoder, &mut statement, &all());
    assert!(failed.is_err());
    let rows = thread.batches("SELECT 1", &all()).remove(0);
    assert_eq!(decoded(&rows), [[Seen::Number(1.0)]]);
}

#[test]
fn rows_and_values_can_go_to_another_thread() {
    fn sendable<T: Send>() {}
    sendable::<ThreadRows>();
    sendable::<crate::asynchronous::owned::OwnedParameters>();
}
