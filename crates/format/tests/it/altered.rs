//! Headers that were altered or damaged.

use strongroom_format::{Header, HeaderError, UnlockError};
use strongroom_keys::Key;

use crate::document::{Fields, Slot, with_checksum};

const KEY: [u8; 32] = [0x41; 32];

/// Two copies of which the second is newer.
fn copies() -> [[u8; 4096]; 2] {
    let fields = Fields::new([Slot::raw(0, KEY)]);
    [fields.copy(), Fields { generation: 2, ..fields }.copy()]
}

/// What a header opens to.
#[derive(Debug, PartialEq)]
enum Opened {
    /// The index of the copy that opened.
    Copy(usize),
    Unreadable(HeaderError),
    WrongKey,
    Altered,
    OtherError,
}

fn open(header: &[[u8; 4096]; 2]) -> Opened {
    match Header::read(header.as_flattened()) {
        Err(error) => Opened::Unreadable(error),
        Ok(found) => match found.unlock(&Key::raw(&KEY).unwrap()) {
            Ok(unlocked) => {
                Opened::Copy(header.iter().rposition(|copy| copy == unlocked.copy_bytes()).unwrap())
            }
            Err(UnlockError::WrongKey) => Opened::WrongKey,
            Err(UnlockError::Altered) => Opened::Altered,
            Err(_) => Opened::OtherError,
        },
    }
}

fn flip(copy: &mut [u8; 4096], bit: usize) {
    copy[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn any_flipped_bit_leaves_the_other_copy() {
    let original = copies();
    assert_eq!(open(&original), Opened::Copy(1));
    for bit in 0..8 * 4096 {
        for index in [0, 1] {
            let mut header = original;
            flip(&mut header[index], bit);
            assert_eq!(open(&header), Opened::Copy(1 - index), "bit {bit} of copy {index}");
        }
    }
}

#[test]
fn the_same_flipped_bit_in_both_copies_leaves_no_header() {
    let original = copies();
    for bit in 0..8 * 4096 {
        let mut header = original;
        header.iter_mut().for_each(|copy| flip(copy, bit));
        let expected = Opened::Unreadable(HeaderError::Incomplete { length: 8192 });
        assert_eq!(open(&header), expected, "bit {bit}");
    }
}

/// The checksum has no key, so whoever alters a header can correct it.
#[test]
fn a_flipped_bit_under_a_right_checksum_never_opens() {
    let original = copies();
    for bit in 0..8 * 4064 {
        let header = original.map(|mut copy| {
            flip(&mut copy, bit);
            with_checksum(copy)
        });
        let opened = open(&header);
        let expected = match bit / 8 {
            0..16 => matches!(opened, Opened::Unreadable(HeaderError::Incomplete { .. })),
            16..18 => matches!(opened, Opened::Unreadable(HeaderError::NewerVersion { .. })),
            18..20 => matches!(opened, Opened::Unreadable(HeaderError::UnknownCipher { .. })),
            20..24 => matches!(opened, Opened::Unreadable(HeaderError::InvalidPageSize { .. })),
            // The file's identity, and the part of the slot to which the data key is bound.
            24..40 | 67..176 => opened == Opened::WrongKey,
            // The state, the kind and the derivation of the only slot.
            64..67 => opened == Opened::OtherError,
            _ => opened == Opened::Altered,
        };
        assert!(expected, "bit {bit}: {opened:?}");
    }
}

#[test]
fn an_altered_newest_copy_leaves_the_other_copy() {
    // A byte of the label, of the zeros, and of the HMAC.
    for byte in [200, 3000, 4040] {
        for index in [0, 1] {
            let mut header = copies();
            flip(&mut header[index], 8 * byte);
            header[index] = with_checksum(header[index]);
            assert_eq!(open(&header), Opened::Copy(1 - index), "byte {byte}");
            let unlocked = Header::read(header.as_flattened()).unwrap().unlock(&Key::raw(&KEY).unwrap());
            // An update first replaces the altered copy.
            assert_eq!(unlocked.unwrap().write_order()[0], 4096 * index as u64);
        }
    }
}

#[test]
fn a_wrong_key_and_an_altered_header_are_different_errors() {
    let mut header = copies();
    let unlock = |header: &[[u8; 4096]; 2], byte| {
        Header::read(header.as_flattened()).unwrap().unlock(&Key::raw(&[byte; 32]).unwrap())
    };
    assert!(matches!(unlock(&header, 0x42), Err(UnlockError::WrongKey)));
    for copy in &mut header {
        flip(copy, 8 * 3000);
        *copy = with_checksum(*copy);
    }
    assert!(matches!(unlock(&header, 0x41), Err(UnlockError::Altered)));
    assert!(matches!(unlock(&header, 0x42), Err(UnlockError::WrongKey)));
}

#[test]
fn the_first_of_two_copies_with_one_generation_decides() {
    let other = [0x42; 32];
    let copies = [KEY, other].map(|key| Fields::new([Slot::raw(0, key)]).copy());
    for (header, right, wrong) in [(copies, KEY, other), ([copies[1], copies[0]], other, KEY)] {
        let header = Header::read(header.as_flattened()).unwrap();
        header.unlock(&Key::raw(&right).unwrap()).unwrap();
        assert!(matches!(header.unlock(&Key::raw(&wrong).unwrap()), Err(UnlockError::WrongKey)));
    }
}

#[test]
fn a_truncated_header_opens_if_the_first_copy_is_whole() {
    let header = copies();
    let bytes = header.as_flattened();
    for length in 0..=bytes.len() {
        let opened = Header::read(&bytes[..length]);
        match length {
            0..4096 => assert_eq!(opened.unwrap_err(), HeaderError::Incomplete { length }),
            4096..8192 => assert_eq!(opened.unwrap().generation(), 1),
            _ => assert_eq!(opened.unwrap().generation(), 2),
        }
        assert_eq!(Header::detect(&bytes[..length]), length >= 16);
    }
    // The bytes after the header are a page.
    let longer = [bytes, &[1; 100]].concat();
    assert_eq!(Header::read(&longer).unwrap().generation(), 2);
}

#[test]
fn a_file_of_another_format_is_not_detected() {
    let header = copies();
    let plain = [b"SQLite format 3\0", &header.as_flattened()[16..]].concat();
    assert!(!Header::detect(&plain), "a plain database may contain a header");
    let damaged = [&[0; 16], &header.as_flattened()[16..]].concat();
    assert!(Header::detect(&damaged), "the second copy shows the format");
    assert!(!Header::detect(&damaged[..8191]));
    assert!(!Header::detect(b""));
    assert!(!Header::detect(&[7; 8192]));
}
