//! Checks a database: the authentication of each page, the structure, and foreign keys.
//!
//! The report lists damage, which never breaks the caller's connection: a [`Twin`] reads the file. In a
//! rollback-journal mode, the pages are authenticated in the file itself, so one pass finds every damaged page. In WAL
//! mode, only SQLite knows where the current version of a page is: the twin reads each page through SQLite, and is
//! opened again after a damaged page.

mod error;
mod finding;
mod owners;
mod pages;
mod report;
mod structure;
mod tables;
mod twin;

use std::collections::{BTreeSet, HashMap};
use std::ffi::{CStr, CString};

pub use error::CheckError;
pub use report::{CheckProblem, CheckProblemKind, CheckReport};

use self::owners::{Owner, owners};
use self::pages::{Failed, Size};
use self::structure::Found;
use self::tables::Tables;
use self::twin::{Begun, Twin};
use crate::open::{MAIN, file_of};
use crate::pragma::pragma;
use crate::seam::Core;
use crate::strongroom;
use crate::{Database, OpenError, SqlError};

/// The progress of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// The number of pages whose authentication was checked.
    pub checked: u64,
    /// The number of pages.
    pub total: u64,
}

/// A callback that receives the progress, and returns false to cancel.
///
/// The progress stays the same while the structure is checked, after the pages.
pub type OnCheckProgress<'p> = dyn FnMut(CheckProgress) -> bool + 'p;

/// The number of pages between two calls of the callback.
const PAGES_PER_CALL: u64 = 256;

impl Database {
    /// Checks the database `schema`, which is `main` or the name of an attached database.
    ///
    /// - If the pages have an HMAC, each page must have been written with this key and at its page number.
    /// - SQLite's integrity check must find nothing.
    /// - Each foreign key must refer to a row.
    ///
    /// The check reads the committed state through its own connection, and sees no changes of an open transaction. An
    /// in-memory database has no second connection: the check reads its structure through this connection.
    ///
    /// An interrupt by the connection's [`Interrupter`](crate::Interrupter) cancels the check.
    ///
    /// # Errors
    ///
    /// [`CheckError`]. Damage is a problem in the report, not an error.
    pub fn check(&self, schema: &str, progress: &mut OnCheckProgress<'_>) -> Result<CheckReport, CheckError> {
        if !self.is_open() {
            return Err(SqlError::Closed.into());
        }
        let core = &*self.session.core;
        let name = CString::new(schema).ok().filter(|name| core.is_attached(name));
        let Some(name) = name else { return Err(CheckError::NotAttached { name: schema.to_owned() }) };
        let mut go_on = |done| progress(done) && !core.is_interrupted();
        let mut meter = Meter { progress: &mut go_on, checked: 0, total: 0, cancelled: false };
        let report = report(core, schema, &name, &mut meter);
        // The interrupt of a step that is best effort leaves no error.
        if meter.cancelled || core.is_interrupted() {
            return Err(CheckError::Cancelled);
        }
        let report = report?;
        meter.checked = meter.total;
        meter.go_on();
        Ok(report)
    }
}

fn report(
    core: &Core,
    schema: &str,
    name: &CStr,
    meter: &mut Meter<'_, '_>,
) -> Result<CheckReport, CheckError> {
    match Twin::open(core, name)? {
        Some((twin, begun)) => Check { twin, report: CheckReport::default() }.run(begun, meter),
        None => in_memory(core, schema, meter),
    }
}

/// Checks the structure of a database that only its own connection reaches.
fn in_memory(core: &Core, schema: &str, meter: &mut Meter<'_, '_>) -> Result<CheckReport, CheckError> {
    let read = core.with(|connection| {
        let pages = pragma::<i64>(connection, schema, "page_count")?;
        Ok((pages.unsigned_abs(), Tables::read(connection, schema)?))
    });
    let (pages, tables) = match read {
        Ok(read) => read,
        Err(failure) => {
            // The first page or the schema cannot be read.
            let message = twin::damage(failure)?;
            let problems = vec![CheckProblem::new(CheckProblemKind::Structure, message)];
            return Ok(CheckReport { problems, ..CheckReport::default() });
        }
    };
    meter.total = pages;
    meter.checked(0)?;
    let found = structure::whole(core, schema, &tables, meter)?;
    let mut report = CheckReport { pages, ..CheckReport::default() };
    append(&mut report, found);
    Ok(report)
}

/// The check of a file.
struct Check<'c> {
    twin: Twin<'c>,
    report: CheckReport,
}

impl Check<'_> {
    fn run(mut self, begun: Begun, meter: &mut Meter<'_, '_>) -> Result<CheckReport, CheckError> {
        let (begun, lenient) = match begun {
            Begun::Damaged { .. } => (self.twin.reopen(true)?, true),
            begun => (begun, false),
        };
        let size = Size::of(self.twin.core(), begun != Begun::CipherFailed)?;
        self.report.pages = size.pages;
        meter.total = size.pages;
        meter.checked(0)?;
        self.header();
        let failed = self.authenticate(&begun, size, meter)?;
        self.authentication_ended(&begun, size, &failed)?;
        if begun == Begun::CipherFailed {
            self.pages_failed(&failed, size, &HashMap::new());
            let message = "neither the structure nor the foreign keys could be checked: the first page or the schema \
                           cannot be read";
            self.report.problems.push(CheckProblem::new(CheckProblemKind::Structure, message.to_owned()));
            return Ok(self.report);
        }
        if self.twin.cipher_failed() {
            self.twin.reopen(lenient)?;
        }
        let tables = self.twin.core().with(|connection| Tables::read(connection, "main"));
        let tables = tables.or_else(|failure| twin::damage(failure).map(|_| Tables::default()))?;
        let owners = self.owners(&failed, size, &tables, meter)?;
        self.pages_failed(&failed, size, &owners);
        let found = match failed.pages.is_empty() && failed.stopped.is_none() {
            true => structure::whole(self.twin.core(), "main", &tables, meter)?,
            false => structure::readable_tables(&mut self.twin, lenient, &tables, meter)?,
        };
        if let Begun::Damaged { message } = begun
            && found.structure.is_empty()
        {
            self.report.problems.push(CheckProblem::new(CheckProblemKind::Structure, message));
        }
        append(&mut self.report, found);
        Ok(self.report)
    }

    /// Reports the damage of the header of a file in the Strongroom format.
    fn header(&mut self) {
        let core = self.twin.core();
        let damage = core.unlocked("main").and_then(|keys| strongroom::header_damage(core, MAIN, &keys));
        if let Some(message) = damage {
            self.report.problems.push(CheckProblem::new(CheckProblemKind::Structure, message));
        }
    }

    fn authenticate(
        &mut self,
        begun: &Begun,
        size: Size,
        meter: &mut Meter<'_, '_>,
    ) -> Result<Failed, CheckError> {
        let Some(mut authenticator) = pages::authenticator(self.twin.core())? else {
            return Ok(Failed::default());
        };
        self.report.authenticated = true;
        match size.log && *begun == Begun::Sound {
            true => pages::in_snapshot(&mut self.twin, size, meter),
            false => pages::in_file(self.twin.core(), size, &mut authenticator, meter),
        }
    }

    /// Fails if another connection has changed the key: unlike damage, a new key affects every page.
    fn authentication_ended(&self, begun: &Begun, size: Size, failed: &Failed) -> Result<(), CheckError> {
        let all = failed.pages.len() as u64 >= size.whole_pages().max(1);
        let only_in_log = size.log && failed.pages.is_empty();
        // A new key for a file in the Strongroom format changes no page.
        let may_change = self.twin.core().unlocked("main").is_none() && self.report.authenticated;
        match *begun == Begun::CipherFailed && may_change && (all || only_in_log) {
            true => Err(OpenError::KeyChanged { path: file_of(self.twin.core()) }.into()),
            false => Ok(()),
        }
    }

    /// Returns the owners of the pages that failed or are missing.
    fn owners(
        &mut self,
        failed: &Failed,
        size: Size,
        tables: &Tables,
        meter: &mut Meter<'_, '_>,
    ) -> Result<HashMap<u32, Owner>, CheckError> {
        let mut wanted: BTreeSet<u32> = failed.pages.clone();
        wanted.extend(size.missing());
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.twin.core().with(|connection| owners(connection, tables, &wanted, meter));
        if meter.cancelled {
            return Err(CheckError::Cancelled);
        }
        // The search for owners is best effort: pages of an unreadable tree get no owner.
        found.or_else(|failure| twin::damage(failure).map(|_| HashMap::new()))
    }

    /// Reports the pages that failed or are missing.
    fn pages_failed(&mut self, failed: &Failed, size: Size, owners: &HashMap<u32, Owner>) {
        let problem = |page: u32, what: &str| {
            let (table, place) = match owners.get(&page) {
                Some(Owner::Table { table, index: None }) => (Some(table), format!(" (table \"{table}\")")),
                Some(Owner::Table { table, index: Some(index) }) => {
                    (Some(table), format!(" (index \"{index}\" of table \"{table}\")"))
                }
                Some(Owner::Free) => {
                    (None, " (an unused page, without content: VACUUM repairs it)".to_owned())
                }
                None => (None, String::new()),
            };
            let mut problem = CheckProblem::new(CheckProblemKind::Page, format!("page {page}{place} {what}"));
            problem.page = Some(page);
            problem.table = table.cloned();
            problem
        };
        let pages = failed.pages.iter();
        let pages = pages
            .map(|&page| problem(page, "fails its authentication: the page is damaged or was tampered with"));
        self.report.append(CheckProblemKind::Page, pages.collect());
        if let Some(next) = failed.stopped {
            let message = format!(
                "pages {next} to {} were not checked, because too many earlier pages failed",
                size.pages
            );
            self.report.problems.push(CheckProblem::new(CheckProblemKind::Page, message));
        }
        let whole = size.whole_pages();
        if whole < size.pages {
            let expected = size.pages.saturating_mul(size.page);
            let message = format!(
                "the file is cut off at {} of {expected} bytes: it lacks pages {} to {}",
                size.file,
                whole + 1,
                size.pages
            );
            let mut cut = CheckProblem::new(CheckProblemKind::Page, message);
            cut.page = u32::try_from(whole + 1).ok();
            self.report.problems.push(cut);
            let missing = size.missing().filter(|page| owners.contains_key(page));
            self.report.problems.extend(missing.map(|page| problem(page, "is missing")));
        } else if !size.log && !size.file.is_multiple_of(size.page) {
            let message = format!(
                "the file has {} bytes, which is not a multiple of the page size {}: bytes were appended",
                size.file, size.page
            );
            self.report.problems.push(CheckProblem::new(CheckProblemKind::Page, message));
        }
    }
}

fn append(report: &mut CheckReport, found: Found) {
    report.append(CheckProblemKind::Structure, found.structure);
    report.append(CheckProblemKind::ForeignKey, found.foreign_keys);
}

/// Counts the checked pages, and lets the caller cancel.
struct Meter<'m, 'p> {
    progress: &'m mut OnCheckProgress<'p>,
    checked: u64,
    total: u64,
    cancelled: bool,
}

impl Meter<'_, '_> {
    /// Calls the callback. Returns false if the caller has cancelled.
    fn go_on(&mut self) -> bool {
        if !self.cancelled {
            let progress = CheckProgress { checked: self.checked, total: self.total };
            self.cancelled = !(self.progress)(progress);
        }
        !self.cancelled
    }

    fn checked(&mut self, checked: u64) -> Result<(), CheckError> {
        self.checked = checked;
        match self.go_on() {
            true => Ok(()),
            false => Err(CheckError::Cancelled),
        }
    }

    /// Calls the callback if enough pages were checked since the last call.
    fn maybe_checked(&mut self, checked: u64) -> Result<(), CheckError> {
        match checked >= self.checked + PAGES_PER_CALL || checked == self.total {
            true => self.checked(checked),
            false => Ok(()),
        }
    }
}
