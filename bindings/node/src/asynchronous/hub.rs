//! The functions through which a JavaScript thread talks to the threads of its databases.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, JsValue, Unknown, sys};
use napi_derive::napi;
use strongroom_queue::Ticket;

use crate::asynchronous::bell::Bell;
use crate::asynchronous::rows::Columns;
use crate::asynchronous::{deliver, submit};
use crate::calls::{self, guarded};
use crate::error::{Failure, Outcome};
use crate::exchange::Exchange;
use crate::handle::{self, Handle};
use crate::panic_request::panic_if_requested;
use crate::reference::Reference;

/// The state of a JavaScript thread.
pub(crate) struct Hub {
    pub(crate) bell: Arc<Bell>,
    pub(crate) exchange: Rc<Exchange>,
    /// The function that gets the replies.
    pub(crate) deliver: Reference,
    /// The columns of the reply that `deliver` gets.
    pub(crate) columns: RefCell<Option<Arc<Columns>>>,
    /// The calls that have failed in JavaScript's thread, and whose threads will send more replies.
    pub(crate) failed: RefCell<HashSet<Ticket>>,
}

/// Returns `[hub, drain, hold, submit, columns]`: the handle of the JavaScript thread, and the functions.
///
/// The event loop calls `wake()` when replies wait. `drain` then calls `deliver(ticket, kind, value)` for each reply, whose
/// rows are in the shared memory of `calls`. `has_uv` is true if the event loop is libuv's.
///
/// # Errors
///
/// Fails if Node-API fails.
#[napi(catch_unwind, ts_return_type = "unknown[]")]
pub fn asynchronous(
    env: Env,
    #[napi(ts_arg_type = "() => void")] wake: Unknown,
    #[napi(ts_arg_type = "(ticket: number, kind: number, value: unknown) => void")] deliver: Unknown,
    #[napi(ts_arg_type = "boolean")] has_uv: Unknown,
) -> napi::Result<Handle> {
    panic_if_requested();
    let create = || {
        let hub = Rc::new(Hub {
            bell: Bell::new(&env, wake.raw(), handle::boolean(&env, has_uv.raw())?)?,
            exchange: Exchange::of(&env)?,
            deliver: Reference::new(&env, deliver.raw())?,
            columns: RefCell::default(),
            failed: RefCell::default(),
        });
        let functions: [(&CStr, sys::napi_callback); 4] = [
            (c"drain", Some(drain)),
            (c"hold", Some(hold)),
            (c"submit", Some(submit::submit)),
            (c"columns", Some(columns)),
        ];
        let array = handle::array(&env)?;
        handle::set_element(&env, array, 0, calls::external(&env, &hub)?)?;
        for (index, (name, callback)) in (1..).zip(functions) {
            handle::set_element(&env, array, index, calls::function(&env, name, callback, &hub)?)?;
        }
        Ok(array)
    };
    create().map_err(|failure: Failure| failure.throw(&env))
}

/// Runs one of the functions with its first `N` arguments.
fn answer<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: impl FnOnce(&Env, &Hub, [Handle; N]) -> Outcome<Option<Handle>>,
) -> sys::napi_value {
    guarded(env, |env| {
        handle::with_arguments::<N, _>(&env, info, N, |arguments, hub| {
            let first = arguments.first_chunk().copied();
            let first = first.ok_or_else(|| napi::Error::from_reason("a call lacks arguments"))?;
            // SAFETY: the data comes from `asynchronous`, and is live while the function runs.
            work(&env, unsafe { &*hub.cast::<Hub>() }, first)
        })
    })
}

unsafe extern "C" fn drain(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |env, hub, [collect, limit]| {
        let limit = handle::number(env, limit)?;
        let more = deliver::drain(env, hub, collect, limit as usize);
        if more.is_err() {
            // The replies that wait need another call of `wake`.
            hub.bell.ring();
        }
        Ok(Some(handle::from_boolean(env, more?)?))
    })
}

unsafe extern "C" fn hold(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |env, hub, [on]| {
        hub.bell.hold(env, handle::boolean(env, on)?)?;
        Ok(None)
    })
}

unsafe extern "C" fn columns(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |env, hub, []| deliver::columns(env, hub).map(Some))
}

/// Returns the bell of the JavaScript thread.
///
/// # Errors
///
/// Fails for a value that is not a handle.
pub(crate) fn bell(env: &Env, hub: Handle) -> Outcome<Arc<Bell>> {
    // SAFETY: the TypeScript layer passes the handle of `asynchronous`, which is live as an argument of the running call.
    let hub = unsafe { &*handle::external_data(env, hub)?.cast::<Hub>() };
    Ok(Arc::clone(&hub.bell))
}
