//! The identities of key slots.

use strongroom_keys::{Key, KeyError, PageKeys, SlotId};

#[test]
fn an_identity_is_sixteen_digits() {
    let id = SlotId([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    assert_eq!(
        (id.to_string(), format!("{id:?}")),
        ("0123456789abcdef".into(), "SlotId(0123456789abcdef)".into())
    );
    assert_eq!("0123456789ABCdef".parse::<SlotId>().unwrap(), id);
    for bytes in [[0; 8], [0xff; 8]] {
        assert_eq!(SlotId(bytes).to_string().parse::<SlotId>().unwrap(), SlotId(bytes));
    }
}

#[test]
fn another_text_is_shown_escaped_and_shortened() {
    for text in [
        "",
        "0",
        "0123456789abcde",
        "0123456789abcdef0",
        "+123456789abcdef",
        "0123456789abcdeg",
        "０123456789abc",
    ] {
        let error = text.parse::<SlotId>().unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_KEY_SLOT");
        assert!(
            error.to_string().ends_with("pass the 16 hexadecimal digits that db.keys.list() shows"),
            "{error}"
        );
    }
    let error = format!("\u{1b}[2J{}", "x".repeat(1000)).parse::<SlotId>().unwrap_err().to_string();
    assert!(error.contains("\\u{1b}[2J") && error.len() < 200, "{error}");
}

#[test]
fn a_key_for_a_slot_is_not_for_sqlcipher() {
    let slot = SlotId([7; 8]);
    let key = Key::raw(&[1; 32]).unwrap().with_slot(slot);
    assert_eq!(key.slot(), Some(slot));
    assert_eq!(key.expose_raw(), Some(&[1; 32][..]));
    let error = key.expose_for_sqlcipher().unwrap_err();
    assert!(matches!(error, KeyError::SlotWithoutFile { slot: found } if found == slot), "{error}");
    assert!(error.to_string().contains("0707070707070707"), "{error}");
    assert!(matches!(PageKeys::derive(&key, &[1; 16]), Err(KeyError::SlotWithoutFile { .. })));
    assert_eq!(Key::raw(&[1; 32]).unwrap().slot(), None);
}
