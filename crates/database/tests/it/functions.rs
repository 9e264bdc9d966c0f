//! Tests the zstd functions of SQL.

use std::error::Error;

use strongroom_codec::{Codec, Dictionary, Level};
use strongroom_database::{Database, Location, OpenOptions, code_of};

use crate::scratch::{Owned, Scratch, integer, memory, rows, text, value};

const STORY: &str = "a story that repeats itself, that repeats itself, that repeats itself";

fn dictionary() -> Dictionary {
    let samples: Vec<String> =
        (0..2000).map(|n| format!("{{\"id\":{n},\"name\":\"user {n}\",\"city\":\"{}\"}}", n % 17)).collect();
    Dictionary::train(&samples, 4096).unwrap()
}

fn message(sql: &str, parameters: &[Owned]) -> String {
    let error = value(&memory(), sql, parameters).unwrap_err();
    assert_eq!(error.code(), "SQLITE_ERROR");
    error.to_string()
}

#[test]
fn decompress_returns_the_compressed_value() {
    let database = memory();
    for content in [text(""), text(STORY), Owned::Blob(vec![1, 0, 2]), Owned::Blob(vec![9; 1_000_000])] {
        let back =
            value(&database, "SELECT zstd_decompress(zstd_compress(?))", std::slice::from_ref(&content));
        let expected = match &content {
            Owned::Text(text) => Owned::Blob(text.clone().into_bytes()),
            other => other.clone(),
        };
        assert_eq!(back.unwrap(), expected);
    }
    let back = value(&database, "SELECT CAST(zstd_decompress(zstd_compress(?, 19)) AS TEXT)", &[text(STORY)]);
    assert_eq!(back.unwrap(), text(STORY));
    for sql in ["zstd_compress(NULL)", "zstd_compress(NULL, 3, NULL)", "zstd_decompress(NULL, x'00')"] {
        assert_eq!(value(&database, &format!("SELECT {sql}"), &[]).unwrap(), Owned::Null);
    }
}

#[test]
fn frames_of_the_codec_and_of_sql_are_interchangeable() {
    let (database, mut codec) = (memory(), Codec::new());
    let Owned::Blob(frame) = value(&database, "SELECT zstd_compress(?)", &[text(STORY)]).unwrap() else {
        panic!("no blob")
    };
    assert!(frame.len() < STORY.len());
    assert_eq!(codec.decompress(&frame, None, 1000).unwrap(), STORY.as_bytes());
    let frame = codec.compress(STORY.as_bytes(), Level::max(), None).unwrap();
    let back = value(&database, "SELECT zstd_decompress(?)", &[Owned::Blob(frame)]).unwrap();
    assert_eq!(back, Owned::Blob(STORY.into()));
}

#[test]
fn a_dictionary_can_be_stored_beside_the_rows() {
    let database = memory();
    let dictionary = Owned::Blob(dictionary().as_bytes().to_vec());
    database.execute_batch("CREATE TABLE d (bytes); CREATE TABLE t (packed)").unwrap();
    rows(&database, "INSERT INTO d VALUES (?)", std::slice::from_ref(&dictionary)).unwrap();
    let row = "{\"id\":4711,\"name\":\"user 4711\",\"city\":\"3\"}";
    let sql = "INSERT INTO t SELECT zstd_compress(?, 9, bytes) FROM d, (VALUES (1), (2), (3))";
    rows(&database, sql, &[text(row)]).unwrap();
    let alone = integer(&database, &format!("SELECT length(zstd_compress('{row}', 9))"));
    assert!(integer(&database, "SELECT max(length(packed)) FROM t") < alone);
    let back = rows(&database, "SELECT zstd_decompress(packed, bytes) FROM t, d", &[]).unwrap();
    assert_eq!(back, vec![vec![Owned::Blob(row.into())]; 3]);
    let missing = value(&database, "SELECT zstd_decompress(packed) FROM t", &[]).unwrap_err();
    assert!(missing.to_string().contains("pass that dictionary"), "{missing}");
}

#[test]
fn the_error_names_the_wrong_argument() {
    for (sql, expected) in [
        ("zstd_compress(1)", "zstd_compress: the value must be text or a blob, not INTEGER"),
        ("zstd_compress(1.5)", "not REAL"),
        ("zstd_decompress('text')", "zstd_decompress: the value must be a blob, not TEXT"),
        ("zstd_compress('a', 'b')", "the level must be an integer, not TEXT"),
        ("zstd_compress('a', x'00')", "the level must be an integer, not BLOB"),
        ("zstd_compress('a', 3.5)", "the level must be an integer"),
        ("zstd_compress('a', 1e300)", "does not exist"),
        ("zstd_compress('a', 23)", "compression level 23 does not exist: use a level from -131072 to 22"),
        ("zstd_compress('a', 1 << 40)", "compression level 1099511627776 does not exist"),
        ("zstd_compress('a', 3, 'text')", "the dictionary must be a blob"),
        ("zstd_compress('a', 3, x'00')", "the 1-byte dictionary is not a valid zstd dictionary"),
        ("zstd_decompress(x'')", "not a zstd frame"),
        ("zstd_decompress(x'28b52ffd')", "cut off"),
        ("zstd_decompress(x'00112233445566')", "not a zstd frame"),
        ("zstd_compress()", "wrong number of arguments"),
        ("zstd_decompress(1, 2, 3)", "wrong number of arguments"),
    ] {
        let shown = message(&format!("SELECT {sql}"), &[]);
        assert!(shown.contains(expected), "{sql}: {shown}");
    }
}

#[test]
fn the_error_of_the_codec_is_the_source() {
    let database = memory();
    let wrong = Owned::Blob(vec![0; 7]);
    for sql in ["SELECT zstd_decompress(?)", "SELECT max(zstd_decompress(?)) FROM (VALUES (1), (2))"] {
        let error = value(&database, sql, std::slice::from_ref(&wrong)).unwrap_err();
        let source = error.source().unwrap();
        assert_eq!(code_of(source), Some("STRONGROOM_ZSTD_NOT_A_FRAME"));
        assert_eq!(error.to_string(), format!("zstd_decompress: {source}"));
    }
    let error = database.execute_batch("SELECT zstd_compress('a', 23)").unwrap_err();
    assert_eq!(code_of(error.source().unwrap()), Some("STRONGROOM_ZSTD_LEVEL"));
    // An argument of the wrong type never reaches the codec, so the codec's last error is not the source of this error.
    assert!(value(&database, "SELECT zstd_decompress(1)", &[]).unwrap_err().source().is_none());
    assert!(database.prepare("SELEC 1").unwrap_err().source().is_none());
}

#[test]
fn a_decompression_bomb_is_refused() {
    // Two gigabytes of zeros in 64 kilobytes of blocks that each repeat a byte, with and without a content size.
    for declared in [true, false] {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
        match declared {
            true => {
                // Single-segment flag, and a content size field of eight bytes.
                frame.push(0xe0);
                frame.extend_from_slice(&(2_u64 << 30).to_le_bytes());
            }
            // No content size, and a window of 128 KB.
            false => frame.extend_from_slice(&[0x00, 0x38]),
        }
        let blocks = (2_u64 << 30) / (128 << 10);
        for block in 0..blocks {
            let header = (128_u32 << 10) << 3 | 1 << 1 | u32::from(block == blocks - 1);
            frame.extend_from_slice(&header.to_le_bytes()[..3]);
            frame.push(0);
        }
        let shown = message("SELECT zstd_decompress(?)", &[Owned::Blob(frame)]);
        assert!(shown.contains("larger than the limit of 1000000000 bytes"), "{shown}");
    }
}

#[test]
fn a_schema_may_use_the_zstd_functions() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database
        .execute_batch(
            "CREATE TABLE t (a TEXT, packed AS (zstd_compress(a)) STORED);
             CREATE INDEX i ON t (length(zstd_decompress(packed)));
             CREATE VIEW v AS SELECT CAST(zstd_decompress(packed) AS TEXT) AS a FROM t;
             INSERT INTO t (a) VALUES ('one'), ('three')",
        )
        .unwrap();
    database.close().unwrap();
    let database =
        Database::open(Location::File(&scratch.path()), &crate::scratch::key(), &OpenOptions::default())
            .unwrap();
    assert_eq!(value(&database, "SELECT max(a) FROM v", &[]).unwrap(), text("three"));
    assert_eq!(integer(&database, "SELECT count(*) FROM t WHERE length(zstd_decompress(packed)) = 5"), 1);
}
