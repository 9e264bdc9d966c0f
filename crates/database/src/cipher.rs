//! The cipher of one database of a connection: its key and its parameters.

use std::ffi::CStr;

use rusqlite::Connection;
use strongroom_keys::{
    CipherParameters, HashAlgorithm, Key, KeyError, PageKeys, PageNumberOrder, SALT_LENGTH, SecretBytes,
};

use crate::pragma::{pragma, set_pragma};
use crate::seam::{Core, Failure};

/// The failure of setting a key.
pub(crate) enum CipherFailure {
    Key(KeyError),
    Sqlite(Failure),
}

impl From<Failure> for CipherFailure {
    fn from(failure: Failure) -> Self {
        Self::Sqlite(failure)
    }
}

/// A key in SQLCipher's form, with its parameters.
pub(crate) struct Cipher {
    secret: SecretBytes,
    pub(crate) parameters: CipherParameters,
}

impl Cipher {
    /// Prepares a key for the database `schema`. Reads the salt from the database's file if the key must be derived here.
    pub(crate) fn new(core: &Core, schema: &CStr, key: &Key) -> Result<Self, CipherFailure> {
        let parameters = *key.parameters();
        let secret = if parameters.fast_kdf_iter.is_none() && parameters.hmac_salt_mask.is_none() {
            key.expose_for_sqlcipher()
        } else {
            // SQLCipher deprecates both parameters, and its salt mask applies to the whole process, so the keys are
            // derived here.
            let salt = salt(core, schema, &parameters)?;
            PageKeys::derive(key, &salt).map_err(CipherFailure::Key)?.keyspec(&salt)
        };
        Ok(Self { secret, parameters })
    }

    /// Returns the cipher that the database `schema` has, or `None` without a key.
    pub(crate) fn of(core: &Core, schema: &CStr) -> Result<Option<Self>, Failure> {
        let Some(mut secret) = core.keyspec(schema) else { return Ok(None) };
        let name = schema.to_string_lossy();
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
        Ok(Some(Self { secret, parameters }))
    }

    /// Returns the cipher with these keys, in the form that SQLCipher has after deriving them.
    pub(crate) fn from_page_keys(
        keys: &PageKeys,
        salt: &[u8; SALT_LENGTH],
        parameters: CipherParameters,
    ) -> Self {
        Self { secret: keys.keyspec(salt), parameters }
    }

    /// Returns the same key with another page size.
    pub(crate) fn with_page_size(self, page_size: u32) -> Self {
        let parameters = CipherParameters { page_size: Some(page_size), ..self.parameters };
        Self { parameters, ..self }
    }

    /// Returns the keys of the pages and the salt, if SQLCipher has derived them.
    pub(crate) fn page_keys(&self) -> Option<(PageKeys, [u8; SALT_LENGTH])> {
        PageKeys::from_keyspec(&self.secret)
    }

    /// Sets the key and the parameters of the database `schema`, without reading its file.
    pub(crate) fn apply(&self, core: &Core, schema: &CStr) -> Result<(), Failure> {
        core.key(schema, &self.secret)?;
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
