//! Tarballs as npm reads them, whose bytes follow from their content alone.

use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::package::File;

/// The time of every file: 26 October 1985, which `npm pack` gives them. Zip files, in which yarn keeps packages, know
/// no time before 1980.
const TIME: u64 = 499_162_500;
/// The operating system in gzip's header (RFC 1952): unknown.
const NO_SYSTEM: u8 = 255;

/// A gzipped tar of the files, in the order of their paths, below `package/`.
pub(super) fn tarball(files: &[File]) -> Result<Vec<u8>> {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut tar = Builder::new(Vec::new());
    for file in sorted {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header
            .set_path(format!("package/{}", file.path))
            .with_context(|| format!("packing {}", file.path))?;
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(u64::try_from(file.content.len()).context("a file's size")?);
        header.set_cksum();
        tar.append(&header, file.content.as_slice()).with_context(|| format!("packing {}", file.path))?;
    }
    let tar = tar.into_inner().context("packing")?;
    let mut gzip =
        GzBuilder::new().mtime(0).operating_system(NO_SYSTEM).write(Vec::new(), Compression::best());
    gzip.write_all(&tar).and_then(|()| gzip.finish()).context("compressing")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn files(names: &[&str]) -> Vec<File> {
        names
            .iter()
            .map(|&name| File { path: name.to_owned(), content: name.repeat(100).into_bytes() })
            .collect()
    }

    #[test]
    fn the_order_of_the_files_makes_no_difference() {
        let one = tarball(&files(&["package.json", "dist/index.js", "LICENSE"])).unwrap();
        assert_eq!(one, tarball(&files(&["LICENSE", "package.json", "dist/index.js"])).unwrap());
        // No file name, no time, no system.
        assert_eq!(one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, NO_SYSTEM]);
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let packed = tarball(&files(&["b", "a/c"])).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(packed.as_slice()));
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let header = entry.header();
            let facts = (header.mode().unwrap(), header.uid().unwrap(), header.mtime().unwrap());
            assert_eq!(facts, (0o644, 0, TIME));
            seen.push((entry.path().unwrap().display().to_string(), content.len()));
        }
        assert_eq!(seen, [("package/a/c".to_owned(), 300), ("package/b".to_owned(), 100)]);
    }
}
