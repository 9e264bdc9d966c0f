//! Sealed pages.

use std::collections::HashSet;

use strongroom_format::{FormatError, PageSealer, Unlocked};
use strongroom_keys::Key;

fn sealer(page_size: u32) -> PageSealer {
    Unlocked::create(&Key::raw(&[1; 32]).unwrap(), page_size).unwrap().page_sealer().unwrap()
}

fn plain(page_size: usize) -> Vec<u8> {
    b"SQLite format 3\0".iter().copied().chain((16..page_size).map(|index| (index % 249) as u8)).collect()
}

#[test]
fn pages_of_every_size_open_to_what_was_sealed() {
    for page_size in (10..=16).map(|shift| 1_usize << shift) {
        let mut sealer = sealer(page_size as u32);
        for number in [1, 2, u32::MAX] {
            let mut page = plain(page_size);
            sealer.seal_page(&mut page, number).unwrap();
            assert_eq!(page.starts_with(sealer.file_id()), number == 1);
            assert_ne!(page[16..48], plain(page_size)[16..48]);
            let sealed = page.clone();
            assert!(sealer.authenticate(&page, number).unwrap());
            assert!(sealer.open_page(&mut page, number).unwrap());
            assert_eq!(page[..page_size - 40], plain(page_size)[..page_size - 40]);
            assert_eq!(page[page_size - 40..], sealed[page_size - 40..]);
        }
    }
}

/// The engine's way: content, nonce and tag in buffers of their own.
#[test]
fn raw_buffers_may_be_the_same_or_disjoint() {
    let mut sealer = sealer(4096);
    let (from, nonce) = (plain(4056), [7; 24]);
    let (mut sealed, mut tag) = (vec![0; 4056], [0; 16]);
    let (mut in_place, mut second_tag) = (from.clone(), [0; 16]);
    let (mut opened, pointer) = (vec![0; 4056], in_place.as_mut_ptr());
    #[expect(unsafe_code, reason = "the functions under test take raw buffers")]
    // SAFETY: every buffer has 4,056 bytes.
    unsafe {
        sealer.seal(3, from.as_ptr(), sealed.as_mut_ptr(), 4056, &nonce, &mut tag).unwrap();
        sealer.seal(3, pointer, pointer, 4056, &nonce, &mut second_tag).unwrap();
        assert!(sealer.open(3, sealed.as_ptr(), opened.as_mut_ptr(), 4056, &nonce, &tag).unwrap());
    }
    assert_eq!((&sealed, tag), (&in_place, second_tag));
    assert_eq!(opened, from);
    #[expect(unsafe_code, reason = "the functions under test take raw buffers")]
    // SAFETY: as above.
    unsafe {
        assert!(!sealer.open(4, sealed.as_ptr(), opened.as_mut_ptr(), 4056, &nonce, &tag).unwrap());
    }
    assert!(opened.iter().all(|byte| *byte == 0));
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    for number in [1, 2] {
        let mut sealer = sealer(1024);
        let mut sealed = plain(1024);
        sealer.seal_page(&mut sealed, number).unwrap();
        for bit in 0..8 * 1024 {
            let mut page = sealed.clone();
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(!sealer.authenticate(&page, number).unwrap(), "bit {bit} of page {number}");
        }
        assert!(sealer.authenticate(&sealed, number).unwrap());
    }
}

#[test]
fn pages_of_another_place_or_file_are_refused() {
    let (mut ours, mut theirs) = (sealer(4096), sealer(4096));
    for number in [1, 2] {
        let mut page = plain(4096);
        ours.seal_page(&mut page, number).unwrap();
        assert!(!theirs.authenticate(&page, number).unwrap());
        assert!(!ours.authenticate(&page, number + 1).unwrap());
    }
}

#[test]
fn pages_of_zeros_and_short_pages_are_refused() {
    let mut sealer = sealer(4096);
    for number in [1, 2] {
        for length in [0, 1, 15, 39, 40, 55, 56, 4095, 4096] {
            assert!(!sealer.authenticate(&vec![0; length], number).unwrap(), "{length}");
        }
        let shortest = if number == 1 { 56 } else { 40 };
        let mut page = vec![0; shortest];
        sealer.seal_page(&mut page, number).unwrap();
        assert!(sealer.authenticate(&page, number).unwrap());
        let error = sealer.seal_page(&mut page[1..], number).unwrap_err();
        assert!(matches!(error, FormatError::PageSize { actual } if actual as usize == shortest - 1));
    }
}

#[test]
fn each_page_has_a_nonce_of_its_own() {
    let mut sealer = sealer(1024);
    let nonces: HashSet<Vec<u8>> = (0..1000)
        .map(|_| {
            let mut page = plain(1024);
            sealer.seal_page(&mut page, 2).unwrap();
            page[984..1008].to_vec()
        })
        .collect();
    assert_eq!(nonces.len(), 1000);
}
