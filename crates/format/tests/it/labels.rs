//! The labels of slots, and their limits.

use strongroom_format::{Header, MAX_LABEL_LENGTH, NewSlot, SlotError, Unlocked};
use strongroom_keys::{Key, SlotId};

use crate::document::{Fields, Slot};

fn key(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

/// Adds a slot with a label, and changes the label of the first slot. Both must agree.
fn label(text: &str) -> Result<Option<String>, SlotError> {
    let created = Unlocked::create(&key(1), 4096).unwrap();
    let own = created.current_slot().unwrap();
    let added = created.with_slot_added(&NewSlot::derive(&key(2)).unwrap(), Some(text));
    let changed = created.with_slot_changed(own, None, Some(Some(text)));
    match (added, changed) {
        (Ok((added, _)), Ok(changed)) => {
            let label = added.slots().unwrap().remove(1).label;
            assert_eq!(changed.slots().unwrap().remove(0).label, label);
            Ok(label)
        }
        (Err(error), Err(other)) => {
            assert_eq!(error.to_string(), other.to_string());
            Err(error)
        }
        (added, changed) => panic!("{added:?} {changed:?}"),
    }
}

#[test]
fn a_label_has_up_to_94_bytes_of_utf_8() {
    assert_eq!(MAX_LABEL_LENGTH, 94);
    for text in ["a".to_owned(), "a".repeat(94), "é".repeat(47), "🔑".repeat(23), " a\u{a0}b ".to_owned()]
    {
        assert_eq!(label(&text).unwrap(), Some(text));
    }
    for (text, length) in
        [("a".repeat(95), 95), ("é".repeat(48), 96), ("🔑".repeat(24), 96), ("a".repeat(1 << 17), 1 << 17)]
    {
        let error = label(&text).unwrap_err();
        assert!(matches!(error, SlotError::LabelLength { length: found } if found == length), "{error}");
        assert_eq!(error.code(), "STRONGROOM_SLOT_LABEL");
        let message = format!("the label has {length} bytes in UTF-8: pass at most 94");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn an_empty_label_is_no_label() {
    assert_eq!(label("").unwrap(), None);
}

#[test]
fn a_label_has_no_control_characters() {
    let controls = (0..0x20).chain(0x7f..0xa0).map(|code| char::from_u32(code).unwrap());
    for control in controls {
        let error = label(&format!("aé{control}b")).unwrap_err();
        match error {
            SlotError::LabelCharacter { character, position } => {
                assert_eq!((character, position), (control, 3))
            }
            other => panic!("{other}"),
        }
    }
    let error = label("a\u{1b}[2J").unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_SLOT_LABEL");
    // The message itself holds no control character.
    assert!(
        error.to_string().contains(r"character 2 of the label is the control character '\u{1b}'"),
        "{error}"
    );
}

/// A label is sealed: neither its text nor its length shows in the header.
#[test]
fn a_label_is_not_in_the_header() {
    let created = Unlocked::create(&key(1), 4096).unwrap();
    let text = "a label that nobody else may read";
    let (added, _) = created.with_slot_added(&NewSlot::derive(&key(2)).unwrap(), Some(text)).unwrap();
    for window in text.as_bytes().windows(4) {
        assert!(!added.copy_bytes().windows(4).any(|found| found == window));
    }
    // A slot without a label looks like any other: it is sealed too.
    let slot = &created.copy_bytes()[64 + 136..64 + 256];
    assert!(slot.iter().filter(|byte| **byte == 0).count() < 20);
}

/// Only a program with the data key can write such labels.
#[test]
fn a_label_that_no_reader_understands_can_be_replaced() {
    let id = SlotId([0xe1; 8]);
    let invalid = [
        Slot::raw(1, [2; 32]).with_label(&[b'a'; 95], 0),
        Slot::raw(1, [2; 32]).with_label(&[b'a'; 0xffff], 0),
        Slot::raw(1, [2; 32]).with_label(b"\xff\xfe", 0),
        Slot::raw(1, [2; 32]).with_label("é".as_bytes()[..1].into(), 0),
    ];
    for slot in invalid {
        let fields = Fields::new([Slot::raw(0, [1; 32]), slot]);
        let unlocked = Header::read(&fields.header()).unwrap().unlock(&key(1)).unwrap();
        let slots = unlocked.slots().unwrap();
        assert_eq!((slots[1].label.as_deref(), slots[1].created), (None, None));
        assert_eq!(unlocked.with_slot_removed(id).unwrap().slots().unwrap().len(), 1);
        // A new label repairs the slot, and a rotation does not keep the damage.
        let changed = unlocked.with_slot_changed(id, None, Some(Some("new"))).unwrap().slots().unwrap();
        assert_eq!(changed[1].label.as_deref(), Some("new"));
        assert!(changed[1].created.is_some());
        let (rotated, _) = unlocked.for_rotation(&[&key(2)], false).unwrap();
        assert!(rotated.slots().unwrap()[1].created.is_some());
    }
}

#[test]
fn a_time_that_programs_do_not_have_is_no_time() {
    for time in [8_640_000_000_000_001, u64::MAX] {
        let fields = Fields::new([Slot::raw(0, [1; 32]).with_label(b"a", time)]);
        let unlocked = Header::read(&fields.header()).unwrap().unlock(&key(1)).unwrap();
        let slots = unlocked.slots().unwrap();
        assert_eq!((slots[0].label.as_deref(), slots[0].created), (Some("a"), None));
    }
}
