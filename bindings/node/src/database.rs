//! The connection that JavaScript holds.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use napi::{
    Env, JsValue, Unknown,
    bindgen_prelude::{Buffer, Uint8Array},
};
use napi_derive::napi;
use strongroom_database::{BackupKey, Database, Location, OpenOptions};
use strongroom_keys::Format;

use crate::{
    backup::NativeBackup,
    callback::Released,
    error::{Failure, Outcome},
    handle,
    key::NativeKey,
    panic_request::panic_if_requested,
    reference::Reference,
    statement::NativeStatement,
};

/// The options of a connection. The TypeScript layer has checked each value and filled in the defaults.
#[napi(object, object_to_js = false)]
pub struct NativeOpenOptions {
    /// The path of the file. Without a path, the database is in memory.
    pub path: Option<String>,
    /// The bytes of a database file. The database is a copy of the bytes in memory.
    pub image: Option<Uint8Array>,
    /// The key, if the database is encrypted.
    pub key: Option<NativeKey>,
    /// `true` to refuse every change.
    pub readonly: bool,
    /// `true` to refuse to create the file.
    pub must_exist: bool,
    /// The time to wait for another connection's lock, in milliseconds.
    pub timeout: u32,
}

/// A connection to a database.
#[napi]
pub struct NativeDatabase {
    database: Database,
    released: Released,
}

impl NativeDatabase {
    pub(crate) fn database(&self) -> &Database {
        panic_if_requested();
        &self.database
    }

    pub(crate) fn released(&self) -> &Released {
        panic_if_requested();
        &self.released
    }
}

#[napi]
impl NativeDatabase {
    /// Opens a database and checks its key, if it has one.
    ///
    /// The connection calls `verbose` with the SQL of each statement before the statement runs. An exception from
    /// `verbose` stops the statement. The caller keeps `verbose` alive.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        options: NativeOpenOptions,
        #[napi(ts_arg_type = "((sql: string) => unknown) | undefined")] verbose: Option<Unknown>,
    ) -> napi::Result<Self> {
        let new = || {
            let database = open(&options)?;
            if let Some(verbose) = verbose {
                let verbose = Reference::weak(&env, verbose.raw())?;
                database.set_trace(Some(Box::new(move |sql: &str| show(&verbose, sql))));
            }
            Ok(NativeDatabase { database, released: Released::default() })
        };
        new().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns whether a transaction is open.
    #[napi(getter, catch_unwind)]
    pub fn in_transaction(&self) -> bool {
        self.database().in_transaction()
    }

    /// Returns the format of the main database: `plain`, `sqlcipher` or `strongroom`.
    #[napi(getter, catch_unwind, ts_return_type = "'plain' | 'sqlcipher' | 'strongroom'")]
    pub fn format(&self) -> &'static str {
        self.database().format().map_or("plain", Format::name)
    }

    /// Prepares the single statement in `sql`.
    #[napi(catch_unwind)]
    pub fn prepare(&self, env: Env, sql: String) -> napi::Result<NativeStatement> {
        let statement = self.database().prepare(&sql).map_err(|error| Failure::from(error).throw(&env))?;
        Ok(NativeStatement::new(self.database().clone(), statement))
    }

    /// Runs every statement in `sql`.
    #[napi(catch_unwind)]
    pub fn exec(&self, env: Env, sql: String) -> napi::Result<()> {
        self.database().execute_batch(&sql).map_err(|error| Failure::from(error).throw(&env))
    }

    /// Forbids or allows SQL that can damage the file.
    #[napi(catch_unwind)]
    pub fn defensive(&self, env: Env, on: bool) -> napi::Result<()> {
        self.database().set_defensive(on).map_err(|error| Failure::from(error).throw(&env))
    }

    /// Starts a backup of the database `schema` to a file: with the source's key, with another key, or unencrypted.
    #[napi(catch_unwind)]
    pub fn backup(
        &self,
        env: Env,
        schema: String,
        path: String,
        key: Option<NativeKey>,
        plain: bool,
    ) -> napi::Result<NativeBackup> {
        let backup = || {
            let key = match (key.as_ref().map(NativeKey::key).transpose()?.flatten(), plain) {
                (Some(key), _) => BackupKey::Key(key),
                (None, true) => BackupKey::Plain,
                (None, false) => BackupKey::Source,
            };
            Ok(NativeBackup::new(self.database().backup(&schema, Path::new(&path), key)?))
        };
        backup().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the database `schema` as the bytes of an unencrypted database file.
    #[napi(catch_unwind)]
    pub fn serialize(&self, env: Env, schema: String) -> napi::Result<Buffer> {
        let image = self.database().serialize(&schema);
        image.map(Buffer::from).map_err(|error| Failure::from(error).throw(&env))
    }

    /// Returns the database `schema` as the bytes of an encrypted database file, with the source's key or another key.
    #[napi(catch_unwind)]
    pub fn serialize_encrypted(
        &self,
        env: Env,
        schema: String,
        key: Option<NativeKey>,
    ) -> napi::Result<Buffer> {
        let serialize = || {
            let key = key.as_ref().map(NativeKey::key).transpose()?.flatten();
            Ok(self.database().serialize_encrypted(&schema, key.as_ref())?)
        };
        serialize().map(Buffer::from).map_err(|failure: Failure| failure.throw(&env))
    }

    /// Closes the connection and finalizes its statements.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> napi::Result<()> {
        self.database().close().map_err(|error| Failure::from(error).throw(&env))
    }
}

/// Calls a function with a statement's SQL. An exception stops the statement and stays pending.
fn show(verbose: &Reference, sql: &str) -> ControlFlow<()> {
    let env = verbose.env();
    let called = verbose.value().and_then(|function| {
        let _scope = handle::Scope::open(&env)?;
        handle::call(&env, function, &[handle::string(&env, sql)?])
    });
    if called.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

fn open(options: &NativeOpenOptions) -> Outcome<Database> {
    panic_if_requested();
    let path = options.path.as_ref().map(PathBuf::from);
    let location = match (&path, &options.image) {
        (Some(path), _) => Location::File(path),
        (None, Some(image)) => Location::Image(image),
        (None, None) => Location::Memory,
    };
    let open_options = OpenOptions {
        read_only: options.readonly,
        must_exist: options.must_exist,
        busy_timeout: Duration::from_millis(options.timeout.into()),
    };
    match options.key.as_ref().map(NativeKey::key).transpose()?.flatten() {
        Some(key) => Ok(Database::open(location, &key, &open_options)?),
        None => Ok(Database::open_unencrypted(location, &open_options)?),
    }
}
