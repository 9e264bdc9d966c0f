//! The cipher of one database of a connection: its key and its parameters.

use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use strongroom_format::{PageSealer, RESERVED_LENGTH, Unlocked};
use strongroom_keys::{
    CipherParameters, Format, HashAlgorithm, Key, KeyError, PageKeys, PageNumberOrder, SALT_LENGTH,
    SecretBytes,
};

use crate::open::{cannot_use, path_of, path_or_memory};
use crate::pragma::{pragma, set_pragma};
use crate::seam::{Core, Defaults, Failure};
use crate::strongroom::{self, FormatFailure, NewFile};
use crate::{Location, OpenError};

/// SQLCipher has no default for one of the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoDefault;

/// The failure of setting a key.
pub(crate) enum CipherFailure {
    Key(KeyError),
    Sqlite(Failure),
    /// The key does not fit the format of the file, or the file's header cannot be used.
    Format(FormatFailure),
}

impl CipherFailure {
    /// Returns the error of opening a file.
    pub(crate) fn into_open_error(self, location: Location<'_>) -> OpenError {
        let path = path_or_memory(location);
        match self {
            Self::Sqlite(failure) => cannot_use(location, failure),
            Self::Key(source) => OpenError::Key { path, source },
            Self::Format(failure) => failure.into_open_error(path),
        }
    }
}

impl From<FormatFailure> for CipherFailure {
    fn from(failure: FormatFailure) -> Self {
        Self::Format(failure)
    }
}

impl From<Failure> for CipherFailure {
    fn from(failure: Failure) -> Self {
        Self::Sqlite(failure)
    }
}

/// The encryption of a database: its keys and parameters.
pub(crate) struct Cipher {
    keys: Keys,
    /// The Strongroom format has only a page size.
    pub(crate) parameters: CipherParameters,
}

enum Keys {
    /// A key in SQLCipher's form.
    SqlCipher(SecretBytes),
    Strongroom(Arc<Unlocked>),
}

impl Cipher {
    /// Prepares a key for the database `schema`, in the format of its file. A new file gets the format of `new`; for the
    /// Strongroom format, its header is written now.
    ///
    /// Reads the salt from the database's file if the key must be derived here.
    pub(crate) fn new(core: &Core, schema: &CStr, key: &Key, new: NewFile) -> Result<Self, CipherFailure> {
        if let Some(unlocked) = strongroom::unlock(core, schema, key, new)? {
            return Ok(Self::strongroom(unlocked));
        }
        let parameters = *key.parameters();
        let secret = if parameters.fast_kdf_iter.is_none() && parameters.hmac_salt_mask.is_none() {
            key.expose_for_sqlcipher().map_err(CipherFailure::Key)?
        } else {
            // SQLCipher deprecates both parameters, and its salt mask applies to the whole process, so the keys are
            // derived here.
            let salt = salt(core, schema, &parameters)?;
            PageKeys::derive(key, &salt).map_err(CipherFailure::Key)?.keyspec(&salt)
        };
        Ok(Self { keys: Keys::SqlCipher(secret), parameters })
    }

    fn strongroom(unlocked: Unlocked) -> Self {
        Self::of_unlocked(Arc::new(unlocked))
    }

    pub(crate) fn of_unlocked(unlocked: Arc<Unlocked>) -> Self {
        let parameters =
            // SQLCipher's defaults for the process may differ.
            CipherParameters {
                page_size: Some(unlocked.page_size()),
                plaintext_header_size: Some(0),
                use_hmac: Some(true),
                ..CipherParameters::default()
            };
        Self { keys: Keys::Strongroom(unlocked), parameters }
    }

    /// Returns the cipher that the database `schema` has, or `None` without a key.
    pub(crate) fn of(core: &Core, schema: &CStr) -> Result<Option<Self>, Failure> {
        let Some(mut secret) = core.keyspec(schema) else { return Ok(None) };
        let name = schema.to_string_lossy();
        if let Some(unlocked) = core.unlocked(&name) {
            return Ok(Some(Self::of_unlocked(unlocked)));
        }
        if let Some((_, salt)) = PageKeys::from_keyspec(&secret)
            && let Some(exchanged) = core.exchanged_keyspec(&name, &salt)
        {
            secret = exchanged;
        }
        let mut parameters = core.with(|connection| parameters(connection, &name))?;
        // The form of a passphrase that SQLCipher has not used yet, such as the passphrase of an in-memory database, lacks
        // the salt. A file with a plaintext header does not hold the salt.
        if parameters.plaintext_header_size.is_some() && PageKeys::from_keyspec(&secret).is_none() {
            parameters.salt = core.with(|connection| salt_of_connection(connection, &name))?;
        }
        Ok(Some(Self { keys: Keys::SqlCipher(secret), parameters }))
    }

    /// Returns the cipher with these keys, in the form that SQLCipher has after deriving them.
    pub(crate) fn from_page_keys(
        keys: &PageKeys,
        salt: &[u8; SALT_LENGTH],
        parameters: CipherParameters,
    ) -> Self {
        Self { keys: Keys::SqlCipher(keys.keyspec(salt)), parameters }
    }

    /// Encrypts a new file, the database `schema`, as a copy: the same keys open it.
    ///
    /// In the Strongroom format, the file gets the whole header, with every key slot.
    pub(crate) fn apply_to_copy(&self, core: &Core, schema: &CStr) -> Result<(), CipherFailure> {
        if let Some(unlocked) = self.unlocked() {
            strongroom::create_with_header(core, schema, unlocked)?;
        }
        Ok(self.apply(core, schema)?)
    }

    /// Returns the cipher with the key slots that the file of the database `schema` has now, if the key still opens it.
    ///
    /// # Errors
    ///
    /// The failure of reading the file: older slots could contain one that another connection has removed.
    pub(crate) fn with_current_slots(self, core: &Core, schema: &CStr) -> Result<Self, Failure> {
        let Some(unlocked) = self.unlocked() else { return Ok(self) };
        if core.on_disk(schema)?.is_none() {
            return Ok(self);
        }
        match strongroom::unlock_again(core, schema, unlocked) {
            Ok(unlocked) => Ok(Self::strongroom(unlocked)),
            Err(CipherFailure::Sqlite(failure)) => Err(failure),
            // A damaged header can be left only by a copy.
            Err(CipherFailure::Key(_) | CipherFailure::Format(_)) => Ok(self),
        }
    }

    /// Returns the cipher of a file, the database `schema`, that the key of `other_file` opens.
    pub(crate) fn like(core: &Core, schema: &CStr, other_file: &Unlocked) -> Result<Self, CipherFailure> {
        strongroom::unlock_like(core, schema, other_file).map(Self::strongroom)
    }

    /// Returns the parameters as SQLCipher's defaults for the process.
    pub(crate) fn as_defaults(&self) -> Result<Defaults, NoDefault> {
        if self.parameters.effective_hmac_page_number() != PageNumberOrder::Little {
            return Err(NoDefault);
        }
        let set = |name: &str| settings(&self.parameters).into_iter().find(|(set, _)| *set == name);
        let value =
            |name: &str, absent: &str| set(name).map_or_else(|| absent.to_owned(), |(_, value)| value);
        Ok(vec![
            ("cipher_default_page_size", value("cipher_page_size", "4096")),
            ("cipher_default_use_hmac", value("cipher_use_hmac", "1")),
            ("cipher_default_hmac_algorithm", value("cipher_hmac_algorithm", "HMAC_SHA512")),
            ("cipher_default_plaintext_header_size", value("cipher_plaintext_header_size", "0")),
        ])
    }

    /// Returns whether the key that opens one file also opens the other, in the same format.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (&self.keys, &other.keys) {
            (Keys::SqlCipher(one), Keys::SqlCipher(other_secret)) => {
                let same_layout = self.parameters == other.parameters;
                let keys = |secret: &SecretBytes| PageKeys::from_keyspec(secret).map(|(keys, _)| keys.cipher);
                let same_key = match (keys(one), keys(other_secret)) {
                    (Some(one), Some(other)) => openssl::memcmp::eq(&one, &other),
                    _ => one.len() == other_secret.len() && openssl::memcmp::eq(one, other_secret),
                };
                same_layout && same_key
            }
            (Keys::Strongroom(one), Keys::Strongroom(other)) => {
                one.page_size() == other.page_size() && one.credential().is_same(other.credential())
            }
            _ => false,
        }
    }

    /// Returns the path of the database `schema` if another connection has changed the key of its file in the Strongroom
    /// format. In SQLCipher's format, the next read fails instead.
    pub(crate) fn key_changed(&self, core: &Core, schema: &CStr) -> Result<Option<PathBuf>, Failure> {
        let (Some(unlocked), Some(path)) = (self.unlocked(), core.file_name(schema)) else { return Ok(None) };
        Ok(strongroom::is_slot_removed(core, schema, unlocked)?.then(|| path_of(&path)))
    }

    /// Returns the keys of a file in the Strongroom format.
    pub(crate) fn unlocked(&self) -> Option<&Arc<Unlocked>> {
        match &self.keys {
            Keys::SqlCipher(_) => None,
            Keys::Strongroom(unlocked) => Some(unlocked),
        }
    }

    pub(crate) fn format(&self) -> Format {
        match &self.keys {
            Keys::SqlCipher(_) => Format::SqlCipher,
            Keys::Strongroom(_) => Format::Strongroom,
        }
    }

    /// Returns the same key with another page size. In the Strongroom format, the header sets the page size.
    pub(crate) fn with_page_size(self, page_size: u32) -> Self {
        if self.unlocked().is_some() {
            return self;
        }
        let parameters = CipherParameters { page_size: Some(page_size), ..self.parameters };
        Self { parameters, ..self }
    }

    /// Returns the keys of the pages and the salt, if SQLCipher has derived them.
    pub(crate) fn page_keys(&self) -> Option<(PageKeys, [u8; SALT_LENGTH])> {
        match &self.keys {
            Keys::SqlCipher(secret) => PageKeys::from_keyspec(secret),
            Keys::Strongroom(_) => None,
        }
    }

    /// Returns the means to authenticate pages, or `None` if nothing authenticates them, or if SQLCipher has not derived the
    /// keys yet.
    pub(crate) fn authenticator(&self) -> Result<Option<Authenticator>, CipherFailure> {
        if let Some(unlocked) = self.unlocked() {
            let sealer = unlocked.page_sealer().map_err(FormatFailure::Create)?;
            return Ok(Some(Authenticator::Strongroom(sealer)));
        }
        let has_hmac = self.parameters.effective_hmac_algorithm().is_some();
        let keys = self.page_keys().filter(|_| has_hmac);
        Ok(keys.map(|(keys, _)| Authenticator::SqlCipher(keys, self.parameters)))
    }

    /// Sets the key and the parameters of the database `schema`, without reading its file.
    pub(crate) fn apply(&self, core: &Core, schema: &CStr) -> Result<(), Failure> {
        match &self.keys {
            Keys::SqlCipher(secret) => core.key(schema, secret)?,
            Keys::Strongroom(unlocked) => {
                core.move_pages(schema, unlocked.page_size());
                core.key_sealed(schema, unlocked, &strongroom::unused_key(unlocked)?)?;
            }
        }
        let name = schema.to_string_lossy();
        core.with_settings(|| {
            core.with(|connection| {
                for (pragma, value) in settings(&self.parameters) {
                    set_pragma(connection, &name, pragma, &value)?;
                }
                Ok(())
            })
        })
    }
}

/// The means to authenticate the pages of a file.
pub(crate) enum Authenticator {
    SqlCipher(PageKeys, CipherParameters),
    Strongroom(PageSealer),
}

impl Authenticator {
    /// Returns whether the page with this number, counted from 1, was written with the key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Derivation`] if OpenSSL fails.
    pub(crate) fn authenticate(&mut self, page: &[u8], number: u32) -> Result<bool, KeyError> {
        match self {
            Self::SqlCipher(keys, parameters) => {
                Ok(keys.authenticate(page, number, parameters)? != Some(false))
            }
            Self::Strongroom(sealer) => {
                sealer.authenticate(page, number).map_err(|source| KeyError::Derivation { source })
            }
        }
    }
}

/// Returns the number of bytes at the end of each page of a file that hold no content.
pub(crate) fn reserved_bytes(format: Format, parameters: &CipherParameters) -> u32 {
    match format {
        Format::SqlCipher => parameters.reserved_bytes(),
        Format::Strongroom => RESERVED_LENGTH as u32,
    }
}

/// Returns the pragmas that set the parameters. cipher_compatibility comes first, because it resets the others.
fn settings(parameters: &CipherParameters) -> Vec<(&'static str, String)> {
    let hash = |algorithm: HashAlgorithm| match algorithm {
        HashAlgorithm::Sha1 => "SHA1",
        HashAlgorithm::Sha256 => "SHA256",
        HashAlgorithm::Sha512 => "SHA512",
    };
    let order = |order| match order {
        PageNumberOrder::Little => "le",
        PageNumberOrder::Big => "be",
        PageNumberOrder::Native => "native",
    };
    let blob = |salt: [u8; SALT_LENGTH]| {
        format!("x'{}'", salt.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let text = |pragma, value: Option<String>| value.map(|value| (pragma, value));
    [
        // Without a version, SQLCipher would take the process's default, which PRAGMA cipher_default_compatibility changes.
        text("cipher_compatibility", Some(parameters.compatibility.unwrap_or(4).to_string())),
        text("cipher_page_size", parameters.page_size.map(|size| size.to_string())),
        text("cipher_use_hmac", parameters.use_hmac.map(|used| u8::from(used).to_string())),
        text("cipher_hmac_algorithm", parameters.hmac_algorithm.map(|name| format!("HMAC_{}", hash(name)))),
        text(
            "cipher_kdf_algorithm",
            parameters.kdf_algorithm.map(|name| format!("PBKDF2_HMAC_{}", hash(name))),
        ),
        text("kdf_iter", parameters.kdf_iter.map(|iterations| iterations.to_string())),
        text("cipher_hmac_pgno", parameters.hmac_page_number.map(|name| order(name).to_owned())),
        text("cipher_plaintext_header_size", parameters.plaintext_header_size.map(|size| size.to_string())),
        text("cipher_salt", parameters.salt.map(blob)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Reads the parameters of the database `schema`, which has a key.
fn parameters(connection: &Connection, schema: &str) -> rusqlite::Result<CipherParameters> {
    let value = |name: &str| pragma::<String>(connection, schema, name);
    let number = |pragma: &str| Ok::<_, rusqlite::Error>(value(pragma)?.parse::<u32>().ok());
    let hash = |pragma: &str| {
        let name = value(pragma)?;
        Ok::<_, rusqlite::Error>(match name.rsplit('_').next() {
            Some("SHA1") => Some(HashAlgorithm::Sha1),
            Some("SHA256") => Some(HashAlgorithm::Sha256),
            Some("SHA512") => Some(HashAlgorithm::Sha512),
            _ => None,
        })
    };
    Ok(CipherParameters {
        kdf_iter: number("kdf_iter")?,
        page_size: number("cipher_page_size")?,
        kdf_algorithm: hash("cipher_kdf_algorithm")?,
        hmac_algorithm: hash("cipher_hmac_algorithm")?,
        use_hmac: number("cipher_use_hmac")?.map(|used| used != 0),
        hmac_page_number: match value("cipher_hmac_pgno")?.as_str() {
            "le" => Some(PageNumberOrder::Little),
            "be" => Some(PageNumberOrder::Big),
            _ => Some(PageNumberOrder::Native),
        },
        plaintext_header_size: number("cipher_plaintext_header_size")?.filter(|&size| size != 0),
        ..CipherParameters::default()
    })
}

/// Returns SQLCipher's salt for the database `schema`.
fn salt_of_connection(connection: &Connection, schema: &str) -> rusqlite::Result<Option<[u8; SALT_LENGTH]>> {
    let hex: String = connection.pragma_query_value(Some(schema), "cipher_salt", |row| row.get(0))?;
    let bytes: Vec<u8> = (0..SALT_LENGTH)
        .filter_map(|index| u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok())
        .collect();
    Ok(bytes.try_into().ok())
}

/// Returns the salt of the file, or a new salt if the file does not exist yet.
fn salt(
    core: &Core,
    schema: &CStr,
    parameters: &CipherParameters,
) -> Result<[u8; SALT_LENGTH], CipherFailure> {
    if let Some(salt) = parameters.salt {
        return Ok(salt);
    }
    let start = core.file_start(schema, SALT_LENGTH).filter(|start| start.length >= SALT_LENGTH as u64);
    let in_file = start.and_then(|start| <[u8; SALT_LENGTH]>::try_from(start.bytes).ok());
    match in_file {
        Some(salt) => Ok(salt),
        None => strongroom_keys::generate_salt().map_err(CipherFailure::Key),
    }
}
