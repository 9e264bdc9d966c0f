//! Virtual tables that SQLite calls back.
//!
//! SQLite sees the table's parameters as hidden columns, followed by the table's columns. `best_index` passes the
//! parameters' values to `filter`. Bit n of the index number states whether the SQL passes parameter n.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use vendored_sys::sqlite;

use super::callback::{
    Arguments, CallbackFailures, drop_guarded, guarded, message_for_sqlite, set_result, sqlite_string,
};
use super::core::text;
use super::schema_lock::SchemaLock;
use super::{Core, Failure};
use crate::virtual_table::{MAX_TABLE_PARAMETERS, Module, ModuleKind, Rows, TableRequest, VirtualTable};
use crate::{CallbackError, OwnedValue, Value};

/// An estimate that keeps SQLite from reading the table in an inner loop if another order is possible.
const ROWS: i64 = 1_000_000_000;

/// The user data of a module.
struct Registered {
    module: Box<dyn Module>,
    failures: CallbackFailures,
    lock: SchemaLock,
}

/// A table. SQLite accesses only the first field.
#[repr(C)]
struct Table {
    base: sqlite::sqlite3_vtab,
    table: Box<dyn VirtualTable>,
    parameters: Vec<String>,
    failures: CallbackFailures,
}

/// A scan of a table. SQLite accesses only the first field.
#[repr(C)]
struct Cursor {
    base: sqlite::sqlite3_vtab_cursor,
    /// `None` before the first row and after the last row.
    rows: Option<Box<dyn Rows>>,
    parameters: Vec<OwnedValue>,
    rowid: i64,
}

/// The functions of a module, without `xCreate` for an eponymous one.
///
/// A module whose `xCreate` equals its `xConnect` would be eponymous too.
const fn functions(kind: ModuleKind) -> sqlite::sqlite3_module {
    sqlite::sqlite3_module {
        iVersion: 0,
        xCreate: match kind {
            ModuleKind::Created => Some(create),
            ModuleKind::Eponymous => None,
        },
        xConnect: Some(connect),
        xBestIndex: Some(best_index),
        xDisconnect: Some(disconnect),
        xDestroy: Some(disconnect),
        xOpen: Some(open),
        xClose: Some(close),
        xFilter: Some(filter),
        xNext: Some(next),
        xEof: Some(is_at_end),
        xColumn: Some(column),
        xRowid: Some(rowid),
        xUpdate: None,
        xBegin: None,
        xSync: None,
        xCommit: None,
        xRollback: None,
        xFindFunction: None,
        xRename: None,
        xSavepoint: None,
        xRelease: None,
        xRollbackTo: None,
        xShadowName: None,
        xIntegrity: None,
    }
}

static CREATED: sqlite::sqlite3_module = functions(ModuleKind::Created);
static EPONYMOUS: sqlite::sqlite3_module = functions(ModuleKind::Eponymous);

/// Creates or replaces a module.
pub(crate) fn create_module(
    core: &Core,
    name: &CStr,
    kind: ModuleKind,
    module: Box<dyn Module>,
) -> Result<(), Failure> {
    let db = core.unused_db()?;
    let _entered = core.enter();
    let registered = Box::into_raw(Box::new(Registered {
        module,
        failures: core.failures.clone(),
        lock: core.schema_lock.clone(),
    }));
    let functions = match kind {
        ModuleKind::Created => &raw const CREATED,
        ModuleKind::Eponymous => &raw const EPONYMOUS,
    };
    // SAFETY: the connection is open, the name ends in NUL, and the functions are static. SQLite owns the user data from
    // here on, and passes it to `destroy` once, even if the call fails.
    let code = unsafe {
        sqlite::sqlite3_create_module_v2(db, name.as_ptr(), functions, registered.cast(), Some(destroy))
    };
    core.check(code)
}

unsafe extern "C" fn destroy(registered: *mut c_void) {
    // SAFETY: `create_module` created the box, and SQLite returns it exactly once.
    drop_guarded(unsafe { Box::from_raw(registered.cast::<Registered>()) });
}

unsafe extern "C" fn create(
    db: *mut sqlite::sqlite3,
    registered: *mut c_void,
    count: c_int,
    words: *const *const c_char,
    table: *mut *mut sqlite::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    let made = Connect { db, words: Words { count, words }, verb: "create" };
    // SAFETY: SQLite passes the arguments that its documentation promises.
    unsafe { made.connect(&*registered.cast::<Registered>(), table, message) }
}

unsafe extern "C" fn connect(
    db: *mut sqlite::sqlite3,
    registered: *mut c_void,
    count: c_int,
    words: *const *const c_char,
    table: *mut *mut sqlite::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    // The different verb keeps the compiler from merging `create` and `connect` into one function.
    let made = Connect { db, words: Words { count, words }, verb: "connect" };
    // SAFETY: SQLite passes the arguments that its documentation promises.
    unsafe { made.connect(&*registered.cast::<Registered>(), table, message) }
}

/// A call that creates a table.
struct Connect {
    db: *mut sqlite::sqlite3,
    words: Words,
    verb: &'static str,
}

/// The module, the database, the table, and the arguments of a CREATE VIRTUAL TABLE.
struct Words {
    count: c_int,
    words: *const *const c_char,
}

impl Words {
    /// # Safety
    ///
    /// `words` points to `count` strings that end in NUL.
    unsafe fn read(&self) -> Vec<String> {
        let count = usize::try_from(self.count).unwrap_or(0);
        // SAFETY: the caller upholds the contract.
        (0..count).map(|index| unsafe { text(*self.words.add(index)) }.unwrap_or_default()).collect()
    }
}

impl Connect {
    /// # Safety
    ///
    /// SQLite is calling `xCreate` or `xConnect`.
    unsafe fn connect(
        &self,
        registered: &Registered,
        table: *mut *mut sqlite::sqlite3_vtab,
        message: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: SQLite passes the words of the statement.
        let mut words = unsafe { self.words.read() }.into_iter();
        let mut word = || words.next().unwrap_or_default();
        let (module, database, name) = (word(), word(), word());
        let request = TableRequest { module, database, table: name, arguments: words.collect() };
        let made = {
            // SQLite is in the middle of a parse, during which no statement may change the schema.
            let _locked = registered.lock.hold();
            guarded(|| registered.module.connect(&request))
        };
        let failed = |text: *mut c_char| {
            // SAFETY: SQLite passes a pointer to store the message in, and frees the message.
            unsafe { message.write(text) };
            sqlite::SQLITE_ERROR
        };
        let definition = match made {
            Ok(definition) => definition,
            Err(error) => return failed(message_for_sqlite(error, &registered.failures)),
        };
        if definition.parameters.len() > MAX_TABLE_PARAMETERS {
            drop_guarded(definition.table);
            return failed(sqlite_string(&format!(
                "cannot {} virtual table \"{}\": more than {MAX_TABLE_PARAMETERS} parameters",
                self.verb, request.table
            )));
        }
        let hidden = definition.parameters.iter().map(|name| format!("{} HIDDEN", quoted(name)));
        let columns: Vec<String> = hidden.chain(definition.columns.iter().map(|name| quoted(name))).collect();
        let sql = sqlite_string(&format!("CREATE TABLE x({})", columns.join(", ")));
        // SAFETY: the connection is in a call to `xConnect`, so it may declare a table, and the text ends in NUL.
        let (code, reason) = unsafe {
            let code =
                if sql.is_null() { sqlite::SQLITE_NOMEM } else { sqlite::sqlite3_declare_vtab(self.db, sql) };
            sqlite::sqlite3_free(sql.cast());
            (code, text(sqlite::sqlite3_errmsg(self.db)).unwrap_or_default())
        };
        if code != sqlite::SQLITE_OK {
            drop_guarded(definition.table);
            let name = &request.table;
            return failed(sqlite_string(&format!(
                "cannot {} virtual table \"{name}\": {reason}",
                self.verb
            )));
        }
        let risk = if definition.direct_only {
            sqlite::SQLITE_VTAB_DIRECTONLY
        } else {
            sqlite::SQLITE_VTAB_INNOCUOUS
        };
        // SAFETY: as above. The only failure, of a call outside of `xConnect`, cannot occur.
        unsafe { sqlite::sqlite3_vtab_config(self.db, risk) };
        let made = Table {
            base: sqlite::sqlite3_vtab { pModule: ptr::null(), nRef: 0, zErrMsg: ptr::null_mut() },
            table: definition.table,
            parameters: definition.parameters,
            failures: registered.failures.clone(),
        };
        // SAFETY: SQLite passes a pointer to store the table in, and returns the table to `disconnect`.
        unsafe { table.write(Box::into_raw(Box::new(made)).cast()) };
        sqlite::SQLITE_OK
    }
}

/// Returns an SQL identifier, without NULs, which SQL cannot contain.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', "\u{2400}"))
}

unsafe extern "C" fn disconnect(table: *mut sqlite::sqlite3_vtab) -> c_int {
    // SAFETY: `connect` created the box, and SQLite returns it exactly once.
    drop_guarded(unsafe { Box::from_raw(table.cast::<Table>()) });
    sqlite::SQLITE_OK
}

unsafe extern "C" fn open(
    table: *mut sqlite::sqlite3_vtab,
    cursor: *mut *mut sqlite::sqlite3_vtab_cursor,
) -> c_int {
    let base = sqlite::sqlite3_vtab_cursor { pVtab: table };
    let opened = Box::new(Cursor { base, rows: None, parameters: Vec::new(), rowid: 0 });
    // SAFETY: SQLite passes a pointer to store the cursor in, and returns the cursor to `close`.
    unsafe { cursor.write(Box::into_raw(opened).cast()) };
    sqlite::SQLITE_OK
}

unsafe extern "C" fn close(cursor: *mut sqlite::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: `open` created the box, and SQLite returns it exactly once.
    drop_guarded(unsafe { Box::from_raw(cursor.cast::<Cursor>()) });
    sqlite::SQLITE_OK
}

/// Chooses how SQLite passes the parameters, while SQLite prepares a statement.
unsafe extern "C" fn best_index(
    vtab: *mut sqlite::sqlite3_vtab,
    info: *mut sqlite::sqlite3_index_info,
) -> c_int {
    // SAFETY: SQLite passes a table of this module, and a description of the statement, which are live during the call and
    // have no other reference.
    let (table, info) = unsafe { (&mut *vtab.cast::<Table>(), &mut *info) };
    let count = usize::try_from(info.nConstraint).unwrap_or(0);
    let mut passed: Vec<(usize, usize)> = Vec::new();
    for index in 0..count {
        // SAFETY: the array has `nConstraint` elements.
        let constraint = unsafe { &*info.aConstraint.add(index) };
        let operator = c_int::from(constraint.op);
        // LIMIT and OFFSET constraints have no column.
        if matches!(operator, sqlite::SQLITE_INDEX_CONSTRAINT_LIMIT | sqlite::SQLITE_INDEX_CONSTRAINT_OFFSET)
        {
            continue;
        }
        let Ok(parameter) = usize::try_from(constraint.iColumn) else { continue };
        let Some(name) = table.parameters.get(parameter) else { continue };
        if operator != sqlite::SQLITE_INDEX_CONSTRAINT_EQ {
            let message =
                format!("virtual table parameter \"{name}\" can only be constrained by the '=' operator");
            // SAFETY: the message is null or in SQLite's memory. SQLite frees the new message.
            unsafe { sqlite::sqlite3_free(table.base.zErrMsg.cast()) };
            table.base.zErrMsg = sqlite_string(&message.replace('\0', "\u{2400}"));
            return sqlite::SQLITE_ERROR;
        }
        if constraint.usable == 0 {
            // A plan without this value would drop an argument that the SQL passes.
            return sqlite::SQLITE_CONSTRAINT;
        }
        passed.push((parameter, index));
    }
    passed.sort_unstable();
    passed.dedup_by_key(|(parameter, _)| *parameter);
    let mut bits = 0_u32;
    for (position, (parameter, index)) in (1..).zip(&passed) {
        bits |= 1 << parameter;
        // SAFETY: the array has `nConstraint` elements.
        let usage = unsafe { &mut *info.aConstraintUsage.add(*index) };
        usage.argvIndex = position;
        usage.omit = 1;
    }
    info.idxNum = bits.cast_signed();
    info.estimatedRows = ROWS / (passed.len() as i64 + 1);
    info.estimatedCost = info.estimatedRows as f64;
    sqlite::SQLITE_OK
}

/// Starts a scan.
unsafe extern "C" fn filter(
    cursor: *mut sqlite::sqlite3_vtab_cursor,
    bits: c_int,
    _: *const c_char,
    count: c_int,
    values: *mut *mut sqlite::sqlite3_value,
) -> c_int {
    // SAFETY: SQLite passes a cursor of this module, which has no other reference, and values that live during the call.
    // The table outlives its cursors.
    let (cursor, arguments, table) = unsafe {
        let cursor = &mut *cursor.cast::<Cursor>();
        let table = cursor.base.pVtab.cast::<Table>();
        (cursor, Arguments::new(count, values), &mut *table)
    };
    drop_guarded(cursor.rows.take());
    cursor.rowid = 0;
    let mut position = 0;
    let mut parameters: Vec<Option<Value<'_>>> = Vec::with_capacity(table.parameters.len());
    for parameter in 0..table.parameters.len() {
        if bits.cast_unsigned() & (1 << parameter) == 0 {
            parameters.push(None);
            continue;
        }
        let value = arguments.value(position);
        if value == Value::Null {
            return sqlite::SQLITE_OK;
        }
        parameters.push(Some(value));
        position += 1;
    }
    cursor.parameters =
        parameters.iter().map(|value| value.map_or(OwnedValue::Null, OwnedValue::from)).collect();
    match guarded(|| table.table.rows(&parameters)) {
        Ok(rows) => {
            cursor.rows = Some(rows);
            cursor.advance(table)
        }
        Err(error) => table.fail(error),
    }
}

unsafe extern "C" fn next(cursor: *mut sqlite::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: SQLite passes a cursor of this module, which has no other reference. The table outlives its cursors.
    unsafe {
        let cursor = &mut *cursor.cast::<Cursor>();
        let table = &mut *cursor.base.pVtab.cast::<Table>();
        cursor.advance(table)
    }
}

impl Cursor {
    /// Moves to the next row. Drops the rows after the last row.
    fn advance(&mut self, table: &mut Table) -> c_int {
        let Some(rows) = &mut self.rows else { return sqlite::SQLITE_OK };
        match guarded(|| rows.next()) {
            Ok(true) => {
                self.rowid += 1;
                sqlite::SQLITE_OK
            }
            Ok(false) => {
                drop_guarded(self.rows.take());
                sqlite::SQLITE_OK
            }
            Err(error) => {
                let code = table.fail(error);
                drop_guarded(self.rows.take());
                code
            }
        }
    }
}

impl Table {
    /// Reports the error of a scan.
    fn fail(&mut self, error: CallbackError) -> c_int {
        // SAFETY: the message is null or in SQLite's memory. SQLite frees the new message.
        unsafe { sqlite::sqlite3_free(self.base.zErrMsg.cast()) };
        self.base.zErrMsg = message_for_sqlite(error, &self.failures);
        sqlite::SQLITE_ERROR
    }
}

unsafe extern "C" fn is_at_end(cursor: *mut sqlite::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: SQLite passes a cursor of this module.
    c_int::from(unsafe { &*cursor.cast::<Cursor>() }.rows.is_none())
}

unsafe extern "C" fn column(
    cursor: *mut sqlite::sqlite3_vtab_cursor,
    context: *mut sqlite::sqlite3_context,
    index: c_int,
) -> c_int {
    // SAFETY: SQLite passes a cursor of this module, and the context of the call. The table outlives its cursors.
    unsafe {
        let cursor = &*cursor.cast::<Cursor>();
        let table = &*cursor.base.pVtab.cast::<Table>();
        let index = usize::try_from(index).unwrap_or(0);
        let value = match (cursor.parameters.get(index), &cursor.rows) {
            (Some(parameter), _) => Ok(parameter.clone()),
            (None, Some(rows)) => guarded(|| rows.column(index - cursor.parameters.len())),
            (None, None) => Ok(OwnedValue::Null),
        };
        set_result(context, value, &table.failures);
    }
    sqlite::SQLITE_OK
}

unsafe extern "C" fn rowid(
    cursor: *mut sqlite::sqlite3_vtab_cursor,
    rowid: *mut sqlite::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a cursor of this module, and a pointer to store the number in.
    unsafe { rowid.write((*cursor.cast::<Cursor>()).rowid) };
    sqlite::SQLITE_OK
}
