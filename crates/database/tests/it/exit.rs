//! Tests the exit of a process while a thread of its own runs a query.
//!
//! On Windows, the system ends the threads before the exit.
#![cfg(unix)]

use std::env;
use std::process::{self, Command};
use std::sync::mpsc;
use std::thread;

use strongroom_database::DetachedWork;

use crate::scratch::{Scratch, rows};

/// Selects the part that the other process plays.
const PART: &str = "STRONGROOM_TEST_EXIT_PART";
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Runs a test in another process, and returns its exit status and its output.
fn another_process(test: &str, part: &str) -> (Option<i32>, String) {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(["--exact", test, "--nocapture"]).env(PART, part);
    let output = process.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_exit_interrupts_a_query_and_waits_for_its_thread() {
    if env::var_os(PART).is_some() {
        return exit_during_a_query();
    }
    let test = "exit::the_exit_interrupts_a_query_and_waits_for_its_thread";
    let (status, output) = another_process(test, "query");
    assert_eq!(status, Some(7), "{output}");
    let said: Vec<&str> = output.lines().filter(|line| line.starts_with("exit: ")).collect();
    assert_eq!(said, ["exit: stop", "exit: SQLITE_INTERRUPT"], "{output}");
}

fn exit_during_a_query() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let scratch = Scratch::new();
        let database = scratch.open();
        database.execute_batch("CREATE TABLE t (a)").unwrap();
        let interrupter = database.interrupter();
        let stop = {
            let interrupter = interrupter.clone();
            move || {
                println!("exit: stop");
                interrupter.interrupt();
                panic!("a panic of the function is ignored");
            }
        };
        let work = DetachedWork::begin_with(stop).unwrap();
        // The stop of work that has ended is not called.
        drop(DetachedWork::begin_with(|| println!("exit: ended before")).unwrap());
        sender.send(()).unwrap();
        let ended = rows(&database, ENDLESS, &[]).unwrap_err();
        drop(database);
        println!("exit: {}", ended.code());
        drop(work);
    });
    receiver.recv().unwrap();
    process::exit(7);
}

#[test]
fn work_cannot_begin_during_the_exit() {
    if env::var_os(PART).is_some() {
        let stop = || {
            let begun = DetachedWork::begin_with(|| ()).is_some() || DetachedWork::begin().is_some();
            println!("exit: begun {begun}");
        };
        let work = DetachedWork::begin_with(stop).unwrap();
        assert!(!work.must_end());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            sender.send(()).unwrap();
            while !work.must_end() {
                thread::yield_now();
            }
            drop(work);
        });
        receiver.recv().unwrap();
        process::exit(7);
    }
    let (status, output) = another_process("exit::work_cannot_begin_during_the_exit", "begin");
    assert_eq!(status, Some(7), "{output}");
    assert!(output.contains("exit: begun false"), "{output}");
}
