//! The codes of errors.

use std::collections::HashSet;

use strongroom_format::{FormatError, Header, HeaderError, NewSlot, SlotError, UnlockError, Unlocked};
use strongroom_keys::Key;

use crate::document::{Fields, Slot};

#[test]
fn errors_have_listed_codes_and_each_code_is_listed_once() {
    let fields = Fields::new([Slot { kdf: 7, ..Slot::raw(0, [1; 32]) }]);
    let key = Key::raw(&[1; 32]).unwrap();
    let read = |fields: &Fields| Header::read(&fields.header()).unwrap_err();
    for (error, code) in [
        (Header::read(&[]).unwrap_err(), "STRONGROOM_HEADER_DAMAGED"),
        (read(&Fields { version: 2, ..fields.clone() }), "STRONGROOM_NEWER_VERSION"),
        (read(&Fields { cipher: 2, ..fields.clone() }), "STRONGROOM_UNKNOWN_CIPHER"),
        (read(&Fields { page_size: 2, ..fields.clone() }), "STRONGROOM_HEADER_PAGE_SIZE"),
    ] {
        assert_eq!(error.code(), code);
        assert!(HeaderError::CODES.contains(&code));
    }
    let error = Header::read(&fields.header()).unwrap().unlock(&key).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_UNSUPPORTED_SLOT");
    assert!(UnlockError::CODES.contains(&error.code()));
    let error = Unlocked::create(&key, 3).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_KEY_PAGE_SIZE");
    assert!(FormatError::CODES.contains(&error.code()));
    let own = Unlocked::create(&key, 1024).unwrap();
    let error = own.with_slot_removed(own.current_slot().unwrap()).unwrap_err();
    assert!(SlotError::CODES.contains(&error.code()));
    let long = "a".repeat(95);
    let error = own.with_slot_added(&NewSlot::derive(&key).unwrap(), Some(&long)).unwrap_err();
    assert!(SlotError::CODES.contains(&error.code()));
    let error = SlotError::from(FormatError::LastGeneration);
    assert_eq!(error.code(), "STRONGROOM_LAST_GENERATION");
    for codes in [HeaderError::CODES, UnlockError::CODES, FormatError::CODES, SlotError::CODES] {
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        assert!(codes.iter().all(|code| code.starts_with("STRONGROOM_")));
    }
}
