//! Opens the files of a disk that has lost power, and compares them with the promise.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_database::{BackupError, BackupKey, Database};

use crate::access::Access;
use crate::content;
use crate::disk::Image;
use crate::promise::{Expectation, Expected};
use crate::random::Random;

/// What survived of a file: its last transaction, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Survivor {
    pub(crate) commit: usize,
    pub(crate) keys: Vec<Access>,
}

/// What survived of each expected file: `None` for a missing file.
pub(crate) type Survivors = Vec<Option<Survivor>>;

/// Replaces the folder's files by those of a disk.
pub(crate) fn restore(root: &Path, image: &Image) {
    for entry in fs::read_dir(root).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in image {
        fs::write(root.join(name), bytes).unwrap();
    }
}

/// Opens the files and checks them. The first open of a file recovers it.
pub(crate) fn verify(
    root: &Path,
    expectation: &Expectation,
    page_size: u32,
    random: &mut Random,
) -> Result<Survivors, String> {
    let order = Order {
        reversed: random.chance(50),
        page_size: random.chance(70).then_some(page_size),
        goes_on: random.chance(8),
    };
    let mut places: Vec<usize> = (0..expectation.files.len()).collect();
    if order.reversed {
        places.reverse();
    }
    let mut survivors = vec![None; places.len()];
    for place in places {
        let expected = &expectation.files[place];
        let survivor = verify_file(root, expected, order);
        survivors[place] = survivor.map_err(|error| format!("{}: {error}", expected.name.display()))?;
    }
    if let [Some(first), Some(second), ..] = survivors.as_slice() {
        for together in expectation.together.iter() {
            let [first, second] = [first.commit, second.commit];
            if (first >= *together) != (second >= *together) {
                return Err(format!(
                    "transaction {together} is in one file only: the files end with {first} and {second}"
                ));
            }
        }
    }
    Ok(survivors)
}

/// How the files are opened.
#[derive(Clone, Copy)]
struct Order {
    /// Whether the last file and the last key come first.
    reversed: bool,
    /// The page size, if the connections know it.
    page_size: Option<u32>,
    /// Whether the connections also write.
    goes_on: bool,
}

fn verify_file(root: &Path, expected: &Expected, order: Order) -> Result<Option<Survivor>, String> {
    let path = root.join(&expected.name);
    if expected.optional && !path.exists() {
        return Ok(None);
    }
    let mut known: Vec<Access> = Vec::new();
    for access in expected.keys.iter().flatten().chain(&expected.refused) {
        if !known.contains(access) {
            known.push(*access);
        }
    }
    // Half of the time, the first connection has an old key or another one of the possible keys.
    if order.reversed {
        known.reverse();
    }
    let (mut failures, mut opened) = (Vec::new(), Vec::new());
    let mut commit = None;
    for (tried, access) in known.into_iter().enumerate() {
        let can_be_right = expected.keys.iter().flatten().any(|right| *right == access);
        // An empty file would become a new database with an old key.
        if !can_be_right && fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            continue;
        }
        let database = match open(access, &path, order.page_size) {
            Ok(_) if !can_be_right => return Err(format!("the old key {access:?} opens the file")),
            Ok(database) => database,
            Err(error) => {
                failures.push(format!("{access:?}: {error}"));
                continue;
            }
        };
        if commit.is_none() {
            if tried > 0 || expected.again {
                repair(&database).map_err(|error| format!("repair: {error}"))?;
            }
            if order.goes_on {
                let used = go_on(&database, &root.join("probe.db"));
                used.map_err(|error| format!("after a recovery: {error}"))?;
            }
            commit = Some(survivor(&database, expected)?);
        }
        database.close().map_err(|error| format!("close: {error}"))?;
        opened.push(access);
        // An empty file has no key.
        if commit == Some(0) {
            break;
        }
    }
    let is_all =
        |keys: &&Vec<Access>| keys.len() == opened.len() && keys.iter().all(|access| opened.contains(access));
    match (commit, expected.keys.iter().find(is_all)) {
        (Some(0), _) => Ok(Some(Survivor { commit: 0, keys: opened })),
        (Some(commit), Some(keys)) => Ok(Some(Survivor { commit, keys: keys.clone() })),
        (None, _) if is_unborn(&path, expected) => Ok(None),
        _ => Err(format!(
            "{opened:?} open the file, instead of one of {:?}: {}",
            expected.keys,
            failures.join("; ")
        )),
    }
}

fn open(access: Access, path: &Path, page_size: Option<u32>) -> Result<Database, String> {
    let database = access.open(path, page_size).map_err(|error| error.to_string())?;
    // A plain connection has read nothing yet.
    database
        .execute_batch("PRAGMA cache_size = 50; SELECT count(*) FROM sqlite_schema")
        .map_err(|error| format!("{error} (the database was opened)"))?;
    Ok(database)
}

/// Repairs unused pages if the check reports any.
///
/// The first connection with the right key repairs unused pages that a loss of power has torn. After a connection with a
/// wrong key, or after another loss of power, the journal that shows the loss is gone, and VACUUM repairs the pages.
fn repair(database: &Database) -> Result<(), String> {
    let report = database.check("main", &mut |_| true).map_err(|error| error.to_string())?;
    if report.problems.iter().any(|problem| problem.message.contains("(an unused page")) {
        database.execute_batch("VACUUM").map_err(|error| format!("VACUUM: {error}"))?;
    }
    Ok(())
}

/// Uses a recovered database: VACUUM and a backup read and write every page.
fn go_on(database: &Database, probe: &Path) -> Result<(), String> {
    database.execute_batch("VACUUM").map_err(|error| format!("VACUUM: {error}"))?;
    let failed = |error: BackupError| format!("backup: {error}");
    let mut backup = database.backup("main", probe, BackupKey::Source).map_err(failed)?;
    while !backup.step(100).map_err(failed)?.copied {}
    backup.finish().and_then(|copied| copied.install(|_| ControlFlow::Continue(()))).map_err(failed)?;
    fs::remove_file(probe).map_err(|error| error.to_string())
}

/// Checks an open database, and returns its last transaction.
fn survivor(database: &Database, expected: &Expected) -> Result<usize, String> {
    let found = content::read(database, "main").map_err(|error| format!("the content: {error}"))?;
    let report = database.check("main", &mut |_| true).map_err(|error| format!("check: {error}"))?;
    let problems: Vec<_> =
        report.problems.iter().filter(|problem| !is_harmless(&problem.message, expected)).collect();
    if !problems.is_empty() {
        return Err(format!("check: {problems:?}"));
    }
    let state = expected.states.iter().find(|state| state.digest == found);
    let commits = || expected.states.iter().map(|state| state.commit).collect::<Vec<_>>();
    state.map(|state| state.commit).ok_or_else(|| {
        let last = last(database).map_or_else(|| "none".to_owned(), |number| number.to_string());
        format!("the content is not that of the transactions {:?}; the last one in it is {last}", commits())
    })
}

/// Returns whether the check may report a problem after a loss of power.
///
/// While a file is created or its keys change, one of the two copies of a Strongroom file's header may be torn. The other one
/// opens the file.
fn is_harmless(message: &str, expected: &Expected) -> bool {
    let is_created = expected.again && expected.states.iter().any(|state| state.commit == 0);
    (expected.changes_key || expected.is_new || is_created)
        && message.starts_with("one of the two copies of the header is damaged")
}

/// Returns whether a file is the remainder of an interrupted creation, of which the disk has made garbage: nothing was
/// committed, and no page follows the header. A recovery creates a file that was lost.
fn is_unborn(path: &Path, expected: &Expected) -> bool {
    const HEADER: u64 = 8192;
    (expected.is_new || expected.again)
        && expected.states.iter().any(|state| state.commit == 0)
        && fs::metadata(path).is_ok_and(|file| file.len() <= HEADER)
}

/// Returns the number of the last transaction in the file, for a message.
fn last(database: &Database) -> Option<i64> {
    let mut select = database.prepare("SELECT number FROM last").ok()?;
    match select.step().ok()??.value(0) {
        strongroom_database::Value::Integer(number) => Some(number),
        _ => None,
    }
}
