//! The addon of the npm package `strongroom`, which converts values between JavaScript and the engine.
//!
//! The TypeScript layer (`../ts`) holds the names, defaults, validation and documentation. Only this layer calls the
//! exports. Three rules hold for every export:
//! - A panic never reaches Node: each function has `catch_unwind`, and the TypeScript layer turns the result into an
//!   error. `panic.test.mjs` makes each export panic.
//! - No function takes `&mut self`, because JavaScript can re-enter. A `RefCell` holds the state, and a second borrow
//!   fails.
//! - Only the modules that run for every row, and the modules that keep references, call Node-API directly. The list
//!   below marks each of these modules with `unsafe_code`.
//!
//! The crate defines no defaults and no option names, and leaves every decision about a database to the engine.

mod asynchronous;
mod attach;
mod backup;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod batch;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod callback;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod calls;
mod check;
mod database;
mod encode;
mod error;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod exchange;
mod extension;
mod function;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod handle;
mod key;
mod keys;
mod layout;
mod migrate;
mod panic_request;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod parameters;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod reference;
mod rekey;
mod rotate;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod row;
mod staging;
mod statement;
mod table;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod text;
mod versions;

use std::hint::black_box;

use napi_derive::napi;

pub use crate::asynchronous::asynchronous;
pub use crate::calls::calls;
pub use crate::keys::generate_recovery_code;
use crate::panic_request::{panic_if_requested, request_panic, request_panic_in_job};
pub use crate::versions::{NativeVersions, library_versions};

/// The text from which `cargo xtask pack` reads the version of an addon that it cannot load.
const MARK: &str = concat!("strongroom-addon-version=", env!("CARGO_PKG_VERSION"), ";");

/// Returns the package version of the addon. The loader compares this version with its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    panic_if_requested();
    // Without `black_box` the optimizer would keep only the version.
    black_box(MARK).split(['=', ';']).nth(1).unwrap_or_default()
}

/// Panics with the message, or makes the next call of another export panic. Tests call this function to check that a
/// panic becomes an error in Node.
///
/// The package's public entry does not export this function.
#[napi(js_name = "panicForTest", catch_unwind)]
pub fn panic_for_test(message: String, in_next_call: Option<bool>) {
    if in_next_call != Some(true) {
        panic!("{message}");
    }
    request_panic();
}

/// Makes the next job of a thread of the asynchronous class panic.
///
/// The package's public entry does not export this function.
#[napi(js_name = "panicInJobForTest", catch_unwind)]
pub fn panic_in_job_for_test() {
    panic_if_requested();
    request_panic_in_job();
}

#[cfg(test)]
mod tests {
    //! Compares the generated files of this package with the engine.

    use std::{env, fs, path::PathBuf};

    /// The package's folder in the checkout.
    fn folder() -> PathBuf {
        env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
    }

    /// The TypeScript union of every `code` that an error can carry.
    fn codes() -> String {
        let mut codes: Vec<&str> = strongroom_database::codes();
        codes.push(crate::error::INTERNAL);
        codes.extend(crate::error::ASYNC_CODES);
        codes.sort_unstable();
        codes.dedup();
        let members: String = codes.iter().map(|code| format!("  | '{code}'\n")).collect();
        format!(
            "// Generated from the engine's list: UPDATE=1 cargo test -p bindings_node\n\n\
             /** Every `code` of a {{@link SqliteError}}. */\n\
             export type SqliteErrorCode =\n{}\n",
            members.trim_end()
        )
    }

    #[test]
    fn the_typescript_codes_match_the_engine() {
        let file = folder().join("ts/api/codes.ts");
        let expected = codes();
        if env::var_os("UPDATE").is_some() {
            fs::write(&file, &expected).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            expected,
            "ts/api/codes.ts is out of date: run `UPDATE=1 cargo test -p bindings_node`"
        );
    }
}
