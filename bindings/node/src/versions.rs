//! The versions of the libraries in the addon.

use napi::Env;
use napi_derive::napi;

use crate::{error::Failure, panic_request::panic_if_requested};

/// The version that each library reports.
#[napi(object, object_from_js = false)]
pub struct NativeVersions {
    /// SQLite.
    pub sqlite: String,
    /// SQLCipher.
    pub sqlcipher: String,
    /// OpenSSL.
    pub openssl: String,
    /// zstd.
    pub zstd: String,
}

/// Returns the versions of the libraries.
///
/// # Errors
///
/// Fails if a library cannot be initialised.
#[napi(catch_unwind)]
pub fn library_versions(env: Env) -> napi::Result<NativeVersions> {
    panic_if_requested();
    let versions = strongroom_database::versions().map_err(|source| {
        let error = strongroom_database::OpenError::Init { source };
        Failure::from(error).throw(&env)
    })?;
    Ok(NativeVersions {
        sqlite: versions.sqlite,
        sqlcipher: versions.sqlcipher.unwrap_or_default(),
        openssl: versions.openssl,
        zstd: versions.zstd,
    })
}
