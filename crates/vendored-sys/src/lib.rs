//! OpenSSL, SQLCipher and zstd: the only crate through which C comes in.
//!
//! Every other crate reaches the C through this crate, and calls [`init`] first. The -sys crates' build scripts compile the
//! C; this crate's build script checks which machine the libraries are for, and installs them into the folder that
//! `VENDORED_SYS_INSTALL` names. The crate knows no key, no database and no crate of this workspace but `vendored-toolchain`.
//!
//! # Where the libraries come from
//!
//! - Feature `vendored`, the default, compiles the sources that the -sys crates bring.
//! - Feature `system`, without the default, takes the distribution's libraries as pkg-config finds them. SQLCipher's
//!   SQLite must be 3.45.3 or later.
//! - The -sys crates' own switches override `vendored`, and change no feature, so they serve the crates that depend
//!   on this one as well: `OPENSSL_NO_VENDOR=1 LIBSQLITE3_SYS_USE_PKG_CONFIG=1 ZSTD_SYS_USE_PKG_CONFIG=1`. Alone
//!   they mean the distribution's libraries. For a prefix that `VENDORED_SYS_INSTALL` filled, add `OPENSSL_DIR`,
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
