//! Headers whose writing was interrupted: any sectors of 512 bytes may be old or new.

use strongroom_format::{HEADER_LENGTH, Header, NewSlot, UnlockError, Unlocked};
use strongroom_keys::Key;

const SECTOR: usize = 512;

fn key(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

/// Returns whether the key opens the header. Any error but a wrong key fails the test.
fn opens(header: &[u8], key: &Key) -> bool {
    match Header::read(header).unwrap().unlock(key) {
        Ok(_) => true,
        Err(UnlockError::WrongKey) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Writes the sectors whose bit in `sectors` is set.
fn write(file: &mut [u8], new: &[u8], sectors: u32) {
    for (index, (old, new)) in file.chunks_mut(SECTOR).zip(new.chunks(SECTOR)).enumerate() {
        if sectors >> index & 1 == 1 {
            old.copy_from_slice(new);
        }
    }
}

/// Sectors may reach the disk in any order. A file that starts with zeros and then has other bytes is left alone: the file
/// may be anyone's.
#[test]
fn an_interrupted_creation_opens_or_may_be_created_anew() {
    let header = Unlocked::create(&key(1), 4096).unwrap().header_bytes();
    let (mut opened, mut remainders) = (0, 0);
    for sectors in 0..1 << (HEADER_LENGTH / SECTOR) {
        let mut file = vec![0; HEADER_LENGTH];
        write(&mut file, &header, sectors);
        let is_remainder = Header::is_interrupted_creation(&file);
        match Header::read(&file) {
            Ok(_) => {
                assert!(Header::detect(&file) && !is_remainder, "{sectors:b}");
                opened += 1;
            }
            Err(_) => {
                let starts = sectors & 1 == 1 || file.iter().all(|byte| *byte == 0);
                assert_eq!(is_remainder, starts, "{sectors:b}");
                remainders += u32::from(is_remainder);
            }
        }
    }
    assert!(opened > 256 && remainders > 256, "{opened} opened, {remainders} remainders");
    // A file that grows as it is written, in sectors and in bytes.
    for length in 0..=HEADER_LENGTH {
        let file = &header[..length];
        assert_eq!(Header::is_interrupted_creation(file), (1..4096).contains(&length), "{length}");
        assert!(length < 4096 || opens(file, &key(1)));
    }
}

#[test]
fn a_file_with_a_page_or_of_another_format_may_not_be_created_anew() {
    let zeros = [0; HEADER_LENGTH + 1];
    assert!(Header::is_interrupted_creation(&zeros[..HEADER_LENGTH]));
    assert!(!Header::is_interrupted_creation(&zeros));
    assert!(!Header::is_interrupted_creation(b""));
    assert!(!Header::is_interrupted_creation(b"SQLite format 3\0"));
    assert!(!Header::is_interrupted_creation(b"notes"));
    let mut disk_image = zeros;
    disk_image[5000] = 1;
    assert!(!Header::is_interrupted_creation(&disk_image[..HEADER_LENGTH]));
}

/// In every state of an update, exactly one of the two keys opens the file, and the data key is the same.
#[test]
fn an_interrupted_update_has_the_old_or_the_new_key() {
    let old = Unlocked::create(&key(1), 4096).unwrap();
    let new = old.with_key(&NewSlot::derive(&key(2)).unwrap()).unwrap();
    assert_eq!((old.generation(), new.generation()), (1, 2));
    let mut page = vec![3; 4096];
    old.page_sealer().unwrap().seal_page(&mut page, 1).unwrap();
    let mut file = old.header_bytes();
    let [mut with_old, mut with_new] = [0, 0];
    for offset in new.write_order() {
        let copy = offset as usize..offset as usize + 4096;
        for sectors in 0..1 << (4096 / SECTOR) {
            let mut torn = file;
            write(&mut torn[copy.clone()], new.copy_bytes(), sectors);
            let is_new = opens(&torn, &key(2));
            assert_eq!(is_new, !opens(&torn, &key(1)), "{sectors:b} at {offset}");
            let right = key(if is_new { 2 } else { 1 });
            let unlocked = Header::read(&torn).unwrap().unlock(&right).unwrap();
            assert!(unlocked.page_sealer().unwrap().authenticate(&page, 1).unwrap());
            *if is_new { &mut with_new } else { &mut with_old } += 1;
            // The next update first replaces the copy that is torn or older.
            replaces_the_worse_copy(&torn, &unlocked);
        }
        file[copy].copy_from_slice(new.copy_bytes());
    }
    assert_eq!(file, new.header_bytes());
    assert!(with_old > 1 && with_new > 1, "{with_old} with the old key, {with_new} with the new key");
}

fn replaces_the_worse_copy(header: &[u8], unlocked: &Unlocked) {
    let first = unlocked.write_order()[0] as usize;
    let mut torn = header.to_vec();
    torn[first..first + 4096].fill(0xff);
    assert!(opens(&torn, &key(if unlocked.generation() == 2 { 2 } else { 1 })));
}
