//! A package with its addons, as the rules for packages check it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::claim::Claim;
use crate::install_program::InstallProgram;
use crate::manifest::Manifest;
use crate::neighbours::{Neighbours, Presence};
use crate::node_binding::NodeBinding;

/// An addon from its package's point of view.
#[derive(Debug, Clone)]
pub(crate) struct PackageAddon {
    /// The path in the package.
    pub(crate) path: String,
    /// The claimed platform, or else the one that the file is for.
    pub(crate) claim: Option<Claim>,
    /// Whether names claim the platform.
    pub(crate) is_claimed: bool,
    /// The releases of Node that load the addon, by its ABI.
    pub(crate) binding: NodeBinding,
    /// Pairs of names that claim different platforms, as text.
    pub(crate) conflicts: Vec<String>,
}

/// A package with its addons.
#[derive(Debug)]
pub(crate) struct PackageContents {
    pub(crate) manifest: Arc<Manifest>,
    /// The path under which the package.json is reported.
    pub(crate) file: PathBuf,
    /// The files of the package that its package.json names.
    pub(crate) files: Neighbours,
    /// The addons, by path.
    pub(crate) addons: Vec<PackageAddon>,
    /// Whether npm installed the package in a node_modules.
    pub(crate) installed: bool,
}

impl PackageContents {
    /// Returns whether npm compiles a binding.gyp, unless a script replaces that.
    pub(crate) fn has_gyp(&self) -> bool {
        !self.manifest.no_gyp && self.files.find("binding.gyp") == Presence::Present
    }

    /// Returns whether the package has, names or makes an addon.
    pub(crate) fn concerns_addons(&self) -> bool {
        let makes = |(_, script): (&str, &str)| InstallProgram::of(script).is_some();
        !self.addons.is_empty()
            || self.manifest.install_scripts().any(makes)
            || self.has_gyp()
            || self.manifest.named_addons().next().is_some()
    }
}
