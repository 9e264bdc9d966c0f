//! The package that an addon belongs to.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::Surroundings;
use super::known::Known;
use super::tarball::MAX_MANIFEST;
use crate::error::{AuditError, name};
use crate::manifest::{Manifest, ManifestError};

/// A package.json and where it lies.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) root: Root,
    /// The path of its package.json, as it is shown.
    pub(super) file: PathBuf,
    pub(super) manifest: Arc<Manifest>,
    /// What its folder holds.
    pub(super) surroundings: Surroundings,
}

/// The folder of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// On disk; with no link in it.
    Disk(PathBuf),
    Archive {
        archive: PathBuf,
        folder: String,
    },
}

impl Root {
    /// Whether npm placed it: in a node_modules, or in a scope of one.
    pub(super) fn is_installed(&self) -> bool {
        let Root::Disk(folder) = self else { return false };
        let mut around = folder.ancestors().skip(1).filter_map(Path::file_name);
        let scoped = |name: &OsStr| name.as_encoded_bytes().starts_with(b"@");
        let parent = around.next();
        let modules = if parent.is_some_and(scoped) { around.next() } else { parent };
        modules.is_some_and(|name| name == "node_modules")
    }
}

/// Finds the nearest package.json that names its package, from a folder upwards, up to a node_modules.
///
/// A package.json without a name lies in a folder of a package, to say which kind of modules are in it; it counts where
/// there is no other.
///
/// # Errors
/// Where one is there, but cannot be read, or is none.
///
/// Use [`Known::nearest`], which looks once.
pub(super) fn nearest(folder: &Path, known: &Known) -> Result<Option<Package>, AuditError> {
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let unreadable = |source| AuditError::Unreadable { file: name(shown), source };
    let real = std::fs::canonicalize(shown).map_err(unreadable)?;
    let mut unnamed = None;
    // As it was given where that is possible, so that it is shown in the same way as the addon.
    let mut written = Some(folder);
    for outer in real.ancestors() {
        if outer.file_name().is_some_and(|name| name == "node_modules") {
            break;
        }
        written = written.filter(|written| same(written, outer));
        let file = written.unwrap_or(outer).join("package.json");
        if let Some(manifest) = known.manifest(outer, &file)? {
            let root = outer.to_path_buf();
            let surroundings = Surroundings::Disk(known.folder(&root));
            let package = Package { root: Root::Disk(root), file, manifest, surroundings };
            if is_named(&package.manifest) {
                return Ok(Some(package));
            }
            unnamed = unnamed.or(Some(package));
        }
        written = written.and_then(Path::parent);
    }
    Ok(unnamed)
}

/// Whether two paths are one folder, the second with no link in it.
fn same(written: &Path, real: &Path) -> bool {
    let written = if written.as_os_str().is_empty() { Path::new(".") } else { written };
    std::fs::canonicalize(written).is_ok_and(|written| written == real)
}

pub(super) fn is_named(manifest: &Manifest) -> bool {
    manifest.name.is_some()
}

/// What the package.json at a path says; None where there is none.
pub(super) fn read(file: &Path) -> Result<Option<Result<Arc<Manifest>, ManifestError>>, AuditError> {
    let unreadable = |source| AuditError::Unreadable { file: name(file), source };
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    }
    let mut content = Vec::new();
    File::open(file)
        .and_then(|open| open.take(MAX_MANIFEST + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if content.len() as u64 > MAX_MANIFEST {
        return Err(unreadable(std::io::Error::other(format!(
            "it is larger than {} KiB",
            MAX_MANIFEST >> 10
        ))));
    }
    Ok(Some(Manifest::parse(&content).map(Arc::new)))
}
