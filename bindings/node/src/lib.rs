//! The addon behind the npm package `strongroom`: it converts, delegates to the engine, and converts back.
//!
//! Names, defaults, validation and documentation for users are in the TypeScript layer (`../ts`), which is the only
//! caller of what is exported here. Three rules hold for every export:
//! - a panic never crosses: each function says `catch_unwind`, and the layer above turns the result into an error;
//! - no `&mut self`: JavaScript can re-enter, so state is behind a `RefCell` and a second borrow is an error;
//! - raw Node-API calls are only in `handle.rs`, `parameters.rs` and `row.rs`, the path that each row takes.

mod database;
mod error;
mod handle;
mod parameters;
mod row;
mod statement;

use std::hint::black_box;

use napi_derive::napi;

/// By this text `cargo xtask pack` finds the version in a file that it cannot load.
const MARK: &str = concat!("strongroom-addon-version=", env!("CARGO_PKG_VERSION"), ";");

/// The version of the package that this addon belongs to; the loader compares it with its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    // An optimizer that saw through this would leave nothing of the mark but the version.
    black_box(MARK).split(['=', ';']).nth(1).unwrap_or_default()
}

/// Panics, so that a test of the very addon that is shipped can show that Node survives one.
///
/// Undocumented on purpose: the package's public entry does not export it.
#[napi(js_name = "panicForTest", catch_unwind)]
pub fn panic_for_test(message: String) -> u32 {
    panic!("{message}")
}

#[cfg(test)]
mod tests {
    //! What one file of this package says about another.

    use std::{env, fs, path::PathBuf};

    /// The package's folder in the checkout whose tests cargo runs.
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
             /** Every `code` that a {{@link SqliteError}} can carry. */\n\
             export type SqliteErrorCode =\n{}\n",
            members.trim_end()
        )
    }

    #[test]
    fn the_codes_in_typescript_are_the_engines() {
        let file = folder().join("ts/codes.ts");
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
