//! The distribution's `sqlcipher` command reads what is written here, and the other way round.

use std::io::Write;
use std::process::{Command, Stdio};

use strongroom_database::Database;
use strongroom_keys::{CipherParameters, Key};

use crate::scratch::{Scratch, assert_intact, rows, text, value};

const CONTENT: &str = "ünï €𝄞";

/// What `sqlcipher` answers to some SQL, where it is installed.
fn sqlcipher(scratch: &Scratch, sql: &str) -> Option<String> {
    let started = Command::new("sqlcipher")
        .args(["-batch", "-bail", "-noheader"])
        .arg(scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        println!("skipped: the command sqlcipher is not installed (Debian's package has the same name)");
        return None;
    };
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The newest format that both know: Debian 12 has SQLCipher 3.4.
fn compatibility() -> Option<u8> {
    let version = sqlcipher(&Scratch::new(), "PRAGMA cipher_version;\n")?;
    let major: u8 = version.trim().split('.').next().and_then(|major| major.parse().ok()).unwrap();
    Some(major.min(4))
}

/// A raw key and a passphrase, each as we take it and as SQL does.
fn keys(compatibility: u8) -> [(Key, String); 2] {
    let parameters = CipherParameters { compatibility: Some(compatibility), ..Default::default() };
    [
        (Key::raw(&[0x5a; 32]).unwrap(), format!("\"x'{}'\"", "5a".repeat(32))),
        (Key::passphrase("pässw'ord".as_bytes()).unwrap(), "'pässw''ord'".to_owned()),
    ]
    .map(|(key, sql)| (key.with_cipher(parameters).unwrap(), sql))
}

#[test]
fn it_reads_what_is_written_here() {
    let Some(compatibility) = compatibility() else { return };
    for (key, in_sql) in keys(compatibility) {
        let scratch = Scratch::new();
        let database = scratch.open_with(&key).unwrap();
        database.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
        rows(&database, "INSERT INTO t VALUES (?)", &[text(CONTENT)]).unwrap();
        database.close().unwrap();
        let sql = format!("PRAGMA key = {in_sql};\nPRAGMA integrity_check;\nSELECT a FROM t;\n");
        // newer commands answer "ok" to the key as well
        let answer = sqlcipher(&scratch, &sql).unwrap();
        let answer: Vec<_> = answer.lines().rev().take(2).collect();
        assert_eq!(answer, [CONTENT, "ok"]);
    }
}

#[test]
fn what_it_writes_is_read_here() {
    let Some(compatibility) = compatibility() else { return };
    for (key, in_sql) in keys(compatibility) {
        let scratch = Scratch::new();
        let sql = format!(
            "PRAGMA key = {in_sql};\nCREATE TABLE t (a TEXT);\nINSERT INTO t VALUES ('{CONTENT}');\n"
        );
        sqlcipher(&scratch, &sql).unwrap();
        let database: Database = scratch.open_with(&key).unwrap();
        assert_eq!(value(&database, "SELECT a FROM t", &[]).unwrap(), text(CONTENT));
        assert_intact(&database);
    }
}
