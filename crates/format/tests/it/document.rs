//! A second implementation of the format, by its document alone, over the stock functions of the crate `openssl`.
//!
//! Shares no code with the crate. Values are fixed, so headers and pages are the same in every run.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead, encrypt_aead};

pub(crate) const DATA_KEY: [u8; 32] = [0xd1; 32];
pub(crate) const FILE_ID: [u8; 16] = *b"a file identity!";

/// The code of the bytes `88` to `97`, from docs/format.md.
pub(crate) const CODE: &str = "3ZYC-4ZUV-3K8G-LYY3-J2FE-F9VK-JUUM-63GN";
pub(crate) const CODE_BYTES: [u8; 16] =
    [0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97];

/// The fields of a header copy that the tests vary.
#[derive(Clone)]
pub(crate) struct Fields {
    pub(crate) version: u16,
    pub(crate) cipher: u16,
    pub(crate) page_size: u32,
    pub(crate) generation: u64,
    pub(crate) slots: Vec<Slot>,
}

/// A slot in use.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) index: usize,
    pub(crate) kind: u8,
    pub(crate) kdf: u8,
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    /// The raw key, the passphrase, or the bytes of the recovery code.
    pub(crate) secret: Vec<u8>,
    /// The label in UTF-8, and the time in milliseconds since 1970.
    pub(crate) label: (Vec<u8>, u64),
}

impl Slot {
    pub(crate) fn raw(index: usize, key: [u8; 32]) -> Self {
        let label = (Vec::new(), 0);
        Self { index, kind: 1, kdf: 1, memory: 0, passes: 0, lanes: 0, secret: key.to_vec(), label }
    }

    pub(crate) fn recovery(index: usize, code: &[u8]) -> Self {
        Self { kind: 3, secret: code.to_vec(), ..Self::raw(index, [0; 32]) }
    }

    /// A passphrase with cheap parameters.
    pub(crate) fn passphrase(index: usize, passphrase: &[u8]) -> Self {
        let secret = passphrase.to_vec();
        Self { kind: 2, kdf: 2, memory: 64, passes: 1, lanes: 2, secret, ..Self::raw(index, [0; 32]) }
    }

    pub(crate) fn with_label(self, label: &[u8], time: u64) -> Self {
        Self { label: (label.to_vec(), time), ..self }
    }
}

impl Fields {
    pub(crate) fn new(slots: impl Into<Vec<Slot>>) -> Self {
        Self { version: 1, cipher: 1, page_size: 4096, generation: 1, slots: slots.into() }
    }

    /// One copy of the header.
    pub(crate) fn copy(&self) -> [u8; 4096] {
        vendored_sys::init().unwrap();
        let mut copy = [0; 4096];
        copy[..16].copy_from_slice(b"\x89Strongroom\x0d\x0a\x1a\x0a\x00");
        copy[16..18].copy_from_slice(&self.version.to_be_bytes());
        copy[18..20].copy_from_slice(&self.cipher.to_be_bytes());
        copy[20..24].copy_from_slice(&self.page_size.to_be_bytes());
        copy[24..40].copy_from_slice(&FILE_ID);
        copy[40..48].copy_from_slice(&self.generation.to_be_bytes());
        for slot in &self.slots {
            let bytes = slot.bytes(copy[16..20].try_into().unwrap());
            copy[64 + 256 * slot.index..][..256].copy_from_slice(&bytes);
        }
        let code = hmac(&hkdf(&DATA_KEY, &FILE_ID, b"Strongroom 1 header"), &copy[..4032]);
        copy[4032..4064].copy_from_slice(&code);
        with_checksum(copy)
    }

    /// Both copies of the header.
    pub(crate) fn header(&self) -> Vec<u8> {
        self.copy().repeat(2)
    }
}

impl Slot {
    fn bytes(&self, version_and_cipher: [u8; 4]) -> [u8; 256] {
        let mut slot = [0; 256];
        let index = self.index as u8;
        slot[..3].copy_from_slice(&[1, self.kind, self.kdf]);
        slot[4..8].copy_from_slice(&self.memory.to_be_bytes());
        slot[8..12].copy_from_slice(&self.passes.to_be_bytes());
        slot[12..16].copy_from_slice(&self.lanes.to_be_bytes());
        slot[16..24].fill(0xe0 + index);
        slot[24..40].fill(0xa0 + index);
        let bound = slot[..40].to_vec();

        let key = key_encryption_key(&slot, &self.secret);
        slot[40..64].fill(0xb0 + index);
        let data = [b"Strongroom 1 data key", &version_and_cipher[..], &FILE_ID, &bound].concat();
        let (wrapped, tag) = xaes_seal(&key, slot[40..64].try_into().unwrap(), &data, &DATA_KEY);
        slot[64..96].copy_from_slice(&wrapped);
        slot[96..112].copy_from_slice(&tag);

        slot[112..136].fill(0xc0 + index);
        let data = [b"Strongroom 1 label", &FILE_ID[..], &bound].concat();
        let key = hkdf(&DATA_KEY, &FILE_ID, b"Strongroom 1 labels");
        let mut label = [0; 104];
        let (text, time) = &self.label;
        label[..8].copy_from_slice(&time.to_be_bytes());
        label[8..10].copy_from_slice(&(text.len() as u16).to_be_bytes());
        let stored = text.len().min(94);
        label[10..10 + stored].copy_from_slice(&text[..stored]);
        let (label, tag) = xaes_seal(&key, slot[112..136].try_into().unwrap(), &data, &label);
        slot[136..240].copy_from_slice(&label);
        slot[240..256].copy_from_slice(&tag);
        slot
    }
}

/// What the document's reader finds in a header copy.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) data_key: [u8; 32],
    pub(crate) file_id: [u8; 16],
    pub(crate) slots: Vec<FoundSlot>,
}

/// A slot in use.
#[derive(Debug, PartialEq)]
pub(crate) struct FoundSlot {
    pub(crate) index: usize,
    pub(crate) id: [u8; 8],
    pub(crate) kind: u8,
    pub(crate) label: String,
    /// Milliseconds since 1970.
    pub(crate) created: u64,
    /// Whether the secret opens the slot.
    pub(crate) is_open: bool,
}

/// Reads a copy of which the secret opens a slot, and checks every byte of it.
pub(crate) fn read(copy: &[u8; 4096], secret: &[u8]) -> Found {
    assert_eq!(copy[..16], *b"\x89Strongroom\x0d\x0a\x1a\x0a\x00");
    assert_eq!(copy[16..20], [0, 1, 0, 1]);
    assert_eq!(copy[4064..], sha256(&copy[..4064]));
    assert!(copy[48..64].iter().chain(&copy[2112..4032]).all(|byte| *byte == 0));
    let file_id: [u8; 16] = copy[24..40].try_into().unwrap();
    let slots =
        || copy[64..2112].as_chunks::<256>().0.iter().enumerate().filter(|(_, slot)| **slot != [0; 256]);

    let data_keys: Vec<_> = slots().map(|(_, slot)| unwrap_key(copy, slot, secret)).collect();
    let data_key: [u8; 32] = data_keys.iter().flatten().next().unwrap().as_slice().try_into().unwrap();
    assert!(data_keys.iter().flatten().all(|other| *other == data_key));
    assert_eq!(copy[4032..4064], hmac(&hkdf(&data_key, &file_id, b"Strongroom 1 header"), &copy[..4032]));

    let slots = slots().zip(&data_keys).map(|((index, slot), opened)| {
        assert_eq!((slot[0], slot[3]), (1, 0));
        assert_eq!(slot[2], if slot[1] == 2 { 2 } else { 1 });
        assert!(slot[1] == 2 || slot[4..16].iter().all(|byte| *byte == 0));
        let key = hkdf(&data_key, &file_id, b"Strongroom 1 labels");
        let data = [b"Strongroom 1 label", &file_id[..], &slot[..40]].concat();
        let nonce = slot[112..136].try_into().unwrap();
        let label = xaes_open(&key, nonce, &data, &slot[136..240], &slot[240..]).unwrap();
        let length = usize::from(u16::from_be_bytes(label[8..10].try_into().unwrap()));
        let (text, rest) = label[10..].split_at(length);
        assert!(rest.iter().all(|byte| *byte == 0));
        FoundSlot {
            index,
            id: slot[16..24].try_into().unwrap(),
            kind: slot[1],
            label: str::from_utf8(text).unwrap().to_owned(),
            created: u64::from_be_bytes(label[..8].try_into().unwrap()),
            is_open: opened.is_some(),
        }
    });
    Found { data_key, file_id, slots: slots.collect() }
}

fn unwrap_key(copy: &[u8; 4096], slot: &[u8; 256], secret: &[u8]) -> Option<Vec<u8>> {
    let key = key_encryption_key(slot, secret);
    let data = [b"Strongroom 1 data key", &copy[16..20], &copy[24..40], &slot[..40]].concat();
    xaes_open(&key, slot[40..64].try_into().unwrap(), &data, &slot[64..96], &slot[96..112])
}

fn key_encryption_key(slot: &[u8; 256], secret: &[u8]) -> [u8; 32] {
    let number = |at: usize| u32::from_be_bytes(slot[at..at + 4].try_into().unwrap());
    let (memory, passes, lanes, salt) = (number(4), number(8), number(12), &slot[24..40]);
    // The crate must refuse a slot with other parameters before it derives a key, so any key will do.
    let is_cheap =
        (1..=16).contains(&lanes) && (1..=16).contains(&passes) && (8 * lanes..=1 << 16).contains(&memory);
    match slot[1..3] {
        [2, 2] if is_cheap => {
            let mut key = [0; 32];
            let none = None;
            openssl::kdf::argon2id(none, secret, salt, None, None, passes, lanes, memory, &mut key).unwrap();
            key
        }
        [3, 1] => hkdf(secret, salt, b"Strongroom 1 recovery code"),
        _ => hkdf(secret, salt, b"Strongroom 1 raw key"),
    }
}

/// Seals a whole page, with a nonce that is made from the page's number.
pub(crate) fn seal_page(plain: &[u8], number: u32) -> Vec<u8> {
    let start = if number == 1 { 16 } else { 0 };
    let nonce = [number as u8; 24];
    let key = hkdf(&DATA_KEY, &FILE_ID, b"Strongroom 1 pages");
    let data = [&FILE_ID[..], &number.to_be_bytes()].concat();
    let (content, tag) = xaes_seal(&key, &nonce, &data, &plain[start..plain.len() - 40]);
    [&FILE_ID[..start], &content, &nonce, &tag].concat()
}

/// Opens a whole page. Returns the content.
pub(crate) fn open_page(found: &Found, page: &[u8], number: u32) -> Option<Vec<u8>> {
    let start = if number == 1 { 16 } else { 0 };
    let end = page.len() - 40;
    assert_eq!(page[..start], found.file_id[..start]);
    let key = hkdf(&found.data_key, &found.file_id, b"Strongroom 1 pages");
    let data = [&found.file_id[..], &number.to_be_bytes()].concat();
    let (nonce, tag) = page[end..].split_at(24);
    xaes_open(&key, nonce.try_into().unwrap(), &data, &page[start..end], tag)
}

/// Writes the checksum of a copy.
pub(crate) fn with_checksum(mut copy: [u8; 4096]) -> [u8; 4096] {
    let checksum = sha256(&copy[..4064]);
    copy[4064..].copy_from_slice(&checksum);
    copy
}

fn xaes_seal(key: &[u8; 32], nonce: &[u8; 24], data: &[u8], text: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let (key, mut tag) = (xaes_key(key, nonce), [0; 16]);
    let sealed = encrypt_aead(Cipher::aes_256_gcm(), &key, Some(&nonce[12..]), data, text, &mut tag);
    (sealed.unwrap(), tag)
}

fn xaes_open(key: &[u8; 32], nonce: &[u8; 24], data: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    let key = xaes_key(key, nonce);
    decrypt_aead(Cipher::aes_256_gcm(), &key, Some(&nonce[12..]), data, text, tag).ok()
}

/// The steps 1 to 5 of C2SP.org/XAES-256-GCM.
fn xaes_key(key: &[u8; 32], nonce: &[u8; 24]) -> Vec<u8> {
    let l = u128::from_be_bytes(aes(key, [0; 16]));
    let k1 = l << 1 ^ if l >> 127 == 1 { 0x87 } else { 0 };
    let block = |number| {
        let mut block = [0, number, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        block[4..].copy_from_slice(&nonce[..12]);
        aes(key, (u128::from_be_bytes(block) ^ k1).to_be_bytes())
    };
    [block(1), block(2)].concat()
}

fn aes(key: &[u8; 32], block: [u8; 16]) -> [u8; 16] {
    let mut crypter = Crypter::new(Cipher::aes_256_ecb(), Mode::Encrypt, key, None).unwrap();
    crypter.pad(false);
    let mut out = [0; 32];
    assert_eq!(crypter.update(&block, &mut out).unwrap(), 16);
    out[..16].try_into().unwrap()
}

/// RFC 5869 for 32 bytes, which are one block of HMAC-SHA-256.
fn hkdf(secret: &[u8], salt: &[u8], info: &[u8]) -> [u8; 32] {
    hmac(&hmac(salt, secret), &[info, &[1]].concat())
}

fn hmac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let key = PKey::hmac(key).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.update(bytes).unwrap();
    signer.sign_to_vec().unwrap().try_into().unwrap()
}
