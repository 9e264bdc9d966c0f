//! An input of an audit: a path, an archive in memory, or a package as npm packs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An input of an audit: a path, an archive in memory, or a package as npm packs it.
#[derive(Debug, Clone)]
pub enum Given {
    /// A .node file, a folder or an npm tarball.
    Path(PathBuf),
    /// An npm tarball in memory.
    Tarball {
        /// The name under which the audit reports the tarball.
        name: PathBuf,
        /// The content, compressed or not.
        content: Arc<Vec<u8>>,
    },
    /// A package on disk, reduced to the files that npm packs.
    Package {
        /// The folder of the package.json.
        folder: PathBuf,
        /// The paths of the files that npm packs, relative to the folder, with `/` between the parts.
        files: Vec<String>,
    },
}

impl Given {
    /// Returns the path or the name under which the audit reports the input.
    pub(super) fn name(&self) -> &Path {
        match self {
            Given::Path(path) => path,
            Given::Tarball { name, .. } => name,
            Given::Package { folder, .. } => super::disk_cache::or_current(folder),
        }
    }
}
