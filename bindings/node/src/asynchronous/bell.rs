//! The bell, which wakes JavaScript's thread when replies wait.

use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use napi::Env;
use strongroom_queue::{Look, Replies};

use crate::asynchronous::reply::Reply;
use crate::asynchronous::shared::Shared;
use crate::asynchronous::threadsafe_function::ThreadsafeFunction;
use crate::asynchronous::uv::Async;
use crate::error::Outcome;
use crate::handle::Handle;

/// The replies of all databases of a JavaScript thread, and the clapper that wakes the thread.
pub(crate) struct Bell {
    replies: Replies<Reply>,
    /// `None` once the environment ends. Threads that ring share the lock, so that they never wait for each other.
    clapper: RwLock<Option<Clapper>>,
    databases: Mutex<Vec<Weak<Shared>>>,
    /// The number of calls that JavaScript has made.
    made: AtomicU32,
    /// `true` once every reply that waited is taken.
    is_drained: AtomicBool,
}

/// The function that any thread may call to wake the event loop.
enum Clapper {
    Uv(Async),
    /// In a host without libuv.
    Function(ThreadsafeFunction),
}

impl Bell {
    /// Creates a bell that calls `wake` from the event loop. The bell does not keep the event loop alive.
    ///
    /// `has_uv` is true if the event loop is libuv's.
    pub(crate) fn new(env: &Env, wake: Handle, has_uv: bool) -> Outcome<Arc<Self>> {
        let bell = Arc::new(Self {
            replies: Replies::new(),
            clapper: RwLock::default(),
            databases: Mutex::default(),
            made: AtomicU32::new(0),
            is_drained: AtomicBool::new(false),
        });
        let uv = if has_uv { Async::start(env, wake, &bell)? } else { None };
        let clapper = match uv {
            Some(uv) => Clapper::Uv(uv),
            None => Clapper::Function(ThreadsafeFunction::start(env, wake, &bell)?),
        };
        *bell.clapper.write().unwrap_or_else(PoisonError::into_inner) = Some(clapper);
        Ok(bell)
    }

    /// Adds a reply, and wakes JavaScript if no reply waited.
    pub(crate) fn send(&self, reply: Reply) {
        if self.replies.push(reply) {
            self.ring();
        }
    }

    /// Notes that JavaScript has made a call, whose reply comes soon.
    pub(crate) fn made(&self) {
        self.made.fetch_add(1, Relaxed);
    }

    /// Takes the first reply. Without a reply, JavaScript's thread rests until the bell rings.
    pub(crate) fn take(&self) -> Option<Reply> {
        loop {
            let reply = self.replies.take();
            let is_drained = reply.is_none() && !self.replies.rest();
            self.is_drained.store(is_drained, Relaxed);
            if reply.is_some() || is_drained {
                return reply;
            }
        }
    }

    /// Returns the number of calls that JavaScript has made.
    pub(super) fn calls(&self) -> u32 {
        self.made.load(Relaxed)
    }

    /// Looks for a reply for a moment if JavaScript has made calls since their number was `made`, which becomes their present
    /// number. Returns whether JavaScript can take replies.
    ///
    /// Returns false if more replies waited than a turn of the event loop takes.
    pub(super) fn has_reply_to_call_since(&self, made: &mut u32, look: &mut Look) -> bool {
        let now = self.calls();
        let are_new = mem::replace(made, now) != now;
        are_new && self.is_drained.load(Relaxed) && self.replies.look(look)
    }

    /// Wakes JavaScript.
    pub(crate) fn ring(&self) {
        let rung = match &*self.clapper.read().unwrap_or_else(PoisonError::into_inner) {
            Some(Clapper::Uv(uv)) => {
                uv.send();
                true
            }
            Some(Clapper::Function(function)) => function.call(),
            None => true,
        };
        if !rung {
            self.forget();
        }
    }

    /// Sets whether the bell keeps the event loop alive.
    pub(crate) fn hold(&self, env: &Env, on: bool) -> Outcome<()> {
        match &*self.clapper.read().unwrap_or_else(PoisonError::into_inner) {
            Some(Clapper::Uv(uv)) => {
                uv.hold(env, on);
                Ok(())
            }
            Some(Clapper::Function(function)) => function.hold(env, on),
            None => Ok(()),
        }
    }

    /// Adds a database, which stops when the environment ends.
    pub(crate) fn add(&self, database: &Arc<Shared>) {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        databases.retain(|database| database.strong_count() > 0);
        databases.push(Arc::downgrade(database));
    }

    /// Ends the use of the event loop while the process exits. Later replies are never delivered.
    pub(crate) fn forget(&self) {
        let _ = self.take_clapper();
    }

    fn take_clapper(&self) -> Option<Clapper> {
        self.clapper.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Stops every database when the environment ends: at the end of a worker, or of the process. Later replies are never
    /// delivered.
    pub(super) fn environment_ends(&self) {
        if let Some(Clapper::Function(function)) = self.take_clapper() {
            function.release();
        }
        let databases = mem::take(&mut *self.databases.lock().unwrap_or_else(PoisonError::into_inner));
        for database in databases.iter().filter_map(Weak::upgrade) {
            database.stop();
        }
    }
}
