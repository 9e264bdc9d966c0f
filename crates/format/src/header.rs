//! The header of a file, read without a key.

use strongroom_keys::{Key, SlotId};

use crate::copy::{COPY_LENGTH, HEADER_LENGTH, HeaderCopy, MAGIC};
use crate::credential::Credentials;
use crate::derive::{hkdf, info};
use crate::page::SQLITE_MAGIC;
use crate::slot_bytes::Opener;
use crate::{Credential, FILE_ID_LENGTH, HeaderError, SlotKind, UnlockError, Unlocked};

/// The header of a file, read without a key: nothing is authenticated until [`Header::unlock`].
#[derive(Clone, Debug)]
pub struct Header {
    newest: HeaderCopy,
    /// The other copy, if it is whole and this crate can read it.
    other: Option<HeaderCopy>,
}

impl Header {
    /// Returns whether a file that starts with these bytes has the Strongroom format.
    ///
    /// 16 bytes suffice, unless the first copy of the header is torn or damaged there. [`HEADER_LENGTH`] bytes show the
    /// format by the second copy too.
    pub fn detect(start: &[u8]) -> bool {
        // The text of a plain database's schema could contain a copy.
        start.starts_with(&MAGIC)
            || (!start.starts_with(&SQLITE_MAGIC) && HeaderCopy::find(start, 1).is_some())
    }

    /// Returns whether a file is what an interrupted creation left, and may be created anew.
    ///
    /// `file` is the whole file, or its first 8,193 bytes. The remainder has at most 8,192 bytes, so no page. It starts with
    /// the magic or consists of zeros, and neither copy of its header is whole.
    pub fn is_interrupted_creation(file: &[u8]) -> bool {
        let start = &file[..file.len().min(MAGIC.len())];
        (1..=HEADER_LENGTH).contains(&file.len())
            && (MAGIC.starts_with(start) || file.iter().all(|byte| *byte == 0))
            && (0..2).all(|index| HeaderCopy::find(file, index).is_none())
    }

    /// Reads the header from the first bytes of a file, of which at most 8,192 are read.
    ///
    /// The newest whole copy decides: the copy with the higher generation, or the first of two equal ones.
    ///
    /// # Errors
    ///
    /// [`HeaderError`].
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        let (newest, other) = match (HeaderCopy::find(bytes, 0), HeaderCopy::find(bytes, 1)) {
            (Some(first), Some(second)) if second.generation() > first.generation() => (second, Some(first)),
            (Some(first), second) => (first, second),
            (None, Some(second)) => (second, None),
            (None, None) => {
                return Err(HeaderError::Incomplete { length: bytes.len().min(HEADER_LENGTH) });
            }
        };
        newest.check()?;
        Ok(Self { newest, other: other.filter(|copy| copy.check().is_ok()) })
    }

    /// Returns whether both copies of the header are whole.
    pub fn has_both_copies(&self) -> bool {
        self.other.is_some()
    }

    /// Returns the page size in bytes. [`Unlocked::page_size`] returns the authenticated page size.
    pub fn page_size(&self) -> u32 {
        self.newest.page_size()
    }

    /// Returns the file's identity.
    pub fn file_id(&self) -> &[u8; FILE_ID_LENGTH] {
        self.newest.file_id()
    }

    /// Returns the generation, which each update of the header raises by one.
    pub fn generation(&self) -> u64 {
        self.newest.generation()
    }

    /// Opens the header with a key: tries every slot for this kind of key, then authenticates the copy.
    ///
    /// The newest whole copy decides which keys open the file, so an interrupted update leaves exactly one key. The other
    /// copy is tried only if a slot opens and the newest copy is not authentic.
    ///
    /// For a passphrase, each slot with other parameters or another salt costs a run of Argon2id: for a slot with the
    /// parameters of new slots, 64 MiB and about 0.1 s. Eight slots for passphrases, tried with a wrong one, cost eight
    /// runs, one after the other. A key that names its slot ([`Key::with_slot`]) costs one. Slots with more than 1 GiB, 16
    /// passes or 16 lanes are not tried.
    ///
    /// # Errors
    ///
    /// [`UnlockError::WrongKey`] if no slot opens; [`UnlockError::NoSlot`], [`UnlockError::UnknownSlot`],
    /// [`UnlockError::UnsupportedSlot`] or [`UnlockError::KdfLimit`] if the header shows why. [`UnlockError::Altered`] if a slot opens, but no copy is
    /// authentic. [`UnlockError::OpenSsl`] or [`UnlockError::Init`].
    pub fn unlock(&self, key: &Key) -> Result<Unlocked, UnlockError> {
        self.unlock_by(&mut Credentials::of(key))
    }

    /// Opens the header with a credential that opened another header, without a run of Argon2id.
    ///
    /// A raw key and a recovery code open slots with any salt. A derived credential opens only slots with its own salt and
    /// parameters.
    ///
    /// # Errors
    ///
    /// As for [`Header::unlock`].
    pub fn unlock_with(&self, credential: &Credential) -> Result<Unlocked, UnlockError> {
        self.unlock_by(&mut Credentials::Ready(credential))
    }

    /// Opens the header of a file that is open, in its newest state, with the credential that opened the file.
    ///
    /// The result has the same data key. Its current slot is the one that opened the file, as long as the slot has the same
    /// key; otherwise another slot with this key.
    ///
    /// # Errors
    ///
    /// [`UnlockError::WrongKey`] or [`UnlockError::NoSlot`] if the slot was removed or has a new key.
    /// [`UnlockError::OtherFile`] if the header has another identity or another data key. [`UnlockError::Altered`],
    /// [`UnlockError::OpenSsl`] and [`UnlockError::Init`] as for [`Header::unlock`].
    pub fn unlock_again(&self, unlocked: &Unlocked) -> Result<Unlocked, UnlockError> {
        if self.file_id() != unlocked.file_id() {
            return Err(UnlockError::OtherFile);
        }
        let again = self.unlock_with(unlocked.credential())?;
        match again.has_data_key_of(unlocked) {
            true => Ok(again.with_current_slot(unlocked.current_slot())?),
            false => Err(UnlockError::OtherFile),
        }
    }

    fn unlock_by(&self, credentials: &mut Credentials<'_>) -> Result<Unlocked, UnlockError> {
        vendored_sys::init().map_err(|source| UnlockError::Init { source })?;
        if let Some(unlocked) = open(&self.newest, credentials)? {
            return Ok(unlocked);
        }
        let Some(other) = &self.other else { return Err(UnlockError::Altered) };
        match open(other, credentials) {
            Ok(Some(unlocked)) => Ok(unlocked),
            Err(error @ (UnlockError::OpenSsl { .. } | UnlockError::Init { .. })) => Err(error),
            Ok(None) | Err(_) => Err(UnlockError::Altered),
        }
    }
}

/// Opens a slot of one copy. Returns `None` if the copy is not authentic.
fn open(copy: &HeaderCopy, credentials: &mut Credentials<'_>) -> Result<Option<Unlocked>, UnlockError> {
    let (kind, only) = (credentials.kind(), credentials.only_slot());
    let mut candidates = copy.slots().filter(|slot| slot.opener().takes(kind));
    if !candidates.any(|slot| only.is_none_or(|id| slot.id() == id)) {
        return Err(no_candidate(copy, kind, only));
    }
    let mut untried = None;
    for (index, slot) in copy.slots().enumerate() {
        let credential = match credentials.for_slot(index, &slot) {
            Ok(Some(credential)) => credential,
            Ok(None) => continue,
            Err(error @ (UnlockError::UnsupportedSlot { .. } | UnlockError::KdfLimit { .. })) => {
                untried.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(data_key) = slot.unwrap_key(copy, &credential)? else { continue };
        let header_key = hkdf(&data_key, copy.file_id(), info::HEADER)?;
        let is_authentic = copy.is_authentic(&header_key)?;
        return Ok(is_authentic.then(|| Unlocked::opened(copy.clone(), index, data_key, credential)));
    }
    Err(untried.unwrap_or(UnlockError::WrongKey))
}

/// Returns the error of a key for which the header has no slot.
fn no_candidate(copy: &HeaderCopy, kind: SlotKind, only: Option<SlotId>) -> UnlockError {
    if let Some(id) = only {
        return UnlockError::UnknownSlot { id, given: kind.name(), found: copy.listed_slots() };
    }
    let openers = copy.slots().map(|slot| slot.opener()).filter(|opener| *opener != Opener::Nothing);
    let found = openers.map(Opener::name).collect::<Vec<_>>().join(", ");
    let found = if found.is_empty() { "no slot in use".to_owned() } else { found };
    UnlockError::NoSlot { given: kind.name(), found }
}

/// The offset of a copy in the file.
pub(crate) fn offset(index: usize) -> u64 {
    (index * COPY_LENGTH) as u64
}

#[cfg(test)]
mod tests {
    use strongroom_keys::RecoveryCode;

    use super::*;
    use crate::argon2id::{Argon2id, runs};
    use crate::{NewSlot, SLOT_COUNT};

    const CHEAP: Argon2id = Argon2id { memory: 64, passes: 1, lanes: 1 };

    fn passphrase(number: usize) -> Key {
        Key::passphrase(format!("passphrase {number}").as_bytes()).unwrap()
    }

    fn header(unlocked: &Unlocked) -> Header {
        Header::read(&unlocked.header_bytes()).unwrap()
    }

    /// Returns a header with `count` slots for different passphrases, and a slot for a raw key if there is room.
    fn with_passphrases(count: usize) -> (Unlocked, Vec<SlotId>) {
        let mut unlocked = Unlocked::create_with(&passphrase(0), 4096, CHEAP).unwrap();
        let mut ids = vec![unlocked.current_slot().unwrap()];
        for number in 1..count {
            let (runs, new) = runs::of(|| NewSlot::derive_with(&passphrase(number), CHEAP).unwrap());
            assert_eq!(runs, 1);
            // Under the lock of the file, nothing is derived.
            let (runs, added) = runs::of(|| unlocked.with_slot_added(&new, Some("label")).unwrap());
            assert_eq!(runs, 0);
            ids.push(added.1);
            unlocked = added.0;
        }
        if count < SLOT_COUNT {
            let new = NewSlot::derive(&Key::raw(&[1; 32]).unwrap()).unwrap();
            unlocked = unlocked.with_slot_added(&new, None).unwrap().0;
        }
        (unlocked, ids)
    }

    #[test]
    fn a_wrong_passphrase_costs_one_derivation_for_each_slot_of_a_passphrase() {
        for count in 1..=SLOT_COUNT {
            let header = header(&with_passphrases(count).0);
            let (runs, result) = runs::of(|| header.unlock(&passphrase(99)));
            assert!(matches!(result, Err(UnlockError::WrongKey)));
            assert_eq!(runs, count);
        }
    }

    #[test]
    fn a_right_passphrase_costs_the_derivations_up_to_its_slot() {
        let header = header(&with_passphrases(SLOT_COUNT).0);
        for number in 0..SLOT_COUNT {
            assert_eq!(runs::of(|| header.unlock(&passphrase(number)).unwrap()).0, number + 1);
        }
    }

    #[test]
    fn a_named_slot_costs_one_derivation() {
        let (unlocked, ids) = with_passphrases(SLOT_COUNT);
        for number in [0, 3, 7] {
            let key = |number| passphrase(number).with_slot(ids[7]);
            let (runs, result) = runs::of(|| header(&unlocked).unlock(&key(number)));
            assert_eq!((runs, result.is_ok()), (1, number == 7));
        }
        let (runs, result) = runs::of(|| header(&unlocked).unlock(&passphrase(0).with_slot(SlotId([9; 8]))));
        assert!(matches!(result, Err(UnlockError::UnknownSlot { .. })));
        assert_eq!(runs, 0);
    }

    #[test]
    fn other_keys_and_credentials_cost_no_derivation() {
        let (unlocked, ids) = with_passphrases(3);
        let header = header(&unlocked);
        let code = Key::recovery_code(&RecoveryCode::generate().unwrap());
        let (runs, _) = runs::of(|| {
            header.unlock(&Key::raw(&[1; 32]).unwrap()).unwrap();
            assert!(header.unlock(&Key::raw(&[2; 32]).unwrap()).is_err());
            assert!(header.unlock(&code).is_err());
            NewSlot::derive(&code).unwrap();
            let again = header.unlock_again(&unlocked).unwrap();
            again.slots().unwrap();
            again.with_slot_removed(ids[1]).unwrap();
            again.for_new_file(4096).unwrap();
            again.for_rotation(&[], true).unwrap();
        });
        assert_eq!(runs, 0);
    }

    /// Both copies of a header, and two slots with one derivation, share it.
    #[test]
    fn a_derivation_is_not_repeated() {
        let new = NewSlot::derive_with(&passphrase(0), CHEAP).unwrap();
        let created = Unlocked::create(&Key::raw(&[1; 32]).unwrap(), 4096).unwrap();
        let one = created.with_slot_added(&new, None).unwrap().0;
        let two = one.with_slot_added(&new, None).unwrap().0;
        assert_eq!(runs::of(|| header(&two).unlock(&passphrase(1)).unwrap_err()).0, 1);
        // The newest copy opens and is not authentic, so the older copy is tried too.
        let mut newer = *two.copy_bytes();
        newer[4000] ^= 1;
        let checksum = openssl::sha::sha256(&newer[..4064]);
        newer[4064..].copy_from_slice(&checksum);
        let header = Header::read(&[newer, *one.copy_bytes()].concat()).unwrap();
        let (runs, opened) = runs::of(|| header.unlock(&passphrase(0)).unwrap());
        assert_eq!((runs, opened.generation()), (1, one.generation()));
    }

    #[test]
    fn a_rotation_tries_each_passphrase_on_the_slots_that_are_still_closed() {
        let unlocked = header(&with_passphrases(4).0).unlock(&Key::raw(&[1; 32]).unwrap()).unwrap();
        let keys: Vec<Key> = (0..4).map(passphrase).collect();
        let (runs, result) = runs::of(|| unlocked.for_rotation(&keys.iter().collect::<Vec<_>>(), false));
        assert!(result.unwrap().1.is_empty());
        assert_eq!(runs, 4 + 3 + 2 + 1);
        let (runs, result) = runs::of(|| unlocked.for_rotation(&[&keys[0], &passphrase(99)], true));
        assert!(result.is_err());
        assert_eq!(runs, 4 + 4);
    }
}
