//! XAES-256-GCM against the vectors of C2SP.org/XAES-256-GCM.

use openssl::hash::{Hasher, MessageDigest};
use strongroom_format::Xaes256Gcm;

use crate::hex::hex;

const NONCE: [u8; 24] = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
const TEXT: &[u8; 12] = b"XAES-256-GCM";

fn cipher(key: &[u8; 32]) -> Xaes256Gcm {
    vendored_sys::init().unwrap();
    Xaes256Gcm::new(key).unwrap()
}

/// The first bit of L is 0 for the first key, and 1 for the second.
#[test]
fn the_published_vectors() {
    let vectors = [
        ([1; 32], &b""[..], "ce546ef63c9cc60765923609 b33a9a1974e96e52daf2fcf7075e2271"),
        ([3; 32], b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a17943 7fd083bf3fdb41abd740a21f71eb769d"),
    ];
    for (key, data, sealed) in vectors {
        let expected: [u8; 28] = hex(sealed);
        let mut cipher = cipher(&key);
        // The second round shows that no state of the first message stays.
        for _ in 0..2 {
            let mut text = *TEXT;
            let tag = cipher.seal(&NONCE, data, &mut text).unwrap();
            assert_eq!([&text[..], &tag].concat(), expected);
            assert!(cipher.open(&NONCE, data, &mut text, &tag).unwrap());
            assert_eq!(text, *TEXT);
        }
    }
}

/// The document's accumulated test: 10,000 random messages, read from SHAKE-128 and hashed with SHAKE-128.
#[test]
fn the_published_hash_of_random_messages() {
    assert_eq!(
        accumulate(10_000),
        hex::<32>("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")
    );
}

fn accumulate(count: usize) -> [u8; 32] {
    const LONGEST: usize = 32 + 24 + 2 * 256;
    vendored_sys::init().unwrap();
    let shake = || Hasher::new(MessageDigest::shake_128()).unwrap();
    let mut stream = vec![0; count * LONGEST * 2 / 3 + LONGEST];
    shake().finish_xof(&mut stream).unwrap();
    assert!(stream.starts_with(&hex::<16>("7f9c2ba4e88f827d616045507605853e")));
    let mut rest = &stream[..];
    let mut take = |length: Option<usize>| {
        let length = length.unwrap_or_else(|| {
            let (length, after) = rest.split_first().unwrap();
            rest = after;
            usize::from(*length)
        });
        let (bytes, after) = rest.split_at(length);
        rest = after;
        bytes.to_vec()
    };
    let mut hash = shake();
    for _ in 0..count {
        let (key, nonce) = (take(Some(32)), take(Some(24)).try_into().unwrap());
        let (plain, data) = (take(None), take(None));
        let mut cipher = cipher(&key.try_into().unwrap());
        let mut text = plain.clone();
        let tag = cipher.seal(&nonce, &data, &mut text).unwrap();
        hash.update(&text).unwrap();
        hash.update(&tag).unwrap();
        assert!(cipher.open(&nonce, &data, &mut text, &tag).unwrap());
        assert_eq!(text, plain);
    }
    let mut digest = [0; 32];
    hash.finish_xof(&mut digest).unwrap();
    digest
}

/// Opening zeroes a text that is not authentic, and leaves no error in OpenSSL's queue.
#[test]
fn a_change_of_any_input_is_noticed() {
    let mut cipher = cipher(&[1; 32]);
    let plain = [7; 100];
    let mut sealed = plain;
    let tag = cipher.seal(&NONCE, b"data", &mut sealed).unwrap();
    for bit in 0..8 * (24 + 4 + 100 + 16) {
        let (mut nonce, mut data, mut text, mut tag) = (NONCE, *b"data", sealed, tag);
        let (byte, flip) = (bit / 8, 1 << (bit % 8));
        let all = nonce.iter_mut().chain(&mut data).chain(&mut text).chain(&mut tag);
        all.skip(byte).take(1).for_each(|byte| *byte ^= flip);
        assert!(!cipher.open(&nonce, &data, &mut text, &tag).unwrap(), "bit {bit}");
        assert_eq!(text, [0; 100], "bit {bit}");
    }
    assert!(openssl::error::ErrorStack::get().errors().is_empty());
    assert!(cipher.open(&NONCE, b"data", &mut sealed, &tag).unwrap());
    assert_eq!(sealed, plain);
}

#[test]
fn a_message_may_be_empty() {
    let mut cipher = cipher(&[1; 32]);
    let tag = cipher.seal(&NONCE, b"", &mut []).unwrap();
    assert!(cipher.open(&NONCE, b"", &mut [], &tag).unwrap());
    assert!(!cipher.open(&NONCE, b"x", &mut [], &tag).unwrap());
}
