//! Checks by the code signature whether the file was modified after it was signed.
//!
//! A signature is a table of blobs. The reader checks the code directories: each has a hash of every page of the file up to the
//! signature, and the kernel compares a page with its hash when the page is first touched. The signer, the entitlements and the
//! requirements are not read. All numbers are big-endian.

use object::endian::BigEndian;
use object::macho::{self, CsHashType};
use object::read::macho::{CodeDirectory, CodeSignature};
use rayon::prelude::*;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384};

use crate::facts::Signature;
use crate::limits::MAX_CODE_DIRECTORIES;

/// The binary logarithms of the accepted page sizes. 4 KiB and 16 KiB are usual; smaller pages would take longer to hash.
const PAGE_SIZES: std::ops::RangeInclusive<u8> = 12..=24;

/// Checks the signature at `start` of the file.
pub(super) fn check(content: &[u8], start: u64, signature: &[u8]) -> Signature {
    match valid(content, start, signature) {
        Ok(adhoc) => Signature::Valid { adhoc },
        Err(damage) => Signature::Invalid { damage },
    }
}

/// Returns whether a valid signature was made without a certificate.
///
/// # Errors
/// The mismatch, as a clause.
fn valid(content: &[u8], start: u64, signature: &[u8]) -> Result<bool, String> {
    let table = CodeSignature::parse(signature).map_err(|_| "the signature's table of blobs is damaged")?;
    let mut directories = Vec::new();
    for blob in table.blobs() {
        let blob = blob.map_err(|_| "a blob is outside the signature")?;
        let slot = blob.slot().0;
        let alternate = macho::CSSLOT_ALTERNATE_CODEDIRECTORIES..macho::CSSLOT_ALTERNATE_CODEDIRECTORY_LIMIT;
        if slot != macho::CSSLOT_CODEDIRECTORY.0 && !alternate.contains(&slot) {
            continue;
        }
        let directory = blob.code_directory().map_err(|_| "a code directory is cut short")?;
        directories.push(directory.ok_or("a blob in the slot of a code directory is not a code directory")?);
    }
    if directories.len() > MAX_CODE_DIRECTORIES {
        return Err(format!(
            "the signature has {} code directories, more than the {MAX_CODE_DIRECTORIES} that node-audit reads",
            directories.len()
        ));
    }
    let first = directories.first().ok_or("the signature has no code directory")?;
    // The kernel also refuses such a signature, and the reader would hash the whole file once for each directory.
    let mut kinds: Vec<u8> = directories.iter().map(|directory| directory.header().hash_type.0).collect();
    kinds.sort_unstable();
    if kinds.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err("the signature has two code directories with the same kind of hash".to_owned());
    }
    let adhoc = first.header().flags.get(BigEndian).contains(macho::CS_ADHOC);
    for directory in &directories {
        pages(content, start, directory)?;
    }
    Ok(adhoc)
}

/// Compares each page with its hash.
fn pages(content: &[u8], start: u64, directory: &CodeDirectory<'_>) -> Result<(), String> {
    let header = directory.header();
    let limit = directory.code_limit();
    if limit != start {
        return Err(format!("the signature covers the file up to {limit:#x}, but begins at {start:#x}"));
    }
    let code = usize::try_from(limit).ok().and_then(|limit| content.get(..limit));
    let code = code.ok_or("the signed part is larger than the file")?;
    let algorithm = Algorithm::by_type(header.hash_type).ok_or_else(|| {
        format!("the signature has the hash type {}, which macOS does not support", header.hash_type)
    })?;
    if header.hash_size != algorithm.size() {
        let (size, name) = (header.hash_size, algorithm.name());
        return Err(format!("the hashes have {size} bytes, but {name} hashes have {}", algorithm.size()));
    }
    let page = match header.page_size {
        0 => code.len().max(1),
        size if PAGE_SIZES.contains(&size) => 1 << size,
        size => {
            return Err(format!(
                "the signature has a page size of 2^{size} bytes, which node-audit does not accept"
            ));
        }
    };
    let count = code.len().div_ceil(page);
    if header.n_code_slots.get(BigEndian) as usize != count {
        let slots = header.n_code_slots.get(BigEndian);
        return Err(format!("the file has {count} pages, but the signature has {slots} hashes"));
    }
    let wrong = code.par_chunks(page).enumerate().find_map_first(|(index, content)| {
        // The number of pages fits in 32 bits, since it equals the number of hashes.
        let expected = u32::try_from(index).ok().and_then(|index| directory.code_hash(index).ok());
        match expected {
            None => Some(format!("the hash of page {index} is outside its code directory")),
            Some(expected) if algorithm.matches(content, expected) => None,
            Some(_) => Some(format!(
                "page {} of {count} ({:#x} to {:#x}) does not have the {} hash of the code directory",
                index + 1,
                index * page,
                index * page + content.len(),
                algorithm.name()
            )),
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// A kind of hash.
#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
    /// The first 20 bytes of a SHA-256 hash.
    TruncatedSha256,
    Sha384,
}

impl Algorithm {
    fn by_type(kind: CsHashType) -> Option<Algorithm> {
        match kind {
            macho::CS_HASHTYPE_SHA1 => Some(Algorithm::Sha1),
            macho::CS_HASHTYPE_SHA256 => Some(Algorithm::Sha256),
            macho::CS_HASHTYPE_SHA256_TRUNCATED => Some(Algorithm::TruncatedSha256),
            macho::CS_HASHTYPE_SHA384 => Some(Algorithm::Sha384),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::TruncatedSha256 => "truncated SHA-256",
            Algorithm::Sha384 => "SHA-384",
        }
    }

    fn size(self) -> u8 {
        match self {
            Algorithm::Sha1 | Algorithm::TruncatedSha256 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
        }
    }

    /// Returns whether `expected` is the hash of the content; `expected` has the algorithm's size.
    fn matches(self, content: &[u8], expected: &[u8]) -> bool {
        match self {
            Algorithm::Sha1 => Sha1::digest(content)[..] == *expected,
            Algorithm::Sha256 => Sha256::digest(content)[..] == *expected,
            Algorithm::TruncatedSha256 => Sha256::digest(content)[..20] == *expected,
            Algorithm::Sha384 => Sha384::digest(content)[..] == *expected,
        }
    }
}
