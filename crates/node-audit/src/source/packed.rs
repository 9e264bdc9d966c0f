//! Reads packages on disk, reduced to the files that npm packs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive_packages::{ArchivePackages, Listing};
use super::candidate::Candidate;
use super::input::{self, is_addon};
use super::package::Package;
use crate::error::AuditError;
use crate::javascript::JavaScript;
use crate::limits::{MAX_MANIFEST, MAX_SCRIPT};
use crate::neighbours::ArchiveFiles;
use crate::printable::display_path;

/// The folder that npm adds before each path.
const ROOT: &str = "package";

/// The contents of a package as npm packs it.
#[derive(Default)]
pub(super) struct Packed {
    pub(super) candidates: Vec<Candidate>,
    pub(super) root: Option<Arc<Package>>,
    pub(super) failures: Vec<AuditError>,
}

/// Finds the addons among the files that npm packs. The rules report a library that npm leaves out as missing.
pub(super) fn packed(folder: &Path, files: &[String]) -> Packed {
    let mut packed = Packed::default();
    let names: BTreeSet<String> = files.iter().map(|file| format!("{ROOT}/{file}")).collect();
    let mut manifests = BTreeMap::new();
    for name in names.iter().filter(|name| name.ends_with("/package.json")) {
        let path = on_disk(folder, name);
        match input::content_up_to(&path, MAX_MANIFEST) {
            Ok(Some(content)) => {
                manifests.insert(input::folder_of(name).to_owned(), content);
            }
            Ok(None) => {
                let reason = format!(
                    "the file is larger than {} KiB, the largest package.json that node-audit reads",
                    MAX_MANIFEST >> 10
                );
                let source = std::io::Error::other(reason);
                packed.failures.push(AuditError::Unreadable { file: display_path(&path), source });
            }
            Err(error) => packed.failures.push(error),
        }
    }
    let listing = Listing { files: Arc::new(ArchiveFiles::new(names.clone())), manifests };
    let mut javascript = BTreeMap::new();
    for (name, path) in listing.script_files().into_iter().filter(|(name, _)| names.contains(name)) {
        // An unreadable file proves nothing.
        if let Ok(Some(content)) = input::content_up_to(&on_disk(folder, &name), MAX_SCRIPT) {
            let script = JavaScript::read(&path, &content);
            javascript.insert(name, script);
        }
    }
    listing.files.set_javascript(javascript);
    let path_of = |name: &str| on_disk(folder, name);
    let mut packages = ArchivePackages::new(folder, &listing, &path_of);
    for name in names.iter().filter(|name| is_addon(name)) {
        let own = input::folder_of(name);
        let package = packages.nearest(own, &mut packed.failures);
        packed.candidates.push(Candidate::new(on_disk(folder, name), name, package, listing.place(own)));
    }
    packed.root = packages.nearest(ROOT, &mut packed.failures);
    packed
}

/// Returns the path on disk of a file in the package.
fn on_disk(folder: &Path, name: &str) -> PathBuf {
    folder.join(name.strip_prefix(ROOT).unwrap_or(name).trim_start_matches('/'))
}
