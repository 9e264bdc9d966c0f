//! The errors of images.

use strongroom_keys::KeyError;

use crate::{OpenError, SqlError};

/// An error of [`Database::serialize`](crate::Database::serialize) or
/// [`Database::serialize_encrypted`](crate::Database::serialize_encrypted).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The connection has no database of this name.
    #[error("cannot serialize \"{name}\": the connection has no database of this name; attach it first")]
    UnknownDatabase {
        /// The name.
        name: String,
    },

    /// The call asked for an encrypted image with the database's key, but the database has no key.
    #[error("cannot serialize \"{name}\" encrypted: the database is not encrypted; pass a key for the image")]
    NotEncrypted {
        /// The name of the database.
        name: String,
    },

    /// The pages of a database without a key have no room for the cipher.
    #[error(
        "cannot serialize \"{name}\" with this key: the database is not encrypted, and its pages have no room for the \
         cipher; back the database up to a file with the key"
    )]
    NoRoom {
        /// The name of the database.
        name: String,
    },

    /// The image cannot have the page size of the key, or lacks room for the key's HMAC.
    #[error(
        "cannot serialize \"{name}\" with this key: the key's cipher parameters need pages of {wanted} bytes with \
         {wanted_reserved} reserved bytes, but the database has pages of {page_size} bytes with {reserved} reserved \
         bytes; back the database up to a file with the key"
    )]
    OtherLayout {
        /// The name of the database.
        name: String,
        /// The page size of the key in bytes.
        wanted: u32,
        /// The number of bytes that the key's cipher needs at the end of a page.
        wanted_reserved: u32,
        /// The page size of the database in bytes.
        page_size: u32,
        /// The number of reserved bytes at the end of each page of the database.
        reserved: u32,
    },

    /// The key could not be derived.
    #[error("cannot serialize \"{name}\": {source}")]
    Key {
        /// The name of the database.
        name: String,
        /// The key's error.
        source: KeyError,
    },

    /// The in-memory database for the encrypted image could not be opened.
    #[error("cannot serialize \"{name}\": {source}")]
    Open {
        /// The name of the database.
        name: String,
        /// The engine's error.
        source: OpenError,
    },

    /// The database could not be read, or the image could not be written.
    #[error("cannot serialize \"{name}\": {source}")]
    Sql {
        /// The name of the database.
        name: String,
        /// The engine's error.
        source: SqlError,
    },
}

impl ImageError {
    /// The engine's codes that only [`ImageError::code`] can return.
    pub const CODES: &'static [&'static str] = &["STRONGROOM_OTHER_LAYOUT"];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownDatabase { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::NotEncrypted { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::NoRoom { .. } | Self::OtherLayout { .. } => "STRONGROOM_OTHER_LAYOUT",
            Self::Key { source, .. } => source.code(),
            Self::Open { source, .. } => source.code(),
            Self::Sql { source, .. } => source.code(),
        }
    }
}
