//! Makes npm tarballs whose bytes depend only on their content.

use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::package::Files;

/// The modification time of every file: 26 October 1985, as `npm pack` sets it. yarn keeps packages in zip files, which
/// cannot store a time before 1980.
const TIME: u64 = 499_162_500;
/// The operating system in gzip's header (RFC 1952): unknown.
const UNKNOWN_SYSTEM: u8 = 255;

/// Returns a gzipped tar file with the files in a folder `package/`.
pub(crate) fn tarball(files: &Files) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, content) in files {
        let cannot = || format!("cannot pack {path}");
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(format!("package/{path}")).with_context(cannot)?;
        header.set_mode(mode(content));
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(u64::try_from(content.len()).context("a file is too large for a tarball")?);
        header.set_cksum();
        tar.append(&header, content.as_slice()).with_context(cannot)?;
    }
    let tar = tar.into_inner().context("cannot pack")?;
    let mut gzip =
        GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(Vec::new(), Compression::best());
    gzip.write_all(&tar).and_then(|()| gzip.finish()).context("cannot compress the tarball")
}

/// Returns the permissions of a file: a script with a `#!` line is a program. npm makes the programs of a package
/// executable, but not everybody unpacks with npm.
fn mode(content: &[u8]) -> u32 {
    if content.starts_with(b"#!") { 0o755 } else { 0o644 }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|&name| (name.to_owned(), name.repeat(100).into_bytes())).collect()
    }

    #[test]
    fn the_order_of_the_files_makes_no_difference() {
        let one = tarball(&files(&["package.json", "dist/index.js", "LICENSE"])).unwrap();
        assert_eq!(one, tarball(&files(&["LICENSE", "package.json", "dist/index.js"])).unwrap());
        // The header has neither a file name nor a time.
        assert_eq!(one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, UNKNOWN_SYSTEM]);
    }

    #[test]
    fn a_script_with_an_interpreter_is_executable() {
        let contents = [("dist/a.js", "\"#!\""), ("dist/cli/b.js", "#!/usr/bin/env node\n")];
        let files = contents.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec())).into();
        let packed = tarball(&files).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(packed.as_slice()));
        let entries = archive.entries().unwrap().map(Result::unwrap);
        let modes: Vec<u32> = entries.map(|entry| entry.header().mode().unwrap()).collect();
        assert_eq!(modes, [0o644, 0o755]);
    }

    #[test]
    fn a_packed_file_is_unpacked_with_its_content_and_fixed_metadata() {
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
