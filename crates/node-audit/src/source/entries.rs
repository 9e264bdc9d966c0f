//! The entries of a tar archive, one after the other; nothing is written to disk.
//!
//! The archive is a stranger's: long names, tables and the whole are limited in size.

use std::io::Read;

use tar::{Archive, Entry, EntryType, Header, PaxExtensions};

use crate::error::printable;

/// The most that an archive may unpack to, in bytes: 1 GiB.
const MAX_TOTAL: u64 = 1 << 30;
/// The most entries.
const MAX_ENTRIES: usize = 200_000;
/// The longest path, in bytes.
const MAX_PATH: usize = 1024;
/// The longest table of extended attributes, in bytes, which holds the path as well.
const MAX_TABLE: u64 = 64 << 10;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A folder, or what npm does not unpack.
    Other,
    /// A symbolic or hard link, a device, or another thing that is no content of its own.
    Special,
}

/// Calls `visit` with the path (`/` between the parts, none of them empty, `.` or `..`), the kind and the content of
/// each entry.
///
/// # Errors
/// In words: where the archive is damaged, exceeds a limit, or has a path outside of itself; and those of `visit`.
pub(super) fn each<R: Read>(
    reader: R,
    mut visit: impl FnMut(&str, Kind, u64, &mut dyn Read) -> Result<(), String>,
) -> Result<(), String> {
    let mut archive = Archive::new(Limited { inner: reader, left: MAX_TOTAL });
    let mut names = Names::default();
    let mut count = 0;
    for entry in archive.entries().map_err(words)?.raw(true) {
        let mut entry = entry.map_err(words)?;
        count += 1;
        if count > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} entries"));
        }
        let kind = match entry.header().entry_type() {
            EntryType::GNULongName => {
                names.path = Some(text(&mut entry)?);
                continue;
            }
            EntryType::XHeader => {
                names.read_table(&table(&mut entry)?)?;
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            // Its content does not lie where that of other entries does.
            EntryType::GNUSparse => return Err("it has a sparse file, which npm does not pack".to_owned()),
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Link | EntryType::Symlink | EntryType::Char | EntryType::Block | EntryType::Fifo => {
                Kind::Special
            }
            _ => Kind::Other,
        };
        let Names { path, size } = std::mem::take(&mut names);
        let own = entry.size();
        if size.is_some_and(|size| size != own) {
            return Err("it gives two sizes for one entry".to_owned());
        }
        let raw = path.unwrap_or_else(|| short_name(entry.header()));
        // Archives older than the type for folders.
        let kind = if kind == Kind::File && raw.ends_with(b"/") { Kind::Other } else { kind };
        let path = checked(&raw)?;
        visit(&path, kind, own, &mut entry)?;
    }
    nothing_follows(&mut archive.into_inner())
}

/// What the entries before an entry say of it.
#[derive(Default)]
struct Names {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Names {
    fn read_table(&mut self, table: &[u8]) -> Result<(), String> {
        for record in PaxExtensions::new(table) {
            let record = record.map_err(|_| "a table of extended attributes is damaged".to_owned())?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                    self.size = Some(size.ok_or("the size of an entry is no number")?);
                }
                // The same as the type of GNU's.
                key if key.starts_with(b"GNU.sparse") => {
                    return Err("it has a sparse file, which npm does not pack".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A file's name and the folder that POSIX headers keep apart from it.
fn short_name(header: &Header) -> Vec<u8> {
    let until_zero = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    match header.as_ustar() {
        Some(ustar) if ustar.prefix.first().is_some_and(|byte| *byte != 0) => {
            [until_zero(&ustar.prefix), until_zero(&ustar.name)].join(&b'/')
        }
        _ => until_zero(&header.as_old().name),
    }
}

fn table(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, String> {
    if entry.size() > MAX_TABLE {
        return Err(format!("it has a name or a table of more than {} KiB", MAX_TABLE >> 10));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(words)?;
    Ok(content)
}

fn text(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, String> {
    let mut name = table(entry)?;
    while name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn checked(raw: &[u8]) -> Result<String, String> {
    if raw.len() > MAX_PATH {
        return Err(format!(
            "a path in it is longer than {MAX_PATH} bytes: {}...",
            printable(raw.get(..40).unwrap_or(raw))
        ));
    }
    let refuse = |why: &str| Err(format!("the entry {} {why}", printable(raw)));
    let Ok(path) = std::str::from_utf8(raw) else { return refuse("has a name that is no UTF-8") };
    if path.contains('\0') {
        return refuse("has a zero byte in its name");
    }
    // Windows takes both slashes.
    let separators = ['/', '\\'];
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    if path.starts_with(separators) || drive {
        return refuse("has an absolute path");
    }
    if path.split(separators).any(|part| part == "..") {
        return refuse("climbs out of the archive");
    }
    Ok(path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/"))
}

/// The end is two empty blocks, of which one is read, and more of them to fill up.
fn nothing_follows(rest: &mut impl Read) -> Result<(), String> {
    let mut block = [0; 4096];
    loop {
        match rest.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) if block.iter().take(length).all(|byte| *byte == 0) => {}
            Ok(_) => return Err("something follows after its end".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(words(error)),
        }
    }
}

fn words(error: std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return "it ends too early".to_owned();
    }
    printable(error.to_string().as_bytes())
}

/// Stops a decompression bomb.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            std::io::Error::other(format!("it unpacks to more than {} MiB", MAX_TOTAL >> 20))
        })?;
        Ok(length)
    }
}
