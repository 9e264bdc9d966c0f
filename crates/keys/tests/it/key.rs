//! The bytes that a key accepts, and the absence of those bytes in errors and Debug output.

use strongroom_keys::{Key, KeyError};

#[test]
fn a_raw_key_has_exactly_32_bytes() {
    for length in (0..=200).filter(|length| *length != 32) {
        let error = Key::raw(&vec![7; length]).unwrap_err();
        assert!(matches!(error, KeyError::Length { actual } if actual == length), "{length}: {error}");
        assert_eq!(error.code(), "STRONGROOM_KEY_LENGTH");
        assert!(error.to_string().contains(&format!("the raw key has {length} bytes")), "{error}");
    }
    assert_eq!(Key::raw(&[7; 32]).unwrap().expose_raw(), Some(&[7; 32][..]));
    assert_eq!(Key::raw(&[7; 32]).unwrap().expose_passphrase(), None);
}

#[test]
fn a_passphrase_is_not_empty_and_may_hold_any_byte() {
    assert_eq!(Key::passphrase(b"").unwrap_err().code(), "STRONGROOM_KEY_EMPTY");
    let odd = b"a\0b'\"\xff";
    let key = Key::passphrase(odd).unwrap();
    assert_eq!(*key.expose_for_sqlcipher().unwrap(), *odd);
    assert_eq!(key.expose_raw(), None);
    assert_eq!(key.expose_passphrase(), Some(&odd[..]));
}

#[test]
fn a_passphrase_that_sqlcipher_would_read_as_a_raw_key_is_refused() {
    let text = format!("x'{}'", "ab".repeat(32));
    let error = Key::passphrase(text.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_KEY_NOTATION");
    assert!(!error.to_string().contains("abab"), "{error}");
}

#[test]
fn debug_shows_nothing_of_a_key() {
    assert_eq!(format!("{:?}", Key::raw(&[0x41; 32]).unwrap()), "Key(..)");
    assert_eq!(format!("{:#?}", Key::passphrase(b"correct horse").unwrap()), "Key(..)");
}

#[test]
fn generated_keys_differ() {
    let keys: Vec<_> = (0..8).map(|_| Key::generate().unwrap()).collect();
    for (index, key) in keys.iter().enumerate() {
        let bytes = key.expose_raw().unwrap();
        assert_eq!(bytes.len(), 32);
        assert!(keys[..index].iter().all(|other| other.expose_raw() != Some(bytes)));
    }
}

#[test]
fn every_code_is_listed_once() {
    let mut codes = KeyError::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), KeyError::CODES.len());
    assert!(codes.contains(&Key::raw(b"").unwrap_err().code()));
}
