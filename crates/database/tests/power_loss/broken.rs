//! Breaks a promise on purpose, and expects the harness to find it.
//!
//! A broken program is a record without some of its syncs: the files are the same, but a loss of power finds them in other
//! states. `synchronous = OFF` and a disk that swallows syncs need no change of the record.

use crate::access::FileFormat;
use crate::campaign::{Point, Record, lose_power, record, spread};
use crate::counts::Counts;
use crate::random::Random;
use crate::recorder::Op;
use crate::setup::{DELETE_EXTRA, DELETE_FULL, MODES, OFF, Setup, WAL_FULL, WAL_NORMAL};

/// Returns the number of broken promises of a program, which `change` makes out of a correct one, among `points`.
fn broken(setup: &Setup, points: usize, change: impl FnOnce(&mut Record)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut record = record(setup, &root).unwrap();
    let before = record.ops.len();
    let correct = spread(&record, points, &mut Random::new(1));
    let found = lose_power(&record, setup, &root, &correct, &mut Counts::default());
    assert!(found.is_empty(), "the unchanged program: {found:?}");
    change(&mut record);
    let points = spread(&record, points, &mut Random::new(1));
    let broken = lose_power(&record, setup, &root, &points, &mut Counts::default());
    println!(
        "{setup}, {} of {before} operations removed: {} of {} points broken",
        before - record.ops.len(),
        broken.len(),
        points.len()
    );
    broken
}

fn setup(format: FileFormat, mode: crate::setup::Mode) -> Setup {
    Setup { format, mode, files: 1, page_size: 1024, auto_vacuum: false, safe_overwrite: true, seed: 3 }
}

/// Removes the operations for which `is_removed`, and leaves the rest.
fn without(record: &mut Record, mut is_removed: impl FnMut(&Op) -> bool) {
    record.ops.retain(|op| !is_removed(op));
}

#[test]
fn synchronous_off_is_found() {
    for mode in OFF {
        let setup = setup(FileFormat::Strongroom, mode);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let record = record(&setup, &root).unwrap();
        let points = spread(&record, 60, &mut Random::new(1));
        let found = lose_power(&record, &setup, &root, &points, &mut Counts::default());
        println!("{setup}: {} of {} points broken", found.len(), points.len());
        assert!(found.len() > 5, "{mode}: {found:?}");
    }
}

#[test]
fn a_disk_that_swallows_syncs_is_found() {
    for mode in MODES {
        let found = broken(&setup(FileFormat::Plain, mode), 60, |record| {
            without(record, |op| matches!(op, Op::Sync { .. } | Op::SyncFolder { .. }));
        });
        assert!(found.len() > 5, "{mode}: {found:?}");
    }
}

#[test]
fn folders_that_are_not_synced_are_found() {
    let found = broken(&setup(FileFormat::Plain, DELETE_EXTRA), 150, |record| {
        without(record, |op| matches!(op, Op::SyncFolder { .. }));
    });
    assert!(!found.is_empty());
}

/// Removes the sync of the copy before its rename.
#[test]
fn a_conversion_that_renames_an_unsynced_copy_is_found() {
    let found = broken(&setup(FileFormat::SqlCipher, WAL_FULL), 150, |record| {
        let rename = |op: &Op| matches!(op, Op::Rename { to, .. } if to.as_os_str() == "test.db");
        let place = record.ops.iter().position(rename).expect("the workload converts the file");
        let Op::Rename { from, .. } = record.ops[place].clone() else { unreachable!() };
        let created = record.ops[..place].iter().rev().find_map(|op| match op {
            Op::Create { name, inode } if *name == from => Some(*inode),
            _ => None,
        });
        let copy = created.expect("the conversion creates the copy");
        let mut number = 0;
        without(record, |op| {
            number += 1;
            number <= place && matches!(op, Op::Sync { inode } if *inode == copy)
        });
    });
    assert!(found.iter().any(|message| message.contains("test.db")), "{found:?}");
}

/// A header whose two copies are both written before the first of them is synced.
#[test]
fn a_header_with_both_copies_unsynced_is_found() {
    const COPY: u64 = 4096;
    let is_copy = |op: &Op| match op {
        Op::Write { inode, offset, bytes } if *offset <= COPY && bytes.len() as u64 == COPY => {
            Some((*inode, *offset))
        }
        _ => None,
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let setup = Setup { page_size: 4096, ..setup(FileFormat::Strongroom, WAL_NORMAL) };
    let mut record = record(&setup, &root).unwrap();
    // The sync between the writes of the two copies.
    let place = (1..record.ops.len() - 1)
        .find(|&place| {
            let around = [&record.ops[place - 1], &record.ops[place + 1]].map(is_copy);
            matches!(around, [Some((first, a)), Some((second, b))] if first == second && a != b)
                && matches!(record.ops[place], Op::Sync { .. })
        })
        .expect("the workload changes the key");
    let correct: Vec<_> = (0..300).map(|variant| Point { op: place + 2, variant }).collect();
    let found = lose_power(&record, &setup, &root, &correct, &mut Counts::default());
    assert!(found.is_empty(), "the correct update: {found:?}");
    record.ops.remove(place);
    let points: Vec<_> = (0..300).map(|variant| Point { op: place + 1, variant }).collect();
    let found = lose_power(&record, &setup, &root, &points, &mut Counts::default());
    println!("{} of {} points broken", found.len(), points.len());
    assert!(found.len() > 2, "{found:?}");
}

/// Removes the sync of the folder before SQLite shortens a file, which the engine's layer below SQLite adds.
#[test]
fn a_file_that_is_shortened_before_its_journal_is_gone_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut found = Vec::new();
    for seed in 1..10 {
        let setup = Setup { seed, page_size: 4096, ..setup(FileFormat::Plain, DELETE_FULL) };
        let mut record = record(&setup, &root).unwrap();
        let is_sync = |ops: &[Op]| matches!(ops, [Op::SyncFolder { .. }, Op::Truncate { .. }]);
        let Some(place) = record.ops.windows(2).position(is_sync) else { continue };
        let points: Vec<_> = (0..200).map(|variant| Point { op: place + 2, variant }).collect();
        let correct = lose_power(&record, &setup, &root, &points, &mut Counts::default());
        assert!(correct.is_empty(), "the engine: {correct:?}");
        record.ops.remove(place);
        let points: Vec<_> = (0..200).map(|variant| Point { op: place + 1, variant }).collect();
        found.extend(lose_power(&record, &setup, &root, &points, &mut Counts::default()));
        if !found.is_empty() {
            println!("{setup}: {} of {} points broken", found.len(), points.len());
            return;
        }
    }
    panic!("nothing was found");
}
