//! Tests files in the Strongroom format whose header is damaged, or was made by another version.

use openssl::sha::sha256;

use crate::sealed_file::{HEADER, Written, read};

const COPY: usize = HEADER / 2;
const CHECKSUM: usize = 4_064;

/// Changes bytes of a copy of the header.
fn change(bytes: &mut [u8], copy: usize, offset: usize, new: &[u8]) {
    let start = copy * COPY + offset;
    bytes[start..start + new.len()].copy_from_slice(new);
}

/// Makes the checksum of a copy right again. The checksum has no key, so anybody can.
fn repair_checksum(bytes: &mut [u8], copy: usize) {
    let start = copy * COPY;
    let sum = sha256(&bytes[start..start + CHECKSUM]);
    change(bytes, copy, CHECKSUM, &sum);
}

#[test]
fn damage_to_one_copy_is_harmless_and_damage_to_both_is_an_error() {
    let file = Written::new(4_096, "PRAGMA journal_mode = delete");
    let path = file.scratch.path();
    for offset in (0..COPY).filter(|offset| *offset < 400 || offset % 211 == 0 || *offset >= 4_000) {
        for copies in [[true, false], [false, true], [true, true]] {
            let mut bytes = file.bytes.clone();
            for copy in (0..2).filter(|copy| copies[*copy]) {
                bytes[copy * COPY + offset] ^= 1 << (offset % 8);
            }
            file.write(&bytes);
            let found = read(&path);
            match copies {
                [true, true] => {
                    let error = found.unwrap_err();
                    // Without the magic in either copy, the file is not recognised.
                    let codes = if offset >= 16 {
                        ["STRONGROOM_DAMAGED_HEADER"].as_slice()
                    } else {
                        &["STRONGROOM_WRONG_KEY", "SQLITE_NOTADB"]
                    };
                    assert!(codes.contains(&error.code.as_str()), "{offset}: {error:?}");
                    assert!(error.message.contains(path.to_str().unwrap()), "{error:?}");
                }
                _ => assert!(found.unwrap() == file.model, "{offset} {copies:?}"),
            }
            assert!(std::fs::read(&path).unwrap() == bytes, "{offset} {copies:?}: the file was written to");
        }
    }
}

#[test]
fn a_header_of_another_version_is_named() {
    let file = Written::new(4_096, "PRAGMA journal_mode = delete");
    for (offset, number, named) in [
        (16, 2_u16, "version 2 of the format"),
        (16, 0xffff, "version 65535 of the format"),
        (18, 2, "cipher 2,"),
        (18, 0, "cipher 0,"),
    ] {
        let mut bytes = file.bytes.clone();
        for copy in 0..2 {
            change(&mut bytes, copy, offset, &number.to_be_bytes());
            repair_checksum(&mut bytes, copy);
        }
        file.write(&bytes);
        let error = read(&file.scratch.path()).unwrap_err();
        assert_eq!(error.code, "STRONGROOM_UNSUPPORTED_FORMAT", "{error:?}");
        assert!(error.message.contains(named), "{error:?}");
        assert!(error.message.contains(file.scratch.path().to_str().unwrap()), "{error:?}");
        assert!(std::fs::read(file.scratch.path()).unwrap() == bytes, "the file was written to");
    }
}

/// The checksum has no key. The HMAC notices a change that has a right checksum.
#[test]
fn a_header_that_was_changed_without_the_key_is_refused() {
    let file = Written::new(4_096, "PRAGMA journal_mode = delete");
    for (what, offset, new, codes) in [
        ("page size", 20, &8_192_u32.to_be_bytes()[..], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("page size of 0", 20, &[0; 4], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("page size of 3,000", 20, &3_000_u32.to_be_bytes(), ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("file identity", 24, &[7; 16], ["STRONGROOM_WRONG_KEY", "STRONGROOM_DAMAGED_HEADER"]),
        ("generation", 40, &9_u64.to_be_bytes(), ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("reserved", 50, &[1], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("salt", 64 + 24, &[1; 16], ["STRONGROOM_WRONG_KEY"; 2]),
        ("wrapped key", 64 + 64, &[1; 32], ["STRONGROOM_WRONG_KEY"; 2]),
        ("label", 64 + 136, &[1; 8], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("empty slot", 64 + 256, &[1; 8], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("tail", 3_000, &[1], ["STRONGROOM_DAMAGED_HEADER"; 2]),
        ("HMAC", 4_032, &[1; 32], ["STRONGROOM_DAMAGED_HEADER"; 2]),
    ] {
        let mut bytes = file.bytes.clone();
        for copy in 0..2 {
            change(&mut bytes, copy, offset, new);
            repair_checksum(&mut bytes, copy);
        }
        file.write(&bytes);
        let error = read(&file.scratch.path()).unwrap_err();
        assert!(codes.contains(&error.code.as_str()), "{what}: {error:?}");
        // If one copy is authentic, the file opens, or the error says that the newest copy is not.
        for copy in 0..2 {
            let mut bytes = file.bytes.clone();
            change(&mut bytes, copy, offset, new);
            repair_checksum(&mut bytes, copy);
            file.write(&bytes);
            match read(&file.scratch.path()) {
                Ok(rows) => assert!(rows == file.model, "{what}"),
                Err(error) => assert!(codes.contains(&error.code.as_str()), "{what}: {error:?}"),
            }
        }
    }
}

/// An update writes one copy after the other, so after a crash one copy may be torn or older.
#[test]
fn a_torn_update_of_the_header_leaves_one_of_both_keys() {
    use crate::sealed_file::{plain_key, reopen};
    use strongroom_keys::Key;

    let file = Written::new(4_096, "PRAGMA journal_mode = delete");
    let path = file.scratch.path();
    let new = Key::raw(&[0xa5; 32]).unwrap();
    reopen(&path).unwrap().rekey("main", &new, &mut |_| true).unwrap();
    let after = std::fs::read(&path).unwrap();
    assert!(file.bytes[HEADER..] == after[HEADER..]);
    let opens = |key: &Key| {
        let opened = strongroom_database::Database::open(
            strongroom_database::Location::File(&path),
            key,
            &strongroom_database::OpenOptions::default(),
        );
        opened.is_ok_and(|database| crate::sealed_file::rows_of(&database).unwrap() == file.model)
    };
    for copy in 0..2 {
        for length in (0..=COPY).step_by(64) {
            // The update has written a part of one copy.
            let mut bytes = file.bytes.clone();
            let range = copy * COPY..copy * COPY + length;
            bytes[range.clone()].copy_from_slice(&after[range]);
            file.write(&bytes);
            assert!(opens(&plain_key()) != opens(&new), "copy {copy}, {length} bytes");
        }
    }
}
