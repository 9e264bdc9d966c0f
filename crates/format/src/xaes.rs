//! XAES-256-GCM, by the document at C2SP.org/XAES-256-GCM, over OpenSSL's AES.

use std::fmt;
use std::ops::Range;
use std::ptr;

use openssl::error::ErrorStack;
use strongroom_keys::SecretBytes;

use crate::cipher_context::{CipherContext, Mode};
use crate::field::field;
use crate::{KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH};

/// XAES-256-GCM under one key.
///
/// The value keeps OpenSSL's contexts from call to call. The key and K1 are in [`SecretBytes`]; OpenSSL's memory, which is
/// neither locked nor excluded from core dumps, holds the expanded key only during the derivation of a message's key.
/// The expanded key of the last message stays until the next call.
pub struct Xaes256Gcm {
    secret: SecretBytes,
    /// `None` after an error, when the context may still hold the key.
    ecb: Option<CipherContext>,
    gcm: CipherContext,
}

/// The parts of `Xaes256Gcm::secret`.
mod part {
    use std::ops::Range;

    pub(super) const K: Range<usize> = 0..32;
    /// The subkey of CMAC (NIST SP 800-38B) that the document calls K1.
    pub(super) const K1: Range<usize> = 32..48;
    /// The two blocks M1 and M2, then the derived key of the current message.
    pub(super) const MESSAGE_KEY: Range<usize> = 48..80;
    pub(super) const LENGTH: usize = 80;
}

/// The part of the nonce from which the message's key is derived. The rest is the nonce of AES-256-GCM.
const DERIVING_LENGTH: usize = 12;

impl Xaes256Gcm {
    /// Takes a copy of the key. The caller has called [`vendored_sys::init`].
    ///
    /// # Errors
    ///
    /// OpenSSL's errors, such as a lack of memory.
    pub fn new(key: &[u8; KEY_LENGTH]) -> Result<Self, ErrorStack> {
        let mut secret = SecretBytes::zeroed(part::LENGTH);
        secret[part::K].copy_from_slice(key);
        let (ecb, gcm) = (CipherContext::aes_256_ecb()?, CipherContext::aes_256_gcm()?);
        let mut cipher = Self { secret, ecb: Some(ecb), gcm };
        // Steps 1 and 2: L is the cipher's output for zeros. K1 is L, doubled in GF(2^128).
        cipher.encrypt_blocks(part::K1)?;
        let l = &mut cipher.secret[part::K1];
        let mut carry = 0;
        for byte in l.iter_mut().rev() {
            (*byte, carry) = (*byte << 1 | carry, *byte >> 7);
        }
        // Without a branch, since L is secret.
        l[15] ^= carry * 0x87;
        Ok(cipher)
    }

    /// Encrypts `length` bytes and returns their tag.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `to` and `tag` are then unspecified.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes each, which are either the same or do not overlap.
    pub unsafe fn seal_raw(
        &mut self,
        nonce: &[u8; NONCE_LENGTH],
        associated_data: &[u8],
        from: *const u8,
        to: *mut u8,
        length: usize,
        tag: &mut [u8; TAG_LENGTH],
    ) -> Result<(), ErrorStack> {
        self.start(Mode::Encrypt, nonce, associated_data)?;
        // SAFETY: the caller upholds the contract.
        unsafe { self.gcm.update(from, to, length)? };
        self.gcm.finish_sealing(tag)
    }

    /// Decrypts `length` bytes. Returns whether they are authentic; `to` holds zeros if they are not.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `to` then holds zeros.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes each, which are either the same or do not overlap.
    pub unsafe fn open_raw(
        &mut self,
        nonce: &[u8; NONCE_LENGTH],
        associated_data: &[u8],
        from: *const u8,
        to: *mut u8,
        length: usize,
        tag: &[u8; TAG_LENGTH],
    ) -> Result<bool, ErrorStack> {
        let result = self.start(Mode::Decrypt, nonce, associated_data).and_then(|()| {
            // SAFETY: the caller upholds the contract.
            unsafe { self.gcm.update(from, to, length)? };
            self.gcm.finish_opening(tag)
        });
        if !matches!(result, Ok(true)) {
            // SAFETY: the caller guarantees `length` writable bytes.
            unsafe { ptr::write_bytes(to, 0, length) };
        }
        result
    }

    /// Encrypts `text` in place and returns its tag.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `text` is then unspecified.
    pub fn seal(
        &mut self,
        nonce: &[u8; NONCE_LENGTH],
        associated_data: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LENGTH], ErrorStack> {
        let mut tag = [0; TAG_LENGTH];
        let (pointer, length) = (text.as_mut_ptr(), text.len());
        // SAFETY: `text` is both buffers.
        unsafe { self.seal_raw(nonce, associated_data, pointer, pointer, length, &mut tag)? };
        Ok(tag)
    }

    /// Decrypts `text` in place. Returns whether the text is authentic; `text` holds zeros if it is not.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `text` then holds zeros.
    pub fn open(
        &mut self,
        nonce: &[u8; NONCE_LENGTH],
        associated_data: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LENGTH],
    ) -> Result<bool, ErrorStack> {
        let (pointer, length) = (text.as_mut_ptr(), text.len());
        // SAFETY: `text` is both buffers.
        unsafe { self.open_raw(nonce, associated_data, pointer, pointer, length, tag) }
    }

    /// Derives the message's key (steps 3 to 6) and starts the message.
    fn start(
        &mut self,
        mode: Mode,
        nonce: &[u8; NONCE_LENGTH],
        associated_data: &[u8],
    ) -> Result<(), ErrorStack> {
        let deriving: &[u8; DERIVING_LENGTH] = field(nonce, 0);
        let (k1, blocks) = self.secret[part::K1.start..].split_at_mut(part::K1.len());
        for (block, number) in blocks.chunks_exact_mut(k1.len()).zip(1..) {
            block[..4].copy_from_slice(&[0, number, b'X', 0]);
            block[4..].copy_from_slice(deriving);
            block.iter_mut().zip(&*k1).for_each(|(byte, mask)| *byte ^= mask);
        }
        self.encrypt_blocks(part::MESSAGE_KEY)?;
        self.gcm.start(mode, field(&self.secret, part::MESSAGE_KEY.start), field(nonce, DERIVING_LENGTH))?;
        self.gcm.update_associated_data(associated_data)
    }

    /// Encrypts whole blocks of `secret` in place with AES-256 under the key.
    fn encrypt_blocks(&mut self, blocks: Range<usize>) -> Result<(), ErrorStack> {
        // The context is put back only if every step succeeds, and then holds the expansion of zeros.
        let mut ecb = match self.ecb.take() {
            Some(ecb) => ecb,
            None => CipherContext::aes_256_ecb()?,
        };
        ecb.set_key(Mode::Encrypt, field(&self.secret, part::K.start))?;
        let blocks = &mut self.secret[blocks];
        let (pointer, length) = (blocks.as_mut_ptr(), blocks.len());
        // SAFETY: `blocks` is both buffers, and each part of the secret has whole blocks.
        unsafe { ecb.update(pointer, pointer, length)? };
        ecb.set_key(Mode::Encrypt, &[0; KEY_LENGTH])?;
        self.ecb = Some(ecb);
        Ok(())
    }
}

impl fmt::Debug for Xaes256Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xaes256Gcm(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; NONCE_LENGTH] = [2; NONCE_LENGTH];

    #[test]
    fn an_error_of_openssl_drops_the_context_that_may_hold_the_key() {
        vendored_sys::init().unwrap();
        let mut cipher = Xaes256Gcm::new(&[1; KEY_LENGTH]).unwrap();
        let mut text = [3; 32];
        let tag = cipher.seal(&NONCE, b"", &mut text).unwrap();
        cipher.ecb = Some(CipherContext::blank());
        assert!(cipher.open(&NONCE, b"", &mut text.clone(), &tag).is_err());
        assert!(cipher.ecb.is_none());
        assert!(ErrorStack::get().errors().is_empty(), "an error is left for another caller");
        assert!(cipher.open(&NONCE, b"", &mut text, &tag).unwrap());
        assert_eq!(text, [3; 32]);
    }

    #[test]
    fn a_text_that_could_not_be_opened_is_zeros() {
        vendored_sys::init().unwrap();
        let mut cipher = Xaes256Gcm::new(&[1; KEY_LENGTH]).unwrap();
        cipher.gcm = CipherContext::blank();
        let mut text = [3; 32];
        assert!(cipher.open(&NONCE, b"", &mut text, &[0; TAG_LENGTH]).is_err());
        assert_eq!(text, [0; 32]);
    }
}
