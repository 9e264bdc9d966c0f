//! The conversion that JavaScript holds.

use std::{
    any::Any,
    env, mem,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use napi::{Env, Status};
use napi_derive::napi;
use strongroom_database::{
    Converted, DetachedWork, KeySlotError, MigrateError, Migration, Progress, Slot, migrate,
};

use crate::{
    error::{Failure, Outcome},
    key::NativeKey,
    keys::NativeKeySlot,
    panic_request::panic_if_requested,
};

/// The options of a conversion. The TypeScript layer has checked each value and filled in the defaults.
#[napi(object, object_to_js = false)]
pub struct NativeMigrationOptions {
    /// The path of the file.
    pub path: String,
    /// The current key of the file, if the file is encrypted.
    pub from: Option<NativeKey>,
    /// The key of the converted file. Without a key, the converted file is unencrypted.
    pub to: Option<NativeKey>,
    /// The path under which the original is kept. Without a path, the original is not kept.
    pub keep: Option<String>,
    /// The time to wait for another connection's lock, in milliseconds.
    pub timeout: u32,
}

/// The progress of a conversion.
#[napi(object, object_from_js = false)]
pub struct NativeMigrationProgress {
    /// The number of pages that are written or read back.
    pub done: f64,
    /// The number of pages to write and to read back. The number is 0 until the conversion has read the file.
    pub total: f64,
}

/// The result of a conversion.
#[napi(object, object_from_js = false)]
pub struct NativeConverted {
    /// The number of tables.
    pub tables: f64,
    /// The number of rows in the tables.
    pub rows: f64,
    /// The number of pages.
    pub pages: f64,
    /// The page size in bytes.
    pub page_size: u32,
    /// The key slots that a rotation dropped.
    pub dropped: Vec<NativeKeySlot>,
}

/// A conversion or a rotation that runs on its own thread.
///
/// The thread never calls Node, so the end of a worker or of the process cannot disturb the thread.
#[napi]
pub struct NativeMigration {
    shared: Arc<Mutex<Shared>>,
}

/// The state that JavaScript shares with the thread.
#[derive(Default)]
struct Shared {
    progress: Option<Progress>,
    cancelled: bool,
    state: State,
}

/// The state of a conversion or a rotation.
#[derive(Default)]
pub(crate) enum State {
    #[default]
    Running,
    /// The file is rewritten. A rotation has dropped the slots.
    Converted(Converted, Vec<Slot>),
    Failed(MigrateError),
    NotRotated(KeySlotError),
    Panicked(String),
    /// `poll` has thrown the error.
    Thrown,
}

#[napi]
impl NativeMigration {
    /// Starts the conversion.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, options: NativeMigrationOptions) -> napi::Result<Self> {
        start(options).map_err(|failure| failure.throw(&env))
    }

    /// Returns the result, or null while the conversion runs. Throws the error that ended the conversion.
    #[napi(catch_unwind)]
    pub fn poll(&self, env: Env) -> napi::Result<Option<NativeConverted>> {
        panic_if_requested();
        let mut shared = lock(&self.shared);
        match mem::replace(&mut shared.state, State::Thrown) {
            State::Running => {
                shared.state = State::Running;
                Ok(None)
            }
            State::Converted(converted, dropped) => {
                shared.state = State::Converted(converted, dropped.clone());
                Ok(Some(NativeConverted::new(converted, dropped)))
            }
            State::Failed(error) => Err(Failure::from(error).throw(&env)),
            State::NotRotated(error) => Err(Failure::from(error).throw(&env)),
            State::Panicked(message) => Err(napi::Error::new(Status::GenericFailure, message)),
            State::Thrown => Err(Failure::busy().throw(&env)),
        }
    }

    /// Returns the progress of the conversion, or null before the file is locked.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> Option<NativeMigrationProgress> {
        panic_if_requested();
        let progress = lock(&self.shared).progress?;
        Some(NativeMigrationProgress { done: progress.done as f64, total: progress.total as f64 })
    }

    /// Stops the conversion at its next progress report. A conversion that has replaced the file is not undone.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        panic_if_requested();
        lock(&self.shared).cancelled = true;
    }
}

/// Cancels the conversion when its worker ends.
impl Drop for NativeMigration {
    fn drop(&mut self) {
        lock(&self.shared).cancelled = true;
    }
}

impl NativeConverted {
    fn new(converted: Converted, dropped: Vec<Slot>) -> Self {
        let Converted { tables, rows, pages, page_size } = converted;
        let dropped = dropped.into_iter().map(NativeKeySlot::from).collect();
        Self { tables: tables as f64, rows: rows as f64, pages: pages as f64, page_size, dropped }
    }
}

/// Converts the file with the options of JavaScript.
fn start(options: NativeMigrationOptions) -> Outcome<NativeMigration> {
    panic_if_requested();
    let key = |key: Option<NativeKey>| Outcome::Ok(key.map(|key| key.key()).transpose()?.flatten());
    let (from, to) = (key(options.from)?, key(options.to)?);
    let (path, keep) = (PathBuf::from(options.path), options.keep.map(PathBuf::from));
    // The program may change its current folder while the conversion runs.
    let folder = env::current_dir().ok();
    let timeout = Duration::from_millis(options.timeout.into());
    NativeMigration::start(move |progress| {
        let migration = Migration {
            path: &path,
            folder: folder.as_deref(),
            from: from.as_ref(),
            to: to.as_ref(),
            keep: keep.as_deref(),
            timeout,
        };
        match migrate(&migration, progress) {
            Ok(converted) => State::Converted(converted, Vec::new()),
            Err(error) => State::Failed(error),
        }
    })
}

impl NativeMigration {
    /// Starts a thread that runs `convert`.
    pub(crate) fn start(
        convert: impl FnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> State + Send + 'static,
    ) -> Outcome<Self> {
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let threads = Arc::clone(&shared);
        let work = DetachedWork::begin().ok_or_else(Failure::busy)?;
        let run = move || {
            let state = run(convert, &threads, &work);
            lock(&threads).state = state;
        };
        thread::Builder::new().name("strongroom".to_owned()).spawn(run).map_err(|error| {
            napi::Error::new(Status::GenericFailure, format!("cannot start a thread: {error}"))
        })?;
        Ok(Self { shared })
    }
}

/// Runs the conversion on its thread. Catches a panic, which would otherwise leave JavaScript waiting.
fn run(
    convert: impl FnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> State,
    shared: &Mutex<Shared>,
    work: &DetachedWork,
) -> State {
    let mut report = |progress| {
        let mut shared = lock(shared);
        shared.progress = Some(progress);
        match shared.cancelled || work.must_end() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    catch_unwind(AssertUnwindSafe(|| convert(&mut report)))
        .unwrap_or_else(|payload| State::Panicked(message(&*payload)))
}

/// Returns the message of a panic.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Locks the state. A panic cannot leave the state half-changed, so a poisoned lock is not an error.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
