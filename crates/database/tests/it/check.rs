//! Tests the check of a database: the report contains every kind of damage, and the caller's connection stays usable.

use std::fs;
use std::path::{Path, PathBuf};

use strongroom_database::{CheckError, CheckProblem, CheckProblemKind, CheckProgress, CheckReport, Database};
use strongroom_keys::CipherParameters;

use crate::scratch::{Scratch, integer, key, rows};

pub(crate) const PAGE: usize = 4_096;

pub(crate) const CONTENT: &str = "
    CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);
    CREATE INDEX i ON t (b);
    CREATE TABLE blob (x BLOB);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO t SELECT i * 10, printf('%0100d', i) FROM n;
    INSERT INTO blob VALUES (zeroblob(40000)), (x'01');";

pub(crate) fn check(database: &Database) -> CheckReport {
    database.check("main", &mut |_| true).unwrap()
}

pub(crate) fn assert_sound(database: &Database) {
    assert_eq!(check(database).problems, []);
}

/// Changes one byte of a file, which may be open.
pub(crate) fn damage(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 1;
    fs::write(path, bytes).unwrap();
}

pub(crate) fn damage_page(path: &Path, page: usize) {
    damage(path, (page - 1) * PAGE + 1_000);
}

pub(crate) fn pages(report: &CheckReport) -> Vec<u32> {
    let problems = report.problems.iter().filter(|problem| problem.kind == CheckProblemKind::Page);
    problems.filter_map(|problem| problem.page).collect()
}

pub(crate) fn of_kind(report: &CheckReport, kind: CheckProblemKind) -> Vec<&CheckProblem> {
    report.problems.iter().filter(|problem| problem.kind == kind).collect()
}

/// Returns the root page of a table or an index.
pub(crate) fn root(database: &Database, name: &str) -> usize {
    integer(database, &format!("SELECT rootpage FROM sqlite_schema WHERE name = '{name}'")) as usize
}

pub(crate) fn filled() -> (Scratch, Database) {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(CONTENT).unwrap();
    (scratch, database)
}

fn log_of(scratch: &Scratch) -> PathBuf {
    scratch.folder().join("test.db-wal")
}

#[test]
fn a_sound_database_has_no_problems() {
    let with = |parameters: CipherParameters| key().with_cipher(parameters).unwrap();
    let cases = [
        ("version 4", Some(key()), true),
        ("version 3", Some(with(CipherParameters { compatibility: Some(3), ..Default::default() })), true),
        ("version 2", Some(with(CipherParameters { compatibility: Some(2), ..Default::default() })), true),
        ("version 1", Some(with(CipherParameters { compatibility: Some(1), ..Default::default() })), false),
        ("no HMAC", Some(with(CipherParameters { use_hmac: Some(false), ..Default::default() })), false),
        ("large pages", Some(with(CipherParameters { page_size: Some(65_536), ..Default::default() })), true),
        (
            "header",
            Some(with(CipherParameters {
                plaintext_header_size: Some(32),
                salt: Some([1; 16]),
                ..Default::default()
            })),
            true,
        ),
        ("plain", None, false),
    ];
    for (name, key, authenticated) in &cases {
        for journal in ["delete", "wal"] {
            let scratch = Scratch::new();
            let database = match key {
                Some(key) => scratch.open_with(key).unwrap(),
                None => scratch.open_plain(),
            };
            assert_eq!(check(&database).pages, 0, "{name}: a file without pages");
            rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
            database.execute_batch(CONTENT).unwrap();
            database
                .execute_batch(
                    "CREATE VIRTUAL TABLE f USING fts5 (a); INSERT INTO f VALUES ('some words');
                     CREATE VIRTUAL TABLE r USING rtree (id, x0, x1); INSERT INTO r VALUES (1, 2, 3);
                     CREATE TABLE w (a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES ('a');
                     DELETE FROM t WHERE a > 3000",
                )
                .unwrap();
            let report = check(&database);
            assert_eq!(report.problems, [], "{name}, {journal}");
            assert!(report.is_ok());
            assert_eq!(report.pages as i64, integer(&database, "PRAGMA page_count"), "{name}, {journal}");
            assert_eq!(report.authenticated, *authenticated, "{name}, {journal}");
        }
    }
}

#[test]
fn a_damaged_page_is_named_with_its_table() {
    let (scratch, database) = filled();
    database.close().unwrap();
    let good = fs::read(scratch.path()).unwrap();
    let database = scratch.open();
    let (t, i) = (root(&database, "t"), root(&database, "i"));
    drop(database);
    for (page, table, index) in [(t, "t", false), (i, "t", true), (good.len() / PAGE, "blob", false)] {
        fs::write(scratch.path(), &good).unwrap();
        damage_page(&scratch.path(), page);
        let database = scratch.open();
        let report = check(&database);
        assert_eq!(pages(&report), [page as u32], "{report:?}");
        let problem = &report.problems[0];
        assert_eq!(problem.table.as_deref(), Some(table), "{problem:?}");
        assert_eq!(problem.message.contains("index \"i\""), index, "{problem:?}");
        assert!(report.authenticated && !report.is_ok());
        assert_eq!(report.problems.len(), 1, "{report:?}");
    }
}

#[test]
fn every_page_is_checked() {
    let (scratch, database) = filled();
    database.execute_batch("DELETE FROM blob WHERE length(x) > 10; CREATE TABLE small (a)").unwrap();
    database.close().unwrap();
    let good = fs::read(scratch.path()).unwrap();
    let mut unused = 0;
    for page in 2..=good.len() / PAGE {
        fs::write(scratch.path(), &good).unwrap();
        damage_page(&scratch.path(), page);
        let report = check(&scratch.open());
        assert_eq!(pages(&report), [page as u32], "{report:?}");
        let problem = &report.problems[0];
        // The report names the table of each page, or says that the page is unused.
        assert!(problem.table.is_some() || problem.message.contains("unused page"), "{problem:?}");
        unused += usize::from(problem.table.is_none());
    }
    assert!(unused >= 8, "the pages of the deleted blob are unused: {unused}");
}

#[test]
fn the_check_reads_the_first_page_from_the_file_although_the_connection_caches_it() {
    let (scratch, database) = filled();
    assert_sound(&database);
    damage_page(&scratch.path(), 1);
    let report = check(&database);
    assert_eq!(pages(&report), [1]);
    let structure = of_kind(&report, CheckProblemKind::Structure);
    assert!(structure[0].message.contains("neither the structure"), "{structure:?}");
}

#[test]
fn the_check_finds_many_damaged_pages_and_still_checks_the_other_tables() {
    let (scratch, database) = filled();
    let (t, i) = (root(&database, "t"), root(&database, "i"));
    database.execute_batch(
        "PRAGMA foreign_keys = OFF; CREATE TABLE child (a REFERENCES parent (a)); CREATE TABLE parent (a PRIMARY KEY);
         INSERT INTO child VALUES (7)",
    )
    .unwrap();
    for page in [t, i, 9, 12, 20] {
        damage_page(&scratch.path(), page);
    }
    let report = check(&database);
    let mut expected = [t, i, 9, 12, 20].map(|page| page as u32);
    expected.sort_unstable();
    assert_eq!(pages(&report), expected);
    assert_eq!(of_kind(&report, CheckProblemKind::Structure), [] as [&CheckProblem; 0], "{report:?}");
    let foreign = of_kind(&report, CheckProblemKind::ForeignKey);
    assert_eq!((foreign[0].table.as_deref(), foreign[0].rowid), (Some("child"), Some(1)));
    assert_eq!(foreign.len(), 1);
}

#[test]
fn the_connection_of_the_caller_stays_usable() {
    let (scratch, database) = filled();
    database.execute_batch("CREATE TABLE small (a); INSERT INTO small VALUES (5)").unwrap();
    database.close().unwrap();
    let database = scratch.open();
    damage_page(&scratch.path(), root(&database, "t"));
    for _ in 0..2 {
        assert!(!check(&database).is_ok());
        assert_eq!(integer(&database, "SELECT a FROM small"), 5);
        database.execute_batch("UPDATE small SET a = 5").unwrap();
    }
}

#[test]
fn the_pages_are_checked_even_if_the_schema_is_damaged() {
    let scratch = Scratch::new();
    let database = scratch.open();
    for number in 0..200 {
        database.execute_batch(&format!("CREATE TABLE table_{number} (a, b, c)")).unwrap();
    }
    database.close().unwrap();
    let database = scratch.open();
    let pages_before = check(&database).pages;
    // The schema has several pages. The test damages a page of the schema and a page of a table while the database is
    // open.
    let table = root(&database, "table_7");
    let schema_pages: Vec<usize> = (2..=pages_before as usize)
        .filter(|&page| {
            integer(&database, &format!("SELECT count(*) FROM sqlite_schema WHERE rootpage = {page}")) == 0
        })
        .collect();
    assert!(!schema_pages.is_empty());
    damage_page(&scratch.path(), table);
    damage_page(&scratch.path(), schema_pages[0]);
    let report = check(&database);
    let mut expected = [table as u32, schema_pages[0] as u32];
    expected.sort_unstable();
    assert_eq!(pages(&report), expected);
    assert_eq!(report.pages, pages_before);
}

#[test]
fn the_check_includes_the_pages_in_the_log() {
    let (scratch, database) = filled();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    rows(&database, "PRAGMA wal_autocheckpoint = 0", &[]).unwrap();
    database
        .execute_batch(
            "UPDATE t SET b = 'new' || b; CREATE TABLE late (a); INSERT INTO late VALUES (zeroblob(20000))",
        )
        .unwrap();
    assert_sound(&database);
    // A frame starts with a header of 24 bytes, whose first field is the page number. The log's header has 32 bytes.
    let log = fs::read(log_of(&scratch)).unwrap();
    let frame = |index: usize| 32 + index * (24 + PAGE);
    let number = |index: usize| u32::from_be_bytes(log[frame(index)..frame(index) + 4].try_into().unwrap());
    let frames = (log.len() - 32) / (24 + PAGE);
    // Damages the last versions of two pages. One of the pages is only in the log.
    let in_file = fs::metadata(scratch.path()).unwrap().len() / PAGE as u64;
    let last = (0..frames).rev().find(|&index| u64::from(number(index)) > in_file).unwrap();
    let other = (0..frames).rev().find(|&index| {
        number(index) != 1
            && number(index) != number(last)
            && u64::from(number(index)) <= in_file
            && (index + 1..frames).all(|later| number(later) != number(index))
    });
    let other = other.unwrap();
    for index in [last, other] {
        damage(&log_of(&scratch), frame(index) + 24 + 500);
    }
    let report = check(&database);
    let mut expected = [number(last), number(other)];
    expected.sort_unstable();
    assert_eq!(pages(&report), expected, "{report:?}");
    assert!(report.problems.iter().all(|problem| problem.table.is_some()), "{report:?}");
}

#[test]
fn an_old_page_in_the_file_does_not_matter_if_the_log_has_a_newer_one() {
    let (scratch, database) = filled();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    let t = root(&database, "t");
    database.execute_batch("UPDATE t SET b = 'new' || b").unwrap();
    damage_page(&scratch.path(), t);
    assert_sound(&database);
    rows(&database, "PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    assert_sound(&database);
    damage_page(&scratch.path(), t);
    assert_eq!(pages(&check(&database)), [t as u32]);
}

#[test]
fn the_check_of_a_truncated_file_reports_the_missing_pages() {
    let (scratch, database) = filled();
    assert_sound(&database);
    let good = fs::read(scratch.path()).unwrap();
    let whole = good.len() / PAGE;
    fs::write(scratch.path(), &good[..good.len() - 2 * PAGE]).unwrap();
    let report = check(&database);
    assert_eq!(report.pages as usize, whole);
    let problem = &report.problems[0];
    assert_eq!((problem.kind, problem.page), (CheckProblemKind::Page, Some(whole as u32 - 1)));
    assert!(problem.message.contains(&format!(
        "cut off at {} of {} bytes",
        good.len() - 2 * PAGE,
        good.len()
    )));
    assert!(report.problems[1].table.as_deref() == Some("blob"), "{report:?}");
    // The file ends in the middle of the last page.
    fs::write(scratch.path(), &good[..good.len() - 100]).unwrap();
    let report = check(&database);
    assert_eq!(report.problems[0].page, Some(whole as u32), "{report:?}");
    assert!(report.problems[0].message.contains("cut off"), "{report:?}");
    // The file continues after the last page.
    fs::write(scratch.path(), [&good[..], b"appended"].concat()).unwrap();
    let report = check(&database);
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].message.contains("not a multiple of the page size 4096"), "{report:?}");
    fs::write(scratch.path(), &good).unwrap();
    assert_sound(&database);
}

#[test]
fn the_check_finds_swapped_pages() {
    let (scratch, database) = filled();
    let mut bytes = fs::read(scratch.path()).unwrap();
    let (first, second) = (bytes[3 * PAGE..4 * PAGE].to_vec(), bytes[5 * PAGE..6 * PAGE].to_vec());
    bytes[3 * PAGE..4 * PAGE].copy_from_slice(&second);
    bytes[5 * PAGE..6 * PAGE].copy_from_slice(&first);
    fs::write(scratch.path(), bytes).unwrap();
    assert_eq!(pages(&check(&database)), [4, 6]);
}

#[test]
fn the_report_limits_thousands_of_problems() {
    let scratch = Scratch::new();
    let parameters = CipherParameters { page_size: Some(1_024), ..Default::default() };
    let small = key().with_cipher(parameters).unwrap();
    let database = scratch.open_with(&small).unwrap();
    database.execute_batch("CREATE TABLE b (x); INSERT INTO b VALUES (zeroblob(3000000))").unwrap();
    database.close().unwrap();
    let database = scratch.open_with(&small).unwrap();
    let good = fs::read(scratch.path()).unwrap();
    let mut bad = good.clone();
    for page in 2..bad.len() / 1_024 {
        bad[page * 1_024 + 10] ^= 1;
    }
    fs::write(scratch.path(), &bad).unwrap();
    let report = check(&database);
    assert_eq!(pages(&report).len(), 1_000);
    let more = bad.len() / 1_024 - 2 - 1_000;
    let last = report.problems.iter().rfind(|problem| problem.kind == CheckProblemKind::Page).unwrap();
    assert_eq!(last.message, format!("{more} more problems of this kind are not listed"));
    // In WAL mode, each damaged page costs a new connection. The check gives up before it takes too long.
    fs::write(scratch.path(), &good).unwrap();
    drop(database);
    let database = scratch.open_with(&small).unwrap();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    fs::write(scratch.path(), [&fs::read(scratch.path()).unwrap()[..1_024], &bad[1_024..]].concat()).unwrap();
    let report = check(&database);
    assert_eq!(pages(&report).len(), 1_000);
    let last = report.problems.iter().rfind(|problem| problem.kind == CheckProblemKind::Page).unwrap();
    assert!(last.message.contains("were not checked"), "{last:?}");
}

#[test]
fn progress_covers_the_pages_and_the_structure_and_can_cancel_either() {
    let (_scratch, database) = filled();
    for round in 0..6 {
        database.execute_batch(&format!("INSERT INTO blob VALUES (zeroblob({}))", 500_000 + round)).unwrap();
    }
    let mut seen = Vec::new();
    let report = database
        .check("main", &mut |progress| {
            seen.push(progress);
            true
        })
        .unwrap();
    assert_eq!(seen[0], CheckProgress { checked: 0, total: report.pages });
    assert_eq!(*seen.last().unwrap(), CheckProgress { checked: report.pages, total: report.pages });
    assert!(seen.windows(2).all(|pair| pair[0].checked <= pair[1].checked));
    assert!(
        seen.iter().any(|progress| progress.checked > 0 && progress.checked < progress.total),
        "{seen:?}"
    );
    // Any progress call can cancel the check, except the last call, which follows the check.
    for calls in 0..seen.len() - 1 {
        let mut left = calls;
        let error = database.check("main", &mut |_| {
            let go_on = left > 0;
            left = left.saturating_sub(1);
            go_on
        });
        assert!(matches!(error, Err(CheckError::Cancelled)), "after {calls} calls: {error:?}");
        assert_eq!(error.unwrap_err().code(), "STRONGROOM_CANCELLED");
    }
    assert_sound(&database);
}

#[test]
fn the_check_reports_a_damaged_image_as_a_problem_and_not_as_an_error() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    database.close().unwrap();
    let mut image = fs::read(scratch.path()).unwrap();
    image[100..120].fill(0xee);
    let database = Database::open_unencrypted(
        strongroom_database::Location::Image(&image),
        &strongroom_database::OpenOptions::default(),
    )
    .unwrap();
    let report = database.check("main", &mut |_| true).unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
}
