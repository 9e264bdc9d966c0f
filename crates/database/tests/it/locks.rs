//! Tests that one connection does not release the locks of another connection.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use strongroom_database::{Database, Location, OpenOptions};
use strongroom_keys::Key;

use crate::scratch::{Scratch, key};

/// Passes the path of the database to the process that tries to write.
const DATABASE: &str = "STRONGROOM_TEST_LOCKS_DATABASE";

/// To distinguish a plain file from a wrong key, `Database::open` read the file's first bytes through a separate
/// handle. When a process closes any handle to a file, POSIX drops all locks of the process on that file. An attempt
/// with a wrong key during a transaction therefore let another process write at the same time.
#[test]
fn a_wrong_key_does_not_release_the_lock_of_an_open_transaction() {
    if let Some(path) = env::var_os(DATABASE) {
        let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
        let database = Database::open(Location::File(Path::new(&path)), &key(), &options).unwrap();
        let begun = database.execute_batch("BEGIN IMMEDIATE");
        println!("another process: {}", begun.err().map_or("it writes", |error| error.code()));
        return;
    }
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    assert_locked(&scratch.path());
    let wrong = Key::raw(&[1; 32]).unwrap();
    assert_eq!(scratch.open_with(&wrong).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    assert_locked(&scratch.path());
    database.execute_batch("COMMIT").unwrap();
}

fn assert_locked(path: &Path) {
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "locks::a_wrong_key_does_not_release_the_lock_of_an_open_transaction",
            "--nocapture",
        ])
        .env(DATABASE, path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("another process: SQLITE_BUSY"), "{said}");
}
