//! Computes the HMAC of pages, with keys that stay set from page to page.

use openssl::error::ErrorStack;
use openssl::memcmp;
use strongroom_keys::{HashAlgorithm, SecretBytes};

use super::KEY_LENGTH;
use super::digest::{Digest, MAX_LENGTH};

/// The keyed HMACs of one database.
///
/// A context is found by the key's content, not by its address: SQLCipher overwrites and reuses the memory of a key.
#[derive(Default)]
pub(super) struct PageHmacs {
    /// The most recently used context comes first.
    keyed: Vec<KeyedHmac>,
}

impl PageHmacs {
    /// Computes the HMAC of `parts`, and writes it to the start of `out`, which must be at least as long as a digest.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors; the key's context is then dropped.
    pub(super) fn compute(
        &mut self,
        algorithm: HashAlgorithm,
        key: &[u8; KEY_LENGTH],
        parts: [&[u8]; 2],
        out: &mut [u8],
    ) -> Result<(), ErrorStack> {
        match self.keyed.iter().position(|keyed| keyed.has(algorithm, key)) {
            Some(0) => {}
            Some(index) => self.keyed.swap(0, index),
            None => {
                let keyed = KeyedHmac::new(algorithm, key)?;
                self.keyed.truncate(KEYS - 1);
                self.keyed.insert(0, keyed);
            }
        }
        let computed = self.keyed[0].compute(parts, out);
        if computed.is_err() {
            self.keyed.swap_remove(0);
        }
        computed
    }

    /// Frees all contexts and keys.
    pub(super) fn forget(&mut self) {
        self.keyed.clear();
    }
}

/// The number of keys with a context. During a rekey, the journal needs the old key as well as the new key.
const KEYS: usize = 2;

/// HMAC with one key, as RFC 2104 defines it.
///
/// OpenSSL's own HMAC keeps a copy of the key in memory that is not locked. The state of a hash function after the key's
/// block does not reveal the key, and copying a state costs no more than resetting OpenSSL's HMAC.
struct KeyedHmac {
    algorithm: HashAlgorithm,
    key: SecretBytes,
    /// The state after the inner block of the key.
    inner: Digest,
    /// The state after the outer block of the key.
    outer: Digest,
    /// Continues from a copy of each state in turn.
    running: Digest,
}

impl KeyedHmac {
    fn new(algorithm: HashAlgorithm, key: &[u8; KEY_LENGTH]) -> Result<Self, ErrorStack> {
        Ok(Self {
            algorithm,
            key: SecretBytes::copy_of(key),
            inner: keyed_digest(algorithm, key, 0x36)?,
            outer: keyed_digest(algorithm, key, 0x5c)?,
            running: Digest::new()?,
        })
    }

    fn has(&self, algorithm: HashAlgorithm, key: &[u8; KEY_LENGTH]) -> bool {
        self.algorithm == algorithm && memcmp::eq(&self.key, key)
    }

    fn compute(&mut self, parts: [&[u8]; 2], out: &mut [u8]) -> Result<(), ErrorStack> {
        let mut digest = [0; MAX_LENGTH];
        self.running.copy_state(&self.inner)?;
        for part in parts {
            self.running.update(part)?;
        }
        let length = self.running.finish(&mut digest)?;
        self.running.copy_state(&self.outer)?;
        self.running.update(&digest[..length])?;
        let length = self.running.finish(&mut digest)?;
        out[..length].copy_from_slice(&digest[..length]);
        Ok(())
    }
}

/// Returns the state after one block, which is the key, padded with zeros, with each byte XORed with `pad`.
fn keyed_digest(algorithm: HashAlgorithm, key: &[u8; KEY_LENGTH], pad: u8) -> Result<Digest, ErrorStack> {
    let block_length = match algorithm {
        HashAlgorithm::Sha1 | HashAlgorithm::Sha256 => 64,
        HashAlgorithm::Sha512 => 128,
    };
    let mut block = SecretBytes::zeroed(block_length);
    block[..KEY_LENGTH].copy_from_slice(key);
    block.iter_mut().for_each(|byte| *byte ^= pad);
    let mut digest = Digest::new()?;
    digest.start(algorithm)?;
    digest.update(&block)?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; KEY_LENGTH] = b"an HMAC key of thirty-two bytes.";

    fn compute(hmacs: &mut PageHmacs, key: &[u8; KEY_LENGTH]) -> Result<[u8; 64], ErrorStack> {
        let mut out = [0; 64];
        hmacs.compute(HashAlgorithm::Sha512, key, [b"content", b"1234"], &mut out)?;
        Ok(out)
    }

    #[test]
    fn an_error_of_openssl_drops_the_context() {
        vendored_sys::init().unwrap();
        let mut hmacs = PageHmacs::default();
        let expected = compute(&mut hmacs, KEY).unwrap();
        for is_inner in [true, false] {
            let keyed = &mut hmacs.keyed[0];
            *(if is_inner { &mut keyed.inner } else { &mut keyed.outer }) = Digest::new().unwrap();
            assert!(compute(&mut hmacs, KEY).is_err());
            assert!(hmacs.keyed.is_empty());
            assert!(ErrorStack::get().errors().is_empty(), "an error is left for another caller");
            assert_eq!(compute(&mut hmacs, KEY).unwrap(), expected);
        }
    }

    #[test]
    fn two_keys_keep_their_contexts_and_a_third_key_replaces_the_older() {
        vendored_sys::init().unwrap();
        let mut hmacs = PageHmacs::default();
        for key in [1, 2, 1, 2, 1, 3] {
            compute(&mut hmacs, &[key; KEY_LENGTH]).unwrap();
        }
        let kept: Vec<u8> = hmacs.keyed.iter().map(|keyed| keyed.key[0]).collect();
        assert_eq!(kept, [3, 1]);
        hmacs.forget();
        assert!(hmacs.keyed.is_empty());
    }
}
