//! The functions that run statements.
//!
//! These functions use raw Node-API, because a napi-derive class converts every argument of every call. The arguments
//! are a statement's handle, an integer with the flags and the row limit, a function that returns its arguments as an
//! array, and the values of the parameters. `ts/api/calls.ts` describes the functions.

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::{Env, Status, sys};
use napi_derive::napi;

use crate::batch::Answer;
use crate::encode::{Form, Request};
use crate::error::{Failure, Outcome};
use crate::exchange::Exchange;
use crate::handle::{self, Handle, check};
use crate::panic_request::panic_if_requested;
use crate::row::Integers;
use crate::statement::{Running, State};

/// The flags of a call, in the bits below the row limit.
const BIGINTS: u32 = 1;
const ONLY_FIRST: u32 = 2;
/// The call passes the values of the parameters, which replace the values that `bind` has bound.
const VALUES: u32 = 4;
/// The call may read rows before the caller requests them.
const AHEAD: u32 = 8;
const LIMIT: u32 = 4;

/// The number of arguments before the values.
const FIXED: usize = 3;
/// The largest number of arguments that a call reads without an allocation.
const FEW: usize = FIXED + 9;

/// A call from JavaScript.
struct Call<'c> {
    env: Env,
    exchange: &'c Exchange,
    statement: &'c Running,
    flags: u32,
    collect: Handle,
    values: &'c [Handle],
}

/// Returns `[slots, bytes, run, get, start, more, end, wipe]`: the shared memory, and the functions.
///
/// # Errors
///
/// Fails if Node-API fails.
#[napi(catch_unwind, ts_return_type = "unknown[]")]
pub fn calls(env: Env) -> napi::Result<Handle> {
    panic_if_requested();
    let calls = || {
        let exchange = Exchange::of(&env)?;
        let array = handle::array(&env)?;
        let [slots, bytes] = exchange.buffers()?;
        let functions: [(&CStr, sys::napi_callback); 6] = [
            (c"run", Some(run)),
            (c"get", Some(get)),
            (c"start", Some(start)),
            (c"more", Some(more)),
            (c"end", Some(end)),
            (c"wipe", Some(wipe)),
        ];
        handle::set_element(&env, array, 0, slots)?;
        handle::set_element(&env, array, 1, bytes)?;
        for (index, (name, callback)) in (2..).zip(functions) {
            handle::set_element(&env, array, index, function(&env, name, callback, &exchange)?)?;
        }
        Ok(array)
    };
    calls().map_err(|failure: Failure| failure.throw(&env))
}

/// Creates a function that keeps its data alive, such as the shared memory.
pub(crate) fn function<T>(
    env: &Env,
    name: &CStr,
    callback: sys::napi_callback,
    data: &Rc<T>,
) -> Outcome<Handle> {
    let data = Rc::into_raw(Rc::clone(data)).cast_mut().cast::<c_void>();
    let mut function = ptr::null_mut();
    // SAFETY: the name ends in NUL. The data is live as long as the function, whose finalizer frees it.
    unsafe {
        let length = name.count_bytes() as isize;
        let status =
            sys::napi_create_function(env.raw(), name.as_ptr(), length, callback, data, &mut function);
        check(env, status, "napi_create_function")?;
        let status = sys::napi_add_finalizer(
            env.raw(),
            function,
            data,
            Some(free::<T>),
            ptr::null_mut(),
            ptr::null_mut(),
        );
        check(env, status, "napi_add_finalizer")?;
    }
    Ok(function)
}

/// Creates the handle that identifies a value, such as a statement, to the functions.
pub(crate) fn external<T>(env: &Env, value: &Rc<T>) -> Outcome<Handle> {
    let data = Rc::into_raw(Rc::clone(value)).cast();
    // SAFETY: the finalizer frees the data.
    unsafe { handle::external(env, data, free::<T>) }
}

/// Drops the data that a JavaScript value kept alive.
unsafe extern "C" fn free<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the data comes from `Rc::into_raw`, and Node-API calls the finalizer once.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drop(Rc::from_raw(data.cast::<T>())) }));
}

unsafe extern "C" fn run(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |call| {
        let database = &call.statement.database;
        let before = database.total_changes();
        call.begin(|call, state| {
            while state.statement.step()?.is_some() {}
            call.finish(state);
            Ok(())
        })?;
        // SQLite keeps the count of the previous statement if a statement changes no rows.
        let changed = database.total_changes() != before;
        let changes = if changed { database.changes() } else { 0 };
        call.exchange.set_outcome(changes, database.last_insert_rowid(), call.flags & BIGINTS != 0);
        Ok(None)
    })
}

unsafe extern "C" fn get(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |call| {
        call.begin(|call, state| {
            let direct = call.flags & ONLY_FIRST != 0;
            let answer = call.read(state, &Request { direct, ..call.request(1) })?;
            // `finish` may call JavaScript, so `get` publishes the rows afterwards.
            call.finish(state);
            Ok(answer.publish(call.exchange))
        })
    })
}

unsafe extern "C" fn start(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |call| {
        call.begin(|call, state| match call.flags >> LIMIT {
            0 => Ok(None),
            limit => Ok(call.read(state, &call.request(limit as usize))?.publish(call.exchange)),
        })
    })
}

unsafe extern "C" fn more(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |call| {
        call.with_state(|state| {
            let limit = match call.flags >> LIMIT {
                2.. if call.flags & AHEAD != 0 && !state.may_read_ahead(&call.statement.database) => 1,
                limit => limit as usize,
            };
            Ok(call.read(state, &call.request(limit))?.publish(call.exchange))
        })
    })
}

unsafe extern "C" fn end(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |call| {
        let mut state = call.statement.state()?;
        call.finish(&mut state);
        Ok(None)
    })
}

unsafe extern "C" fn wipe(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    guarded(env, |env| {
        handle::with_arguments::<0, _>(&env, info, 0, |_, data| {
            // SAFETY: the data comes from `function`, and is live while the function runs.
            unsafe { &*data.cast::<Exchange>() }.wipe();
            Ok(None)
        })
    })
}

/// Reads the arguments of a call, then runs `work`.
fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: impl FnOnce(&Call<'_>) -> Outcome<Option<Handle>>,
) -> sys::napi_value {
    guarded(env, |env| with_call(env, info, work))
}

/// Turns a failure or a panic into an exception.
pub(crate) fn guarded(
    env: sys::napi_env,
    work: impl FnOnce(Env) -> Outcome<Option<Handle>>,
) -> sys::napi_value {
    let env = Env::from_raw(env);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        panic_if_requested();
        work(env)
    }));
    let failure = match outcome {
        Ok(Ok(value)) => return value.unwrap_or(ptr::null_mut()),
        Ok(Err(failure)) => failure,
        Err(payload) => Failure::panicked(&*payload),
    };
    let error = failure.throw(&env);
    if error.status != Status::PendingException {
        // A thread that is being terminated cannot throw the error, and no code would see it.
        let _ = env.throw_error(&error.reason, Some("GenericFailure"));
    }
    ptr::null_mut()
}

fn with_call<T>(
    env: Env,
    info: sys::napi_callback_info,
    work: impl FnOnce(&Call<'_>) -> Outcome<T>,
) -> Outcome<T> {
    handle::with_arguments::<FEW, _>(&env, info, FIXED, |arguments, data| {
        let &[statement, flags, collect, ref values @ ..] = arguments else {
            return Err(napi::Error::from_reason("a call lacks arguments").into());
        };
        let statement = handle::external_data(&env, statement)?;
        let flags = handle::number(&env, flags)?;
        // SAFETY: the data comes from `function`, and the handle from `external`: the TypeScript layer passes no other
        // handle. The data is live while the function runs, and the handle is live as its argument.
        let (exchange, statement) = unsafe { (&*data.cast::<Exchange>(), &*statement.cast::<Running>()) };
        work(&Call { env, exchange, statement, flags, collect, values })
    })
}

impl Call<'_> {
    /// Starts a run with the values of the call, then runs `work`. A failure ends the run.
    fn begin<T>(&self, work: impl FnOnce(&Self, &mut State) -> Outcome<T>) -> Outcome<T> {
        self.with_state(|state| {
            state.end();
            if self.flags & VALUES != 0 {
                state.bind_call(&self.env, self.exchange, self.values)?;
            }
            work(self, state)
        })
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> Outcome<T>) -> Outcome<T> {
        let mut state = self.statement.state()?;
        let result = work(&mut state);
        if result.is_err() {
            self.finish(&mut state);
        }
        result
    }

    fn finish(&self, state: &mut State) {
        state.end();
        if self.flags & VALUES != 0 {
            state.statement.clear_long_bindings();
        }
    }

    fn read(&self, state: &mut State, request: &Request) -> Outcome<Answer> {
        state.batch.read(&self.env, self.exchange, &mut state.statement, request, self.collect)
    }

    /// Returns a request for rows in the form that the call requests.
    fn request(&self, limit: usize) -> Request {
        let integers = if self.flags & BIGINTS != 0 { Integers::BigInts } else { Integers::Numbers };
        let form = Form { integers, only_first: self.flags & ONLY_FIRST != 0 };
        Request { form, limit, ahead: self.flags & AHEAD != 0, direct: false }
    }
}
