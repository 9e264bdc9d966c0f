//! Compares a copy with its source.

use std::collections::HashSet;
use std::ffi::CString;
use std::rc::Rc;

use rusqlite::Connection;

use super::schema::Schema;
use super::table::{Content, Hasher, Table};
use super::{Encryption, Run, STEPS};
use crate::cipher::Cipher;
use crate::open::{MAIN, Opened};
use crate::page_layout::lock_page;
use crate::seam::{Core, RawStatement, Source, Step};
use crate::{Location, MigrateError, OpenError};

/// The number of bytes hashed between two reports.
const REPORT: u64 = 1 << 20;
/// The number of faults that SQLite lists.
const FAULTS: u32 = 1_000_000;
/// SQLCipher's result for a cipher without HMAC.
const NO_HMAC: &str = "HMAC is not enabled";

/// The rows to compare: the source's rows, then the copy's rows.
pub(super) struct Rows {
    pub(super) done: u64,
    pub(super) total: u64,
}

impl Run<'_, '_> {
    /// Hashes each table of a connection.
    pub(super) fn contents(
        &mut self,
        core: &Rc<Core>,
        schema: &Schema,
        rows: &mut Rows,
    ) -> Result<Vec<Content>, MigrateError> {
        schema.tables.iter().map(|table| self.content(core, table, rows)).collect()
    }

    fn content(&mut self, core: &Rc<Core>, table: &Table, rows: &mut Rows) -> Result<Content, MigrateError> {
        let failed = |run: &Self, failure| match run.failed(failure) {
            MigrateError::Sqlite { path, source } => {
                MigrateError::Table { path, name: table.name.clone(), source }
            }
            other => other,
        };
        let sql = CString::new(table.select()).unwrap_or_default();
        let source = Source { sql: &sql, start: 0, persistent: false };
        let parsed = RawStatement::parse(core, &source).map_err(|failure| failed(self, failure))?;
        let Some(mut statement) = parsed.statement else {
            return self.same(false, &table.name).map(|()| Hasher::new().finish());
        };
        let (mut hasher, mut bytes) = (Hasher::new(), 0);
        loop {
            match statement.step() {
                Ok(Step::Row) => bytes += hasher.add(&statement.row()),
                Ok(Step::Done) => break,
                Err(failure) => return Err(failed(self, failure)),
            }
            rows.done += 1;
            if bytes >= REPORT {
                bytes = 0;
                self.report_rows(rows)?;
            }
        }
        self.report_rows(rows)?;
        Ok(hasher.finish())
    }

    /// Reports the rows as the second half of the pages.
    fn report_rows(&mut self, rows: &Rows) -> Result<(), MigrateError> {
        let share = u128::from(rows.done) * u128::from(self.pages) / u128::from(rows.total.max(1));
        self.report(self.pages + u64::try_from(share).unwrap_or(self.pages).min(self.pages))
    }

    /// Opens the copy as its users will open it.
    pub(super) fn reopen(&self, size: u32) -> Result<Opened, MigrateError> {
        let copy = self.open_target(size)?;
        self.sql(&copy.core, |connection| {
            // In this mode SQLite needs no shared memory for a write-ahead log.
            connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")
        })?;
        if !matches!(self.conversion.encryption, Encryption::Plain) {
            copy.verify(Location::File(self.conversion.target))?;
        }
        Ok(copy)
    }

    /// Compares the schema, the settings and each table.
    pub(super) fn compare(
        &mut self,
        copy: &Opened,
        schema: &Schema,
        contents: &[Content],
        rows: &mut Rows,
    ) -> Result<(), MigrateError> {
        let copied = self.sql(&copy.core, Schema::read)?;
        self.same(copied.entries == schema.entries, "sqlite_schema")?;
        self.same(copied.settings == schema.settings, "the header of the file")?;
        for (table, content) in schema.tables.iter().zip(contents) {
            let same = self.content(&copy.core, table, rows)? == *content;
            self.same(same, &table.name)?;
        }
        Ok(())
    }

    /// Checks the structure and the pages of the copy. Returns the number of pages.
    ///
    /// Faults that the source also has, such as a NULL in a NOT NULL column, were copied faithfully.
    pub(super) fn check_integrity(&mut self, source: &Core, copy: &Opened) -> Result<u64, MigrateError> {
        let faults = |run: &mut Self, core: &Core| {
            let done = run.done;
            let mut go_on = || run.report(done).is_ok();
            core.watched(STEPS, &mut go_on, || core.with(faults)).map_err(|failure| run.failed(failure))
        };
        let found = faults(self, &copy.core)?;
        if !found.is_empty() {
            let known = faults(self, source)?;
            self.same(found.is_subset(&known), "integrity_check")?;
        }
        if copy.core.unlocked("main").is_some() {
            self.check_sealed_pages(copy)?;
        } else if !matches!(self.conversion.encryption, Encryption::Plain) {
            let pages = self.sql(&copy.core, |connection| {
                let mut check = connection.prepare("PRAGMA cipher_integrity_check")?;
                check.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
            })?;
            self.same(pages.iter().all(|fault| fault.starts_with(NO_HMAC)), "cipher_integrity_check")?;
        }
        self.sql(&copy.core, |connection| {
            connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))
        })
        .map(i64::unsigned_abs)
    }

    /// Authenticates every page of the file of a copy in the Strongroom format.
    fn check_sealed_pages(&self, copy: &Opened) -> Result<(), MigrateError> {
        let cipher = Cipher::of(&copy.core, MAIN).map_err(|failure| self.failed(failure))?;
        let page_size = cipher.as_ref().map_or(0, |cipher| cipher.parameters.effective_page_size());
        let location = Location::File(self.conversion.target);
        let authenticator = cipher.map(|cipher| cipher.authenticator()).transpose();
        let authenticator = authenticator.map_err(|failure| failure.into_open_error(location))?.flatten();
        let Some(mut authenticator) = authenticator else { return self.same(false, "key") };
        let length = copy.core.file_start(MAIN, 0).map_or(0, |start| start.length);
        let pages = u32::try_from(length / u64::from(page_size)).unwrap_or(u32::MAX);
        let lock_page = lock_page(page_size.into());
        for number in (1..=pages).filter(|&number| u64::from(number) != lock_page) {
            let offset = u64::from(number - 1) * u64::from(page_size);
            let page = copy.core.file_part(MAIN, offset, page_size as usize).unwrap_or_default();
            let authentic = authenticator
                .authenticate(&page, number)
                .map_err(|source| OpenError::Key { path: self.conversion.target.to_owned(), source })?;
            self.same(authentic, "the pages")?;
        }
        Ok(())
    }
}

fn faults(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
    let mut faults: HashSet<String> =
        check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    faults.remove("ok");
    Ok(faults)
}
