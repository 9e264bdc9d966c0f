//! SQL functions that SQLite calls back.

use std::ffi::{CStr, c_int, c_void};

use vendored_sys::sqlite;

use super::callback::{Arguments, CallbackFailures, drop_guarded, function_flags, guarded, set_result};
use super::{Core, Failure};
use crate::{CallbackError, FunctionOptions, OwnedValue};

/// A function of the caller.
pub(crate) type Function = Box<dyn Fn(&Arguments<'_>) -> Result<OwnedValue, CallbackError>>;

/// The user data of a function.
struct Registered {
    function: Function,
    failures: CallbackFailures,
}

/// Creates or replaces a function.
pub(crate) fn create_function(
    core: &Core,
    name: &CStr,
    options: FunctionOptions,
    function: Function,
) -> Result<(), Failure> {
    let db = core.unused_db()?;
    let _entered = core.enter();
    let registered = Box::into_raw(Box::new(Registered { function, failures: core.failures.clone() }));
    // SAFETY: the connection is open, and the name ends in NUL. SQLite owns the user data from here on, and passes it to
    // `destroy` once, even if the call fails.
    let code = unsafe {
        sqlite::sqlite3_create_function_v2(
            db,
            name.as_ptr(),
            options.arguments.map_or(-1, c_int::from),
            function_flags(options),
            registered.cast(),
            Some(call),
            None,
            None,
            Some(destroy),
        )
    };
    core.check(code)
}

unsafe extern "C" fn call(
    context: *mut sqlite::sqlite3_context,
    count: c_int,
    values: *mut *mut sqlite::sqlite3_value,
) {
    // SAFETY: the user data lives as long as SQLite can call the function. Nothing can replace the function while a
    // statement that uses it runs. The values live during the call.
    unsafe {
        let registered = &*sqlite::sqlite3_user_data(context).cast::<Registered>();
        let arguments = Arguments::new(count, values);
        let result = guarded(|| (registered.function)(&arguments));
        set_result(context, result, &registered.failures);
    }
}

unsafe extern "C" fn destroy(registered: *mut c_void) {
    // SAFETY: `create_function` created the box, and SQLite returns it exactly once.
    drop_guarded(unsafe { Box::from_raw(registered.cast::<Registered>()) });
}
