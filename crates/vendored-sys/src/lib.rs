//! .
pub use libsqlite3_sys as sqlite;
pub use openssl_sys as openssl;
pub use zstd_sys as zstd;
