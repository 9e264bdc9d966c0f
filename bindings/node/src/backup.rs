//! The backup that JavaScript holds.

use std::{
    any::Any,
    cell::RefCell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use napi::{Env, Status, Task, bindgen_prelude::AsyncTask};
use napi_derive::napi;
use strongroom_database::{Backup, BackupError, BackupProgress, CopiedBackup};

use crate::{
    error::{Failure, Outcome},
    panic_request::panic_if_requested,
};

/// The progress of a backup.
#[napi(object, object_from_js = false)]
#[derive(Clone, Copy)]
pub struct NativeBackupProgress {
    /// The number of pages to copy.
    pub total_pages: f64,
    /// The number of pages left to copy.
    pub remaining_pages: f64,
    /// `true` while a lock or an open transaction blocks the copy.
    pub waiting: bool,
    /// `true` once every page is copied.
    pub copied: bool,
}

impl From<BackupProgress> for NativeBackupProgress {
    fn from(progress: BackupProgress) -> Self {
        Self {
            total_pages: progress.total_pages as f64,
            remaining_pages: progress.remaining_pages as f64,
            waiting: progress.waiting,
            copied: progress.copied,
        }
    }
}

/// A running backup.
#[napi]
pub struct NativeBackup {
    /// `None` once the backup is completed or cancelled.
    backup: RefCell<Option<Backup>>,
    shared: Arc<Mutex<Shared>>,
}

/// The state that the backup shares with the thread that completes it.
#[derive(Default)]
struct Shared {
    progress: Option<BackupProgress>,
    cancelled: bool,
    result: Option<Result<(), Ended>>,
}

/// The failure that ended the completion.
enum Ended {
    Failed(BackupError),
    Panicked(String),
}

impl NativeBackup {
    pub(crate) fn new(backup: Backup) -> Self {
        Self { backup: RefCell::new(Some(backup)), shared: Arc::default() }
    }
}

#[napi]
impl NativeBackup {
    /// Copies up to `pages` pages.
    #[napi(catch_unwind)]
    pub fn step(&self, env: Env, pages: u32) -> napi::Result<NativeBackupProgress> {
        let step = || {
            panic_if_requested();
            let mut backup = self.backup.try_borrow_mut().map_err(|_| Failure::busy())?;
            Ok(backup.as_mut().ok_or_else(Failure::busy)?.step(pages)?.into())
        };
        step().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Completes the copy on another thread. The promise never rejects; `result` throws the error.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn complete(&self, env: Env) -> napi::Result<AsyncTask<Completion>> {
        let complete = || -> Outcome<_> {
            panic_if_requested();
            let backup = self.backup.try_borrow_mut().map_err(|_| Failure::busy())?.take();
            let copied = backup.ok_or_else(Failure::busy)?.finish()?;
            Ok(AsyncTask::new(Completion { copied: Some(copied), shared: Arc::clone(&self.shared) }))
        };
        complete().map_err(|failure| failure.throw(&env))
    }

    /// Returns the progress of the completion, or null before it writes any pages.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> Option<NativeBackupProgress> {
        panic_if_requested();
        lock(&self.shared).progress.map(NativeBackupProgress::from)
    }

    /// Throws the error of the completion, if it failed.
    #[napi(catch_unwind)]
    pub fn result(&self, env: Env) -> napi::Result<()> {
        panic_if_requested();
        match lock(&self.shared).result.take() {
            Some(Err(Ended::Failed(error))) => Err(Failure::from(error).throw(&env)),
            Some(Err(Ended::Panicked(message))) => Err(napi::Error::new(Status::GenericFailure, message)),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Removes the temporary file and stops the completion at its next progress report.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        panic_if_requested();
        lock(&self.shared).cancelled = true;
        if let Ok(mut backup) = self.backup.try_borrow_mut() {
            backup.take();
        }
    }
}

/// Writes and renames the file on a thread of Node's pool.
pub struct Completion {
    copied: Option<CopiedBackup>,
    shared: Arc<Mutex<Shared>>,
}

impl Task for Completion {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        let Some(copied) = self.copied.take() else { return Ok(()) };
        let report = |progress| {
            let mut shared = lock(&self.shared);
            shared.progress = Some(progress);
            if shared.cancelled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // A panic that leaves this function would abort the process.
        let result = match catch_unwind(AssertUnwindSafe(|| copied.install(report))) {
            Ok(result) => result.map_err(Ended::Failed),
            Err(payload) => Err(Ended::Panicked(message(&*payload))),
        };
        lock(&self.shared).result = Some(result);
        Ok(())
    }

    fn resolve(&mut self, _: Env, _: ()) -> napi::Result<()> {
        Ok(())
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
