//! Reads the entries of a tar archive, one after the other. Writes nothing to disk.
//!
//! The archive is hostile, so names, tables and the unpacked size have limits.

use std::io::Read;

use tar::{Archive, Entry, EntryType, Header, PaxExtensions};

use crate::limits::{MAX_ENTRIES, MAX_ENTRY_PATH, MAX_ENTRY_TABLE, MAX_UNPACKED};
use crate::printable::printable;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    /// A folder, or an entry that npm does not unpack.
    Other,
    /// A symbolic or hard link, a device, or another entry without content of its own.
    Special,
}

/// An entry of an archive.
pub(super) struct EntryContent<'a> {
    /// The path, with `/` between the parts; no part is empty, `.` or `..`.
    pub(super) path: &'a str,
    pub(super) kind: EntryKind,
    /// The length of the content, in bytes.
    pub(super) size: u64,
    pub(super) content: &'a mut dyn Read,
}

/// Calls `visit` with each entry.
///
/// # Errors
/// The archive is damaged, exceeds a limit, or has a path that leads out of it; or `visit` returns an error.
pub(super) fn for_each<R: Read>(
    reader: R,
    mut visit: impl FnMut(EntryContent<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut archive = Archive::new(Limited { inner: reader, left: MAX_UNPACKED });
    let mut overrides = Overrides::default();
    let mut count = 0;
    for entry in archive.entries().map_err(clause)?.raw(true) {
        let mut entry = entry.map_err(clause)?;
        count += 1;
        if count > MAX_ENTRIES {
            return Err(format!("the archive has more than {MAX_ENTRIES} entries"));
        }
        let kind = match entry.header().entry_type() {
            EntryType::GNULongName => {
                overrides.path = Some(text(&mut entry)?);
                continue;
            }
            EntryType::XHeader => {
                overrides.read_table(&table(&mut entry)?)?;
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            // The content of a sparse file comes after a map, unlike other content.
            EntryType::GNUSparse => {
                return Err("the archive contains a sparse file, which npm does not pack".to_owned());
            }
            EntryType::Regular | EntryType::Continuous => EntryKind::File,
            EntryType::Link | EntryType::Symlink | EntryType::Char | EntryType::Block | EntryType::Fifo => {
                EntryKind::Special
            }
            _ => EntryKind::Other,
        };
        let Overrides { path, size } = std::mem::take(&mut overrides);
        let own = entry.size();
        if size.is_some_and(|size| size != own) {
            return Err("the archive gives two sizes for one entry".to_owned());
        }
        let raw = path.unwrap_or_else(|| short_name(entry.header()));
        // Old archives mark folders by a slash at the end of the name.
        let kind = if kind == EntryKind::File && raw.ends_with(b"/") { EntryKind::Other } else { kind };
        let path = checked(&raw)?;
        visit(EntryContent { path: &path, kind, size: own, content: &mut entry })?;
    }
    nothing_follows(&mut archive.into_inner())
}

/// The path and size that extension entries set for the next entry.
#[derive(Default)]
struct Overrides {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Overrides {
    fn read_table(&mut self, table: &[u8]) -> Result<(), String> {
        for record in PaxExtensions::new(table) {
            let record = record.map_err(|_| "a table of extended attributes is damaged".to_owned())?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                    self.size = Some(size.ok_or("the size of an entry is not a number")?);
                }
                // GNU's sparse files, in the form of an attribute.
                key if key.starts_with(b"GNU.sparse") => {
                    return Err("the archive contains a sparse file, which npm does not pack".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the path in a header; POSIX headers store the folder separately from the name.
fn short_name(header: &Header) -> Vec<u8> {
    let until_zero = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    match header.as_ustar() {
        Some(ustar) if ustar.prefix.first().is_some_and(|byte| *byte != 0) => {
            [until_zero(&ustar.prefix), until_zero(&ustar.name)].join(&b'/')
        }
        _ => until_zero(&header.as_old().name),
    }
}

/// Reads a name or a table.
fn table(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, String> {
    if entry.size() > MAX_ENTRY_TABLE {
        return Err(format!("the archive has a name or a table of more than {} KiB", MAX_ENTRY_TABLE >> 10));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(clause)?;
    Ok(content)
}

/// Reads a name without its trailing zeros.
fn text(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, String> {
    let mut name = table(entry)?;
    while name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

/// Returns a path with `/` as separator, if the path stays within the archive.
fn checked(raw: &[u8]) -> Result<String, String> {
    if raw.len() > MAX_ENTRY_PATH {
        return Err(format!(
            "a path in the archive is longer than {MAX_ENTRY_PATH} bytes: {}...",
            printable(raw.get(..40).unwrap_or(raw))
        ));
    }
    let refuse = |why: &str| Err(format!("the entry {} {why}", printable(raw)));
    let Ok(path) = std::str::from_utf8(raw) else { return refuse("has a name that is not UTF-8") };
    if path.contains('\0') {
        return refuse("has a zero byte in its name");
    }
    // Windows accepts both slashes.
    let separators = ['/', '\\'];
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    if path.starts_with(separators) || drive {
        return refuse("has an absolute path");
    }
    if path.split(separators).any(|part| part == "..") {
        return refuse("leads out of the archive");
    }
    Ok(path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/"))
}

/// Checks that only zeros follow. The end consists of two empty blocks, one of which was already read, and padding.
fn nothing_follows(rest: &mut impl Read) -> Result<(), String> {
    let mut block = [0; 4096];
    loop {
        match rest.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) if block.iter().take(length).all(|byte| *byte == 0) => {}
            Ok(_) => return Err("the archive continues after its end".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(clause(error)),
        }
    }
}

/// Returns a read error as a clause.
fn clause(error: std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return "the archive is cut short".to_owned();
    }
    printable(error.to_string().as_bytes())
}

/// A reader that stops at a limit, against decompression bombs.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            std::io::Error::other(format!("the archive unpacks to more than {} MiB", MAX_UNPACKED >> 20))
        })?;
        Ok(length)
    }
}
