//! Builds npm tarballs in memory, both valid and damaged.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// A tar archive under construction.
pub(crate) struct Tarball {
    builder: Builder<Vec<u8>>,
}

impl Tarball {
    pub(crate) fn new() -> Tarball {
        Tarball { builder: Builder::new(Vec::new()) }
    }

    /// Returns an npm package with this package.json.
    pub(crate) fn package(manifest: &str) -> Tarball {
        Tarball::new().file("package/package.json", manifest.as_bytes())
    }

    pub(crate) fn file(self, path: &str, content: &[u8]) -> Tarball {
        self.entry(path, EntryType::Regular, content)
    }

    /// Adds an entry. The path goes into the header unchecked, since the builder would refuse a hostile path.
    pub(crate) fn entry(mut self, path: &str, kind: EntryType, content: &[u8]) -> Tarball {
        self.builder.append(&header(path, kind, content.len() as u64), content).unwrap();
        self
    }

    /// Adds a file with a long path, in the format of GNU tar or of POSIX.
    pub(crate) fn long(self, path: &str, kind: EntryType, content: &[u8]) -> Tarball {
        let name = if kind == EntryType::XHeader { record("path", path) } else { format!("{path}\0") };
        self.entry("long", kind, name.as_bytes()).file("package/cut", content)
    }

    pub(crate) fn tar(self) -> Vec<u8> {
        self.builder.into_inner().unwrap()
    }

    pub(crate) fn gz(self) -> Vec<u8> {
        gzip(&self.tar())
    }
}

/// Returns a record of a POSIX extended header, which begins with its own length in decimal digits.
pub(crate) fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

pub(crate) fn header(path: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
