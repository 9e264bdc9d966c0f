//! Tests that `sqlcipher` commands and this package read each other's files. The tests run Debian's `sqlcipher` and the
//! command in `STRONGROOM_SQLCIPHER`, which `cargo xtask setup` installs for the newest format.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

use strongroom_database::Database;
use strongroom_keys::{CipherParameters, Key};

use crate::migrating::{convert, version};
use crate::scratch::{Scratch, assert_intact, rows, text, value};

const CONTENT: &str = "ünï €𝄞";

/// Returns the available commands.
fn commands() -> Vec<OsString> {
    let named = env::var_os("STRONGROOM_SQLCIPHER");
    if named.is_none() {
        println!(
            "skipped: STRONGROOM_SQLCIPHER is not set; run `cargo xtask setup`, then `cargo xtask test`"
        );
    }
    let mut commands: Vec<_> = named.into_iter().collect();
    if Command::new("sqlcipher").arg("-version").output().is_ok() {
        commands.push("sqlcipher".into());
    } else {
        println!("skipped: the command sqlcipher is not installed; install Debian's package sqlcipher");
    }
    commands
}

/// Runs SQL with `sqlcipher` and returns its output.
fn sqlcipher(command: &OsString, scratch: &Scratch, sql: &str) -> String {
    let mut child = Command::new(command)
        .args(["-batch", "-bail", "-noheader"])
        .arg(scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the newest format that the command and this package support. Debian 12 has SQLCipher 3.4, Debian 13 has 4.6.
fn compatibility(command: &OsString) -> u8 {
    let version = sqlcipher(command, &Scratch::new(), "PRAGMA cipher_version;\n");
    let major: u8 = version.trim().split('.').next().and_then(|major| major.parse().ok()).unwrap();
    major.min(4)
}

/// Returns a raw key and a passphrase, each as a `Key` and as an SQL literal.
fn keys(compatibility: u8) -> [(Key, String); 2] {
    let parameters = CipherParameters { compatibility: Some(compatibility), ..Default::default() };
    [
        (Key::raw(&[0x5a; 32]).unwrap(), format!("\"x'{}'\"", "5a".repeat(32))),
        (Key::passphrase("pässw'ord".as_bytes()).unwrap(), "'pässw''ord'".to_owned()),
    ]
    .map(|(key, sql)| (key.with_cipher(parameters).unwrap(), sql))
}

/// Returns every command with every kind of key.
fn cases() -> Vec<(OsString, Key, String)> {
    let with_keys =
        |command: OsString| keys(compatibility(&command)).map(|(key, in_sql)| (command.clone(), key, in_sql));
    commands().into_iter().flat_map(with_keys).collect()
}

#[test]
fn sqlcipher_reads_our_files() {
    for (command, key, in_sql) in cases() {
        let scratch = Scratch::new();
        let database = scratch.open_with(&key).unwrap();
        database.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
        rows(&database, "INSERT INTO t VALUES (?)", &[text(CONTENT)]).unwrap();
        database.close().unwrap();
        assert_read_by(&command, &scratch, &in_sql);
    }
}

fn assert_read_by(command: &OsString, scratch: &Scratch, key: &str) {
    let sql = format!("PRAGMA key = {key};\nPRAGMA integrity_check;\nSELECT a FROM t;\n");
    // Newer commands also print "ok" for the key.
    let answer = sqlcipher(command, scratch, &sql);
    let answer: Vec<_> = answer.lines().rev().take(2).collect();
    assert_eq!(answer, [CONTENT, "ok"]);
}

#[test]
fn sqlcipher_reads_a_file_after_a_rekey() {
    for (command, key, in_sql) in cases() {
        for journal in ["delete", "wal"] {
            let scratch = Scratch::new();
            let first = Key::raw(&[1; 32]).unwrap().with_cipher(*key.parameters()).unwrap();
            let database = scratch.open_with(&first).unwrap();
            rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
            database.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
            rows(&database, "INSERT INTO t VALUES (?)", &[text(CONTENT)]).unwrap();
            database.rekey("main", &key, &mut |_| true).unwrap();
            database.close().unwrap();
            assert_read_by(&command, &scratch, &in_sql);
        }
    }
}

#[test]
fn sqlcipher_reads_files_converted_from_plain_and_from_another_version() {
    for (command, key, in_sql) in cases() {
        for journal in ["delete", "wal"] {
            let (scratch, two) = (Scratch::new(), version(2));
            let database = scratch.open_plain();
            rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
            database.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
            rows(&database, "INSERT INTO t VALUES (?)", &[text(CONTENT)]).unwrap();
            database.close().unwrap();
            convert(&scratch.path(), None, Some(&key)).unwrap();
            assert_read_by(&command, &scratch, &in_sql);
            convert(&scratch.path(), Some(&key), Some(&two)).unwrap();
            convert(&scratch.path(), Some(&two), Some(&key)).unwrap();
            assert_read_by(&command, &scratch, &in_sql);
        }
    }
}

#[test]
fn we_read_the_files_of_sqlcipher() {
    for (command, key, in_sql) in cases() {
        let scratch = Scratch::new();
        let sql = format!(
            "PRAGMA key = {in_sql};\nCREATE TABLE t (a TEXT);\nINSERT INTO t VALUES ('{CONTENT}');\n"
        );
        sqlcipher(&command, &scratch, &sql);
        let database: Database = scratch.open_with(&key).unwrap();
        assert_eq!(value(&database, "SELECT a FROM t", &[]).unwrap(), text(CONTENT));
        assert_intact(&database);
    }
}
