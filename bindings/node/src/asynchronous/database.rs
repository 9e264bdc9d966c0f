//! The database of the asynchronous class that JavaScript holds.

use std::sync::Arc;

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::BackupKey;

use crate::asynchronous::job::Job;
use crate::asynchronous::shared::{Cancelled, Shared};
use crate::asynchronous::source::{Source, absolute};
use crate::asynchronous::thread;
use crate::asynchronous::{external, hub};
use crate::database::NativeOpenOptions;
use crate::error::{Failure, Outcome};
use crate::handle::Handle;
use crate::key::NativeKey;
use crate::panic_request::panic_if_requested;

/// A database whose connections run on threads of their own.
#[napi]
pub struct NativeAsyncDatabase {
    shared: Arc<Shared>,
}

/// A backup to a file: with the source's key, with another key, or unencrypted. The TypeScript layer has checked each value.
#[napi(object, object_to_js = false)]
pub struct NativeBackupRequest {
    /// The database: `main` or the name of an attached database.
    pub schema: String,
    /// The path of the copy.
    pub path: String,
    /// The key of the copy. The default is the source's key.
    pub key: Option<NativeKey>,
    /// `true` for a copy without encryption.
    pub plain: bool,
}

/// Closes the connections of a database that JavaScript has lost.
impl Drop for NativeAsyncDatabase {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[napi]
impl NativeAsyncDatabase {
    /// Starts the writer's thread, which opens the database and replies with `NativeOpened`.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "object")] hub: Unknown,
        options: NativeOpenOptions,
        ticket: u32,
    ) -> napi::Result<Self> {
        panic_if_requested();
        let new = || {
            let bell = hub::bell(&env, hub.raw())?;
            let source = Source::read(&options)?;
            let shared = Shared::new(bell, source.options.clone());
            thread::start_writer(&shared, source, ticket)?;
            Ok(Self { shared })
        };
        new().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the handle that identifies the database to `submit`.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn handle(&self, env: Env) -> napi::Result<Handle> {
        panic_if_requested();
        external::create(&env, &self.shared).map_err(|failure| failure.throw(&env))
    }

    /// Starts the thread of a reader, which replies with `NativeOpened`. Returns the reader's number.
    #[napi(catch_unwind)]
    pub fn add_reader(&self, env: Env, ticket: u32) -> napi::Result<u32> {
        panic_if_requested();
        let start = |lane, shift| thread::start_reader(&self.shared, ticket, lane, shift);
        self.shared.add_reader(start).map_err(|failure| failure.throw(&env))
    }

    /// Ends each reader after its present job or hold. The reply comes once all have closed.
    #[napi(catch_unwind)]
    pub fn drop_readers(&self, ticket: u32) {
        panic_if_requested();
        self.shared.drop_readers(ticket);
    }

    /// Runs a PRAGMA that sets something of a connection on each reader before its next job.
    #[napi(catch_unwind)]
    pub fn setting(&self, sql: String) {
        panic_if_requested();
        self.shared.settings.add(sql);
    }

    /// Removes a waiting call, or interrupts a running one.
    #[napi(catch_unwind, ts_return_type = "'waiting' | 'running' | 'unknown'")]
    pub fn cancel(&self, ticket: u32) -> &'static str {
        panic_if_requested();
        match self.shared.cancel(ticket) {
            Cancelled::Waiting => "waiting",
            Cancelled::Running => "running",
            Cancelled::Unknown => "unknown",
        }
    }

    /// Starts a backup.
    #[napi(catch_unwind)]
    pub fn backup(&self, env: Env, lane: i32, ticket: u32, request: NativeBackupRequest) -> napi::Result<()> {
        self.job(&env, lane, ticket, || {
            let NativeBackupRequest { schema, path, key, plain } = request;
            let key = match (key.as_ref().map(NativeKey::key).transpose()?.flatten(), plain) {
                (Some(key), _) => BackupKey::Key(key),
                (None, true) => BackupKey::Plain,
                (None, false) => BackupKey::Source,
            };
            Ok(Job::Backup { schema, path: absolute(path.into()), key })
        })
    }

    /// Copies up to `pages` pages of a backup.
    #[napi(catch_unwind)]
    pub fn backup_step(&self, env: Env, lane: i32, ticket: u32, pages: u32) -> napi::Result<()> {
        self.job(&env, lane, ticket, || Ok(Job::BackupStep { pages }))
    }

    /// Completes a backup on a thread of its own.
    #[napi(catch_unwind)]
    pub fn backup_complete(&self, env: Env, lane: i32, ticket: u32) -> napi::Result<()> {
        self.job(&env, lane, ticket, || {
            self.shared.begin_completion(ticket);
            Ok(Job::BackupComplete)
        })
    }

    /// Drops a backup that is not completed. No reply comes.
    #[napi(catch_unwind)]
    pub fn backup_end(&self, env: Env, lane: i32, ticket: u32) -> napi::Result<()> {
        self.job(&env, lane, ticket, || Ok(Job::BackupEnd))
    }

    /// Checks the database `schema`.
    #[napi(catch_unwind)]
    pub fn check(&self, env: Env, lane: i32, ticket: u32, schema: String) -> napi::Result<()> {
        self.job(&env, lane, ticket, || Ok(Job::Check { schema }))
    }

    /// Changes the key of the database `schema`.
    #[napi(catch_unwind)]
    pub fn rekey(&self, env: Env, ticket: u32, schema: String, key: NativeKey) -> napi::Result<()> {
        self.job(&env, 0, ticket, || {
            let key = key.key()?.ok_or_else(Failure::busy)?;
            Ok(Job::Rekey { schema, key })
        })
    }

    /// Lets each connection close after its present job, and drops the jobs that wait. The reply comes once all have
    /// closed.
    #[napi(catch_unwind)]
    pub fn close(&self, ticket: u32) {
        panic_if_requested();
        self.shared.close(ticket);
    }

    fn job(&self, env: &Env, lane: i32, ticket: u32, job: impl FnOnce() -> Outcome<Job>) -> napi::Result<()> {
        panic_if_requested();
        job().and_then(|job| self.shared.push(lane, ticket, job)).map_err(|failure| failure.throw(env))
    }
}
