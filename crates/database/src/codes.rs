//! Lists the codes of all errors.

use std::error::Error;

use strongroom_codec::CodecError;
use strongroom_keys::KeyError;

use crate::result_codes::RESULT_CODES;
use crate::{
    AttachError, BackupError, CheckError, ExtensionError, ImageError, KeySlotError, MigrateError, OpenError,
    RekeyError, SlotError, SqlError,
};

/// Returns every code of an error of the engine, of a key or of the codec, SQLite's own names first.
///
/// The Node.js binding generates the type of `code` from this list.
pub fn codes() -> Vec<&'static str> {
    [
        RESULT_CODES,
        OpenError::CODES,
        SqlError::CODES,
        RekeyError::CODES,
        AttachError::CODES,
        MigrateError::CODES,
        BackupError::CODES,
        ImageError::CODES,
        KeySlotError::CODES,
        KeyError::CODES,
        CodecError::CODES,
    ]
    .concat()
}

/// Returns the code of an error of the engine, of a key or of the codec, and `None` for an error of another crate.
pub fn code_of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let open = error.downcast_ref().map(OpenError::code);
    let sql = || error.downcast_ref().map(SqlError::code);
    let rekey = || error.downcast_ref().map(RekeyError::code);
    let attach = || error.downcast_ref().map(AttachError::code);
    let check = || error.downcast_ref().map(CheckError::code);
    let slots = || error.downcast_ref().map(KeySlotError::code);
    let slot = || error.downcast_ref().map(SlotError::code);
    let key = || error.downcast_ref().map(KeyError::code);
    let codec = || error.downcast_ref().map(CodecError::code);
    let migrate = || error.downcast_ref().map(MigrateError::code);
    let backup = || error.downcast_ref().map(BackupError::code);
    let image = || error.downcast_ref().map(ImageError::code);
    let extension = || error.downcast_ref().map(ExtensionError::code);
    open.or_else(sql)
        .or_else(rekey)
        .or_else(attach)
        .or_else(check)
        .or_else(backup)
        .or_else(image)
        .or_else(extension)
        .or_else(migrate)
        .or_else(slots)
        .or_else(slot)
        .or_else(key)
        .or_else(codec)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let (codes, mut unique) = (codes(), codes());
        unique.sort_unstable();
        unique.dedup();
        assert!(codes.iter().all(|code| code.starts_with("SQLITE_") || code.starts_with("STRONGROOM_")));
        assert_eq!(codes.len(), unique.len());
    }

    #[test]
    fn an_error_of_another_crate_has_no_code() {
        assert_eq!(code_of(&SqlError::Closed), Some("STRONGROOM_CLOSED"));
        assert_eq!(code_of(&KeyError::Empty), Some("STRONGROOM_KEY_EMPTY"));
        assert_eq!(code_of(&CodecError::NotAFrame { length: 1 }), Some("STRONGROOM_ZSTD_NOT_A_FRAME"));
        assert_eq!(code_of(&OpenError::EmptyPath), Some("STRONGROOM_EMPTY_PATH"));
        assert_eq!(code_of(&io::Error::other("a")), None);
    }
}
