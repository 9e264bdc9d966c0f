//! Headers and the keys that open them.

use strongroom_format::{HEADER_LENGTH, Header, UnlockError, Unlocked};
use strongroom_keys::Key;

fn raw_key(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

/// Seals page 2 with one header and opens it with another.
fn have_one_page_key(first: &Unlocked, second: &Unlocked) -> bool {
    let mut page = vec![9; first.page_size() as usize];
    first.page_sealer().unwrap().seal_page(&mut page, 2).unwrap();
    second.page_sealer().unwrap().authenticate(&page, 2).unwrap()
}

#[test]
fn a_raw_key_opens_its_file_and_no_other_key_does() {
    let created = Unlocked::create(&raw_key(1), 4096).unwrap();
    let bytes = created.header_bytes();
    assert!(Header::detect(&bytes[..16]));
    let header = Header::read(&bytes).unwrap();
    assert_eq!((header.page_size(), header.generation()), (4096, 1));
    assert_eq!(header.file_id(), created.file_id());
    let opened = header.unlock(&raw_key(1)).unwrap();
    assert!(have_one_page_key(&created, &opened));
    assert!(opened.header_bytes() == bytes);
    assert!(matches!(header.unlock(&raw_key(2)), Err(UnlockError::WrongKey)));
    assert!(matches!(
        header.unlock(&Key::passphrase(b"a").unwrap()),
        Err(UnlockError::NoSlot { given: "a passphrase", .. })
    ));
    assert_eq!(bytes.len(), HEADER_LENGTH);
}

#[test]
fn a_passphrase_opens_its_file_and_no_other_passphrase_does() {
    let passphrase = Key::passphrase(b"correct horse").unwrap();
    let created = Unlocked::create(&passphrase, 1024).unwrap();
    let header = Header::read(&created.header_bytes()).unwrap();
    assert!(have_one_page_key(&created, &header.unlock(&passphrase).unwrap()));
    let wrong = header.unlock(&Key::passphrase(b"correct house").unwrap());
    assert!(matches!(wrong, Err(UnlockError::WrongKey)));
    assert!(matches!(header.unlock(&raw_key(1)), Err(UnlockError::NoSlot { given: "a raw key", .. })));
}
