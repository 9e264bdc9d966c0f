//! Wakes Node's event loop through libuv.
//!
//! Node-API's threadsafe function holds a lock while it wakes the event loop, so the loop's thread soon waits for that lock,
//! and sleeps a second time for each call. libuv's own function has no lock, and the loop runs its callback once for all
//! calls that came before. Node exports libuv's functions, whose interface is stable throughout libuv 1
//! (<https://docs.libuv.org/en/v1.x/async.html>).

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use napi::{Env, sys};
use strongroom_queue::Look;

use crate::asynchronous::bell::Bell;
use crate::asynchronous::program::program;
use crate::error::Outcome;
use crate::handle::{self, Handle, check};
use crate::reference::Reference;

/// A handle of libuv, whose fields only libuv knows.
type UvHandle = *mut c_void;
type Callback = Option<unsafe extern "C" fn(UvHandle)>;

/// How long a turn of the event loop looks for the replies to the calls that are made in it.
const TURN: Duration = Duration::from_millis(1);

/// `UV_ASYNC`, the type of a handle that wakes the loop.
const ASYNC: c_int = 1;

/// The functions of libuv.
struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    set_data: unsafe extern "C" fn(UvHandle, *mut c_void),
    get_data: unsafe extern "C" fn(UvHandle) -> *mut c_void,
    async_init: unsafe extern "C" fn(*mut sys::uv_loop_s, UvHandle, Callback) -> c_int,
    async_send: unsafe extern "C" fn(UvHandle) -> c_int,
    hold: unsafe extern "C" fn(UvHandle),
    release: unsafe extern "C" fn(UvHandle),
    close: unsafe extern "C" fn(UvHandle, Callback),
}

impl Uv {
    /// Returns the functions, or `None` if the program does not export them.
    fn get() -> Option<&'static Uv> {
        static UV: OnceLock<Option<Uv>> = OnceLock::new();
        UV.get_or_init(|| {
            let program = program()?;
            // SAFETY: the signatures are those of libuv 1. The program is never unloaded.
            unsafe {
                Some(Uv {
                    handle_size: *program.get(b"uv_handle_size\0").ok()?,
                    set_data: *program.get(b"uv_handle_set_data\0").ok()?,
                    get_data: *program.get(b"uv_handle_get_data\0").ok()?,
                    async_init: *program.get(b"uv_async_init\0").ok()?,
                    async_send: *program.get(b"uv_async_send\0").ok()?,
                    hold: *program.get(b"uv_ref\0").ok()?,
                    release: *program.get(b"uv_unref\0").ok()?,
                    close: *program.get(b"uv_close\0").ok()?,
                })
            }
        })
        .as_ref()
    }
}

/// A handle that wakes the event loop. The end of the environment closes the handle: its owner must drop this value then.
pub(super) struct Async {
    uv: &'static Uv,
    handle: UvHandle,
}

// SAFETY: libuv allows any thread to send. `hold` is for JavaScript's thread and has an `Env`.
unsafe impl Send for Async {}
// SAFETY: as above.
unsafe impl Sync for Async {}

/// The state of a handle, which only JavaScript's thread uses. The handle's memory is freed after libuv has closed it.
struct Woken {
    uv: &'static Uv,
    /// The memory of the handle.
    handle: Box<[u64]>,
    env: Env,
    wake: Cell<Option<Reference>>,
    context: sys::napi_async_context,
    bell: Arc<Bell>,
    look: RefCell<Look>,
    /// The hook that runs at the end of the environment. The environment waits until the hook is removed.
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
}

impl Async {
    /// Creates a handle that calls `wake` from the event loop, and does not keep the event loop alive.
    ///
    /// A turn of the event loop calls `wake` again for about a millisecond, as long as the callers make calls and the replies
    /// come at once. The end of the environment is reported to `bell`; no thread may send afterwards.
    ///
    /// Returns `None` if the program has no libuv.
    pub(super) fn start(env: &Env, wake: Handle, bell: &Arc<Bell>) -> Outcome<Option<Self>> {
        let (Some(uv), Some(event_loop)) = (Uv::get(), event_loop(env)) else { return Ok(None) };
        // SAFETY: the function only returns a number.
        let size = unsafe { (uv.handle_size)(ASYNC) };
        let woken = Box::into_raw(Box::new(Woken {
            uv,
            handle: vec![0; size.div_ceil(size_of::<u64>())].into_boxed_slice(),
            env: Env::from_raw(env.raw()),
            wake: Cell::new(Some(Reference::new(env, wake)?)),
            context: context(env)?,
            bell: Arc::clone(bell),
            look: RefCell::new(Look::new()),
            hook: Cell::new(ptr::null_mut()),
        }));
        // SAFETY: the value is live until `closed`.
        let handle = unsafe { (*woken).handle.as_mut_ptr() }.cast::<c_void>();
        // SAFETY: the handle has the size that libuv wants, and keeps its address until `closed`. The loop belongs to this
        // thread.
        unsafe {
            if (uv.async_init)(event_loop, handle, Some(awake)) != 0 {
                (*woken).leave();
                drop(Box::from_raw(woken));
                return Ok(None);
            }
            (uv.set_data)(handle, woken.cast());
            (uv.release)(handle);
            let mut hook = ptr::null_mut();
            let status =
                sys::napi_add_async_cleanup_hook(env.raw(), Some(environment_ends), woken.cast(), &mut hook);
            if let Err(failure) = check(env, status, "napi_add_async_cleanup_hook") {
                (*woken).leave();
                (uv.close)(handle, Some(closed));
                return Err(failure);
            }
        }
        Ok(Some(Self { uv, handle }))
    }

    /// Wakes the event loop.
    pub(super) fn send(&self) {
        // SAFETY: the handle is open: the owner drops this value before the handle is closed.
        unsafe { (self.uv.async_send)(self.handle) };
    }

    /// Sets whether the handle keeps the event loop alive. `env` is the environment of the handle.
    pub(super) fn hold(&self, _env: &Env, on: bool) {
        let set = if on { self.uv.hold } else { self.uv.release };
        // SAFETY: the handle is open, and this is the thread of its loop.
        unsafe { set(self.handle) };
    }
}

/// Returns the event loop of an environment.
fn event_loop(env: &Env) -> Option<*mut sys::uv_loop_s> {
    let mut event_loop = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &mut event_loop) };
    (status == sys::Status::napi_ok && !event_loop.is_null()).then_some(event_loop)
}

/// Returns the context in which Node calls the callbacks, and with which it names them in diagnostics.
fn context(env: &Env) -> Outcome<sys::napi_async_context> {
    let name = handle::string(env, "strongroom")?;
    let mut context = ptr::null_mut();
    // SAFETY: `name` is a handle of the running call. Without a resource, Node-API creates one.
    let status = unsafe { sys::napi_async_init(env.raw(), ptr::null_mut(), name, &mut context) };
    check(env, status, "napi_async_init")?;
    Ok(context)
}

/// Calls `wake` from the event loop.
unsafe extern "C" fn awake(handle: UvHandle) {
    // A panic must not cross libuv.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Some(uv) = Uv::get() else { return };
        // SAFETY: the data comes from `start`, and is live until `closed`.
        let woken = unsafe { &*(uv.get_data)(handle).cast::<Woken>() };
        woken.turn();
    }));
}

impl Woken {
    fn turn(&self) {
        let begun = Instant::now();
        let mut made = self.bell.calls();
        // After a failure, which an environment that ends causes, no reply is delivered any more.
        while self.call().is_ok()
            && self.bell.has_reply_to_call_since(&mut made, &mut self.look.borrow_mut())
            && begun.elapsed() < TURN
        {}
    }

    fn call(&self) -> Outcome<()> {
        let env = &self.env;
        let _scope = handle::Scope::open(env)?;
        let Some(wake) = self.wake.take() else { return Ok(()) };
        let function = wake.value();
        self.wake.set(Some(wake));
        let (function, mut global, mut result) = (function?, ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment lives until the handle is closed, and this is its thread. The values are handles of the
        // scope.
        unsafe {
            check(env, sys::napi_get_global(env.raw(), &mut global), "napi_get_global")?;
            sys::napi_make_callback(env.raw(), self.context, global, function, 0, ptr::null(), &mut result);
        }
        if let Some(exception) = handle::take_exception(env) {
            // SAFETY: `exception` is a handle of the scope.
            unsafe { sys::napi_fatal_exception(env.raw(), exception) };
        }
        Ok(())
    }

    /// Frees what belongs to the environment.
    fn leave(&self) {
        drop(self.wake.take());
        // SAFETY: the environment has not ended, and the context comes from it.
        unsafe { sys::napi_async_destroy(self.env.raw(), self.context) };
    }
}

unsafe extern "C" fn environment_ends(hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the data comes from `start`, and is live until `closed`.
        let woken = unsafe { &*data.cast::<Woken>() };
        woken.hook.set(hook);
        woken.bell.environment_ends();
        woken.leave();
        // SAFETY: the handle is open, and no thread sends any more.
        unsafe { (woken.uv.close)(woken.handle.as_ptr().cast_mut().cast(), Some(closed)) };
    }));
}

unsafe extern "C" fn closed(handle: UvHandle) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Some(uv) = Uv::get() else { return };
        // SAFETY: the data comes from `start`. libuv calls this function once, and does not use the handle any more.
        let woken = unsafe { Box::from_raw((uv.get_data)(handle).cast::<Woken>()) };
        let hook = woken.hook.get();
        drop(woken);
        if !hook.is_null() {
            // SAFETY: Node-API has passed this hook to `environment_ends`.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }
    }));
}
