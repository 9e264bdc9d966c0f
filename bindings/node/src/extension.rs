//! Loads extensions for JavaScript.

use napi::Env;
use napi_derive::napi;

use crate::{database::NativeDatabase, error::Failure};

#[napi]
impl NativeDatabase {
    /// Loads an SQLite extension and calls the function `entryPoint`, or SQLite's default entry point.
    #[napi(catch_unwind)]
    pub fn load_extension(&self, env: Env, path: String, entry_point: Option<String>) -> napi::Result<()> {
        let loaded = self.database().load_extension(&path, entry_point.as_deref());
        loaded.map_err(|error| Failure::from(error).throw(&env))
    }
}
