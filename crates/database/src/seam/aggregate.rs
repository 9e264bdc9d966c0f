//! Aggregates and window functions that SQLite calls back.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use vendored_sys::sqlite;

use super::callback::{Arguments, CallbackFailures, drop_guarded, function_flags, guarded, set_result};
use super::{Core, Failure};
use crate::{Accumulator, CallbackError, FunctionOptions};

/// Creates the accumulator of a group.
pub(crate) type Start = Box<dyn Fn() -> Result<Box<dyn Accumulator>, CallbackError>>;

/// States whether an aggregate is also a window function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Windowed {
    Yes,
    No,
}

/// The user data of an aggregate.
struct Registered {
    start: Start,
    failures: CallbackFailures,
}

/// The state of a group. SQLite's memory for the group holds a pointer to this state.
struct Group {
    /// `None` after an error.
    accumulator: Option<Box<dyn Accumulator>>,
    /// `true` once SQLite has asked for the value of a window. The final call then only frees the group.
    asked: bool,
}

/// Creates or replaces an aggregate.
pub(crate) fn create_aggregate(
    core: &Core,
    name: &CStr,
    options: FunctionOptions,
    windowed: Windowed,
    start: Start,
) -> Result<(), Failure> {
    let db = core.unused_db()?;
    let _entered = core.enter();
    let registered = Box::into_raw(Box::new(Registered { start, failures: core.failures.clone() }));
    let window = windowed == Windowed::Yes;
    // SAFETY: the connection is open, and the name ends in NUL. SQLite owns the user data from here on, and passes it to
    // `destroy` once, even if the call fails.
    let code = unsafe {
        sqlite::sqlite3_create_window_function(
            db,
            name.as_ptr(),
            options.arguments.map_or(-1, c_int::from),
            function_flags(options),
            registered.cast(),
            Some(step),
            Some(finish),
            if window { Some(value) } else { None },
            if window { Some(inverse) } else { None },
            Some(destroy),
        )
    };
    core.check(code)
}

/// Calls `call` with the group of a running call, and creates the group if necessary. Does nothing after an error in the
/// group.
///
/// # Safety
///
/// `context` belongs to a running call of an aggregate of this module, and no other reference to its group exists.
unsafe fn with_group(
    context: *mut sqlite::sqlite3_context,
    call: impl FnOnce(&mut Group, &CallbackFailures) -> Result<(), CallbackError>,
) {
    // SAFETY: the user data lives as long as SQLite can call the aggregate. SQLite's memory for the group is zeroed, and
    // aligned for pointers.
    let (registered, place) = unsafe {
        let registered = &*sqlite::sqlite3_user_data(context).cast::<Registered>();
        let size = size_of::<*mut Group>() as c_int;
        (registered, sqlite::sqlite3_aggregate_context(context, size).cast::<*mut Group>())
    };
    if place.is_null() {
        // SAFETY: the context belongs to the running call.
        unsafe { sqlite::sqlite3_result_error_nomem(context) };
        return;
    }
    // SAFETY: the place holds null or the pointer written below, which only `finish` takes out.
    let group = unsafe {
        if (*place).is_null() {
            let group = Group { accumulator: None, asked: false };
            place.write(Box::into_raw(Box::new(group)));
            match guarded(|| (registered.start)()) {
                Ok(accumulator) => (**place).accumulator = Some(accumulator),
                Err(error) => set_result(context, Err(error), &registered.failures),
            }
        }
        &mut **place
    };
    if group.accumulator.is_none() {
        return;
    }
    if let Err(error) = guarded(|| call(group, &registered.failures)) {
        drop_guarded(group.accumulator.take());
        // SAFETY: the context belongs to the running call.
        unsafe { set_result(context, Err(error), &registered.failures) };
    }
}

unsafe extern "C" fn step(
    context: *mut sqlite::sqlite3_context,
    count: c_int,
    values: *mut *mut sqlite::sqlite3_value,
) {
    // SAFETY: the values live during the call. SQLite never makes two calls for a group at the same time.
    unsafe {
        let arguments = Arguments::new(count, values);
        with_group(context, |group, _| {
            group.accumulator.as_mut().map_or(Ok(()), |accumulator| accumulator.step(&arguments))
        });
    }
}

unsafe extern "C" fn inverse(
    context: *mut sqlite::sqlite3_context,
    count: c_int,
    values: *mut *mut sqlite::sqlite3_value,
) {
    // SAFETY: as in `step`.
    unsafe {
        let arguments = Arguments::new(count, values);
        with_group(context, |group, _| {
            group.accumulator.as_mut().map_or(Ok(()), |accumulator| accumulator.inverse(&arguments))
        });
    }
}

unsafe extern "C" fn value(context: *mut sqlite::sqlite3_context) {
    // SAFETY: as in `step`.
    unsafe {
        with_group(context, |group, failures| {
            group.asked = true;
            let Some(accumulator) = &mut group.accumulator else { return Ok(()) };
            let value = accumulator.value()?;
            set_result(context, Ok(value), failures);
            Ok(())
        });
    }
}

/// Returns the result of a group and frees it. SQLite makes this call for each group, even if the statement failed.
unsafe extern "C" fn finish(context: *mut sqlite::sqlite3_context) {
    // SAFETY: as in `step`. The pointer is taken out of SQLite's memory, so that the group is freed once.
    unsafe {
        with_group(context, |group, failures| {
            if group.asked {
                return Ok(());
            }
            let Some(accumulator) = &mut group.accumulator else { return Ok(()) };
            let value = accumulator.value()?;
            set_result(context, Ok(value), failures);
            Ok(())
        });
        let place = sqlite::sqlite3_aggregate_context(context, 0).cast::<*mut Group>();
        if !place.is_null() && !(*place).is_null() {
            drop_guarded(Box::from_raw(place.replace(ptr::null_mut())));
        }
    }
}

unsafe extern "C" fn destroy(registered: *mut c_void) {
    // SAFETY: `create_aggregate` created the box, and SQLite returns it exactly once.
    drop_guarded(unsafe { Box::from_raw(registered.cast::<Registered>()) });
}
