//! The addon of the npm package `strongroom`, which converts values between JavaScript and the engine.
//!
//! The TypeScript layer (`../ts`) has names, defaults, validation and documentation, and is the only caller of the exports.
//! Three rules hold for every export:
//! - A panic never crosses: each function has `catch_unwind`, and the TypeScript layer turns the result into an error.
//! - No function takes `&mut self`: JavaScript can re-enter, so that a `RefCell` holds the state, and a second borrow fails.
//! - Only `handle.rs`, `parameters.rs` and `row.rs`, the path of each row, have raw Node-API calls.

mod database;
mod error;
mod handle;
mod parameters;
mod row;
mod statement;

use std::hint::black_box;

use napi_derive::napi;

/// `cargo xtask pack` searches for this text to find the version of an addon that it cannot load.
const MARK: &str = concat!("strongroom-addon-version=", env!("CARGO_PKG_VERSION"), ";");

/// Returns the version of the addon's package, which the loader compares with its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    // Without `black_box` the optimizer would keep only the version.
    black_box(MARK).split(['=', ';']).nth(1).unwrap_or_default()
}

/// Panics, so that a test can show that Node survives a panic of the shipped addon.
///
/// The package's public entry does not export this function.
#[napi(js_name = "panicForTest", catch_unwind)]
pub fn panic_for_test(message: String) -> u32 {
    panic!("{message}")
}

#[cfg(test)]
mod tests {
    //! Files of this package that must agree.

    use std::{env, fs, path::PathBuf};

    /// The package's folder in the checkout.
    fn folder() -> PathBuf {
        env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
    }

    /// The TypeScript union of every `code` that an error can carry.
    fn codes() -> String {
        let mut codes: Vec<&str> = strongroom_database::codes();
        codes.push(crate::error::INTERNAL);
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
    fn the_codes_in_typescript_are_the_engines() {
        let file = folder().join("ts/api/codes.ts");
        let expected = codes();
        if env::var_os("UPDATE").is_some() {
            fs::write(&file, &expected).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            expected,
            "UPDATE=1 cargo test -p bindings_node writes it"
        );
    }

    #[test]
    fn every_export_catches_panics() {
        let folder = folder().join("src");
        let mut functions = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let source = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = source.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                if !line.trim_start().starts_with("#[napi") {
                    continue;
                }
                let mut below = lines[index + 1..].iter().map(|line| line.trim_start());
                if below.find(|line| !line.starts_with('#')).is_some_and(|item| item.starts_with("pub fn ")) {
                    functions += 1;
                    assert!(line.contains("catch_unwind"), "{}:{}", path.display(), index + 1);
                }
            }
        }
        assert!(functions > 10, "only {functions} exported functions were found");
    }
}
