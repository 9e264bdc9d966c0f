//! Calls that fail: a full disk, an I/O error, a sync whose bytes are lost.
//!
//! The engine returns an error or succeeds. After an error, the connection goes on if it can read and write, and otherwise a
//! new connection opens the files. No acknowledged transaction is missing, and a loss of power afterwards loses none.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::access::{FORMATS, FileFormat};
use crate::campaign::{Point, Record, lose_power};
use crate::content;
use crate::counts::Counts;
use crate::crashes::number;
use crate::disk::Image;
use crate::interpose::recorded;
use crate::overwrite::set_safe_overwrite;
use crate::promise::Durability;
use crate::random::Random;
use crate::recorder::{Call, Fault, Recorder};
use crate::setup::{DELETE_EXTRA, MODES, Setup, WAL_FULL};
use crate::verify::restore;
use crate::workload::{File, Workload};

/// The number of faults of each test.
const FAULTS: usize = 32;
/// The number of losses of power after each fault.
const POINTS_AFTER: usize = 4;
/// The number of calls of one kind that fail in turn.
const CALLS: usize = 300;

impl Workload<'_> {
    /// After an error, heals the disk and continues with the connection, or with a new one.
    pub(crate) fn go_on_after(&mut self, result: Result<(), String>) -> Result<(), String> {
        let Err(error) = result else { return Ok(()) };
        let failed = |message: String| format!("after the error \"{error}\": {message}");
        {
            let mut recorder = self.recorder.borrow_mut();
            if recorder.failed == 0 {
                return Err(failed("no call failed".to_owned()));
            }
            recorder.fault = None;
        }
        self.operation = "after a fault";
        // A conversion that fails removes the second name of the original, unless the system does not allow that.
        self.copies.retain(|copy| copy.name.as_os_str() == "backup.db" || !copy.optional);
        let works = self.database.as_ref().is_some_and(|database| {
            if database.in_transaction() {
                let _ = database.execute_batch("ROLLBACK");
            }
            // SQLite opens a file for reading if the system fails to open it for writing, and keeps a lock that the system
            // fails to release until the connection is closed.
            !database.is_read_only()
                && self.files.iter().all(|file| content::read(database, file.schema).is_ok())
                && database.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok()
        });
        // A key that was changed with an error may be the old one or the new one.
        if !works || self.files.iter().any(|file| file.keys.len() > 1) {
            if let Some(database) = self.database.take() {
                let _ = database.close();
            }
            self.find_accesses().map_err(failed)?;
            self.open().map_err(failed)?;
        }
        for place in 0..self.files.len() {
            self.accept_state(place).map_err(failed)?;
        }
        self.set_mode().map_err(failed)?;
        self.expect();
        Ok(())
    }

    /// Finds out what opens each file now.
    fn find_accesses(&mut self) -> Result<(), String> {
        for place in 0..self.files.len() {
            let path = self.path(place);
            let opens = |access: &crate::access::Access| {
                let database = access.open(&path, Some(self.setup.page_size)).ok()?;
                content::read(&database, "main").ok().map(|_| *access)
            };
            let mut known: Vec<_> = self.files[place].keys.concat();
            known.dedup();
            let found: Vec<_> = known.iter().filter_map(opens).collect();
            let file = &mut self.files[place];
            let is_found = |keys: &&Vec<_>| {
                keys.iter().all(|key| found.contains(key)) && found.iter().all(|key| keys.contains(key))
            };
            let Some(slots) = file.keys.iter().find(is_found) else {
                return Err(format!("{found:?} open {}, instead of one of {:?}", path.display(), file.keys));
            };
            file.slots.clone_from(slots);
            if !file.slots.contains(&file.access) {
                file.access = file.slots[0];
            }
        }
        Ok(())
    }

    /// Fails unless the file has the acknowledged state, or that of the transaction that failed.
    fn accept_state(&mut self, place: usize) -> Result<(), String> {
        let digest =
            content::read(self.database(), self.files[place].schema).map_err(|error| error.to_string())?;
        let File { ledger, attempted, content, name, .. } = &mut self.files[place];
        let attempted = attempted.take();
        if digest == ledger.current().digest {
            if let Some((state, _)) = attempted {
                // The transaction may be in the other file, which the ledgers of both files state.
                Rc::make_mut(&mut self.together).retain(|number| *number != state.commit);
            }
            return Ok(());
        }
        match attempted {
            Some((state, new)) if state.digest == digest => {
                *content = new;
                ledger.acknowledge(state, Durability::Prefix);
                Ok(())
            }
            _ => Err(format!("{} has lost transaction {}", name.display(), ledger.current().commit)),
        }
    }
}

/// The calls of a workload without faults.
fn calls(setup: &Setup, root: &Path) -> HashMap<Call, usize> {
    restore(root, &Image::new());
    let recorder = RefCell::new(Recorder::new(root, &[]));
    let mut workload = Workload::new(setup, root, &recorder);
    // `run` also compares the content after each operation, with calls that a workload with a fault does not make.
    recorded(&recorder, || workload.run_with_faults()).unwrap();
    drop(workload);
    recorder.into_inner().calls
}

fn draw(calls: &HashMap<Call, usize>, random: &mut Random) -> Fault {
    let mut kinds: Vec<_> = calls.iter().collect();
    kinds.sort();
    kinds.extend(
        kinds
            .clone()
            .into_iter()
            .filter(|(call, _)| matches!(call, Call::Write | Call::Sync))
            .cycle()
            .take(8),
    );
    let (call, count) = kinds[random.below(kinds.len())];
    let errno = match call {
        Call::Write | Call::Sync if random.chance(50) => libc::ENOSPC,
        Call::Lock if random.chance(50) => libc::ENOLCK,
        Call::Delete if random.chance(50) => libc::EPERM,
        _ => libc::EIO,
    };
    Fault {
        call: *call,
        after: random.below(*count),
        count: random.pick(&[1, 1, 3, 1000]),
        errno,
        lost: random.chance(50),
    }
}

fn every_fault_is_survived(format: FileFormat) {
    let faults: usize = number("STRONGROOM_TEST_POWER_FAULTS").unwrap_or(FAULTS);
    let first: u64 = number("STRONGROOM_TEST_POWER_SEED").unwrap_or(1);
    let only: Option<usize> = number("STRONGROOM_TEST_POWER_FAULT");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let setups: Vec<Setup> = MODES
        .into_iter()
        .flat_map(|mode| {
            [1, 2].map(|files| Setup { safe_overwrite: true, ..Setup::draw(format, mode, files, first) })
        })
        .collect();
    set_safe_overwrite(true);
    let all: Vec<_> = setups.iter().map(|setup| calls(setup, &root)).collect();
    let mut run = Run { shows: only.is_some(), ..Run::new(&root) };
    for number in (0..faults).filter(|number| only.is_none_or(|only| only == *number)) {
        let (setup, calls) = (&setups[number % setups.len()], &all[number % setups.len()]);
        let mut random = Random::new(first << 32 ^ number as u64);
        let fault = draw(calls, &mut random);
        run.survive(setup, fault, &format!("fault {number}"), &mut random);
    }
    run.end(&format!(
        "{faults} faults from seed {first}; to repeat a fault, set STRONGROOM_TEST_POWER_SEED={first}, \
         STRONGROOM_TEST_POWER_FAULTS={faults} and STRONGROOM_TEST_POWER_FAULT to its number"
    ));
}

/// Repeats a workload, and lets another call fail each time, once or to the end. `STRONGROOM_TEST_POWER_CALLS` limits the
/// failing calls of each kind, which are spread evenly: a workload reads thousands of pages.
fn calls_fail_in_turn(format: FileFormat) {
    let Some(first) = number::<u64>("STRONGROOM_TEST_POWER_EVERY_CALL") else {
        return println!("skipped: set STRONGROOM_TEST_POWER_EVERY_CALL to a seed");
    };
    let only: Option<usize> = number("STRONGROOM_TEST_POWER_FAULT");
    let most: usize = number("STRONGROOM_TEST_POWER_CALLS").unwrap_or(CALLS);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    set_safe_overwrite(true);
    let mut run = Run { shows: only.is_some(), ..Run::new(&root) };
    let mut numbers = 0..;
    for mode in [WAL_FULL, DELETE_EXTRA] {
        let setup = Setup { safe_overwrite: true, ..Setup::draw(format, mode, 1, first) };
        let mut calls: Vec<_> = calls(&setup, &root).into_iter().collect();
        calls.sort();
        println!("{setup}: {calls:?}");
        for (call, count) in calls {
            let step = count.div_ceil(most);
            for (after, number) in (first as usize % step..count).step_by(step).zip(&mut numbers) {
                if only.is_some_and(|only| only != number) {
                    continue;
                }
                // A full disk stays full; another error goes away.
                let (errno, count) = match number % 2 {
                    0 if matches!(call, Call::Write | Call::Sync) => (libc::ENOSPC, 1000),
                    _ => (libc::EIO, 1),
                };
                let fault = Fault { call, after, count, errno, lost: number % 4 < 2 };
                let mut random = Random::new(first << 32 ^ after as u64);
                run.survive(&setup, fault, &format!("fault {number}"), &mut random);
            }
        }
    }
    run.end(&format!(
        "calls in turn; to repeat a fault, set STRONGROOM_TEST_POWER_EVERY_CALL={first}, \
         STRONGROOM_TEST_POWER_CALLS={most} and STRONGROOM_TEST_POWER_FAULT to its number"
    ));
}

/// Workloads with faults, and what became of them.
struct Run<'r> {
    root: &'r Path,
    /// Whether the result of each fault is printed.
    shows: bool,
    faults: usize,
    counts: Counts,
    broken: Vec<String>,
    /// The number of faults that the workload met.
    met: HashMap<Call, usize>,
}

impl<'r> Run<'r> {
    fn new(root: &'r Path) -> Self {
        Self {
            root,
            shows: false,
            faults: 0,
            counts: Counts::default(),
            broken: Vec::new(),
            met: HashMap::new(),
        }
    }

    /// Runs the workload with a fault, and loses power after it.
    fn survive(&mut self, setup: &Setup, fault: Fault, name: &str, random: &mut Random) {
        self.faults += 1;
        restore(self.root, &Image::new());
        let mut recorder = Recorder::new(self.root, &[]);
        recorder.fault = Some(fault);
        let recorder = RefCell::new(recorder);
        let mut workload = Workload::new(setup, self.root, &recorder);
        let run = recorded(&recorder, || workload.run_with_faults());
        let expectations = std::mem::take(&mut workload.expectations);
        drop(workload);
        let recorder = recorder.into_inner();
        let name = format!("{name} ({fault:?}) of {setup}");
        if self.shows {
            println!("{name}: {run:?}, failed at {:?} of {}", recorder.failed_at, recorder.ops.len());
        }
        if let Err(error) = run {
            return self.broken.push(format!("{name}: {error}"));
        }
        *self.met.entry(fault.call).or_default() += usize::from(recorder.failed > 0);
        let failed_at = recorder.failed_at.unwrap_or(0);
        let record = Record { ops: recorder.ops, expectations };
        let later = record.ops.len() - failed_at;
        let mut points: Vec<_> = (0..POINTS_AFTER as u64)
            .map(|variant| {
                // Directly after the fault, soon after it, and at any time later.
                let within = [1, 60, later, later][variant as usize % 4].min(later);
                Point { op: failed_at + within.min(1) + random.below(within.max(1)), variant }
            })
            .collect();
        points.sort_by_key(|point| point.op);
        let lost = lose_power(&record, setup, self.root, &points, &mut self.counts);
        self.broken.extend(lost.into_iter().map(|error| format!("{name}: {error}")));
    }

    /// Prints the counts, and fails if a promise was broken.
    fn end(self, what: &str) {
        let Self { faults, counts, broken, met, .. } = self;
        let mut met: Vec<_> = met.into_iter().collect();
        met.sort();
        let all: usize = met.iter().map(|(_, count)| count).sum();
        println!(
            "{faults} faults, of which {all} were met: {met:?}\n{counts}, {} promises broken",
            broken.len()
        );
        assert!(broken.is_empty(), "{what}:\n{}", broken[..broken.len().min(20)].join("\n"));
        // The number of a call that fails comes from a workload without faults.
        assert!(all * 10 >= faults * 9, "only {all} of {faults} faults were met");
    }
}

#[test]
fn plain_files_survive_every_fault() {
    every_fault_is_survived(FORMATS[0]);
}

#[test]
fn sqlcipher_files_survive_every_fault() {
    every_fault_is_survived(FORMATS[1]);
}

#[test]
fn strongroom_files_survive_every_fault() {
    every_fault_is_survived(FORMATS[2]);
}

#[test]
fn plain_files_survive_a_failure_of_each_call() {
    calls_fail_in_turn(FORMATS[0]);
}

#[test]
fn sqlcipher_files_survive_a_failure_of_each_call() {
    calls_fail_in_turn(FORMATS[1]);
}

#[test]
fn strongroom_files_survive_a_failure_of_each_call() {
    calls_fail_in_turn(FORMATS[2]);
}
