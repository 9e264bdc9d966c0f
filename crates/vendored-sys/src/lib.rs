//! OpenSSL, SQLCipher and zstd. No other crate links C libraries.
//!
//! Every other crate uses the C libraries through this crate, and calls [`init`] first. The -sys crates' build scripts
//! compile the C. This crate's build script checks which machine the libraries were compiled for, and installs them into
//! the folder that `VENDORED_SYS_INSTALL` names. The crate handles neither keys nor databases. In this workspace, it
//! depends only on `vendored-toolchain`.
//!
//! # Sources of the libraries
//!
//! - Feature `vendored`, the default, compiles the sources that the -sys crates contain.
//! - Feature `system`, without the default features, links the distribution's libraries that pkg-config finds. SQLCipher's
//!   SQLite must be 3.45.3 or later.
//! - The -sys crates' own switches override `vendored` without changing a feature, so crates that depend on this crate can
//!   use them too: `OPENSSL_NO_VENDOR=1 LIBSQLITE3_SYS_USE_PKG_CONFIG=1 ZSTD_SYS_USE_PKG_CONFIG=1`. These switches alone
//!   select the distribution's libraries. For a prefix that `VENDORED_SYS_INSTALL` filled, add `OPENSSL_DIR`,
//!   `OPENSSL_STATIC=1`, `SQLCIPHER_STATIC=1`, and `PKG_CONFIG_PATH_<triple>` with the prefix's `lib/pkgconfig`.

#[expect(unsafe_code, reason = "the module calls C")]
mod init;
#[expect(unsafe_code, reason = "the module calls C")]
mod versions;

pub use init::{InitError, init};
pub use versions::{Versions, versions};

pub use libsqlite3_sys as sqlite;
pub use openssl_sys as openssl;
pub use zstd_sys as zstd;

#[cfg(not(any(feature = "vendored", feature = "system")))]
compile_error!("vendored-sys needs one of its features: `vendored` (the default) or `system`");
