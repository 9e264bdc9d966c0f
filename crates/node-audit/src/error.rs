//! The errors of an audit.

use crate::damage::Damage;
use crate::limits::{MAX_FILE, MAX_NAMES};
use crate::manifest::ManifestError;

/// A file that could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The operating system cannot read the file.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A folder or an archive without an addon. The folder or archive has no package, or its package shows signs of an
    /// addon.
    #[error("{file}: contains no .node file; {}", where_to_look(*links))]
    NoAddon {
        /// The folder or archive.
        file: String,
        /// The number of links to folders outside the folder, such as the links that package managers create for the
        /// packages of a workspace.
        links: usize,
    },
    /// A package, or a node_modules, without any sign of an addon.
    #[error("{file}: {}", nothing_to_check(*is_modules))]
    NothingToCheck {
        /// The folder or archive.
        file: String,
        /// `true` for a node_modules.
        is_modules: bool,
    },
    /// An archive that is damaged, exceeds a limit, or contains an entry that npm does not pack.
    #[error(
        "{file}: is not a usable npm tarball: {damage}; pass a tarball that `npm pack` made, or unpack the \
         archive and pass the folder"
    )]
    Archive {
        /// The archive.
        file: String,
        /// The damage, and the entry that has it.
        damage: String,
    },
    /// An invalid package.json. The audit reads the package's addons as if the package.json were absent.
    #[error("{file}: {source}")]
    Manifest {
        /// The package.json.
        file: String,
        /// The parser's error.
        source: ManifestError,
    },
    /// A link to an addon that is not among the audited files.
    #[error("{file}: is a link to {target}, which was not audited; pass that file as well")]
    Link {
        /// The link.
        file: String,
        /// The link's target.
        target: String,
    },
    /// A directory where a file was expected.
    #[error("{file}: is a directory; pass a .node file or an npm tarball")]
    Directory {
        /// The directory.
        file: String,
    },
    /// A pipe, a socket or a device.
    #[error("{file}: is a pipe, a socket or a device; copy its content to a regular file and pass that file")]
    Special {
        /// The path of the pipe, socket or device.
        file: String,
    },
    /// A file of more than [`crate::MAX_FILE`] bytes.
    #[error("{file}: is larger than {} MiB, the largest size that node-audit reads", MAX_FILE >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The names in all files of one audit take more than [`crate::MAX_NAMES`] bytes of memory.
    #[error(
        "{file}: the names in this file and in the files before it take more than {} MiB of memory; audit this file on its own",
        MAX_NAMES >> 20
    )]
    TooMuch {
        /// The file that exceeds the limit.
        file: String,
    },
    /// A file that is not a whole addon. [`crate::audit_paths`] reports such a file as a finding instead.
    #[error("{file}: {damage}")]
    Damaged {
        /// The file.
        file: String,
        /// The damage.
        damage: Damage,
    },
}

fn nothing_to_check(is_modules: bool) -> &'static str {
    if is_modules {
        "no package in this folder has a native addon, so there is nothing to check"
    } else {
        "the package has no native addon, so there is nothing to check; to check the addons of its dependencies, pass \
         their node_modules"
    }
}

fn where_to_look(links: usize) -> String {
    match links {
        0 => "build the addon first, or pass the folder or tarball that contains the addon".to_owned(),
        1 => "node-audit does not follow the link to a folder outside this folder: pass that folder as well"
            .to_owned(),
        links => format!(
            "node-audit does not follow the {links} links to folders outside this folder: pass those folders as well"
        ),
    }
}
