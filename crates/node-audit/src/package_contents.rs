//! A package with its addons, as the package rules see it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::claim::Claim;
use crate::install_program::InstallProgram;
use crate::javascript::JavaScript;
use crate::manifest::Manifest;
use crate::name_claims::NameClaims;
use crate::neighbours::{Neighbours, Presence};
use crate::node_binding::NodeBinding;
use crate::platform::Libc;
use crate::platform_package::platform_packages;

/// An addon from its package's point of view.
#[derive(Debug, Clone)]
pub(crate) struct PackageAddon {
    /// The path in the package.
    pub(crate) path: String,
    /// The claimed platform, or else the platform that the file is for.
    pub(crate) claim: Option<Claim>,
    /// `true` if names claim the platform.
    pub(crate) is_claimed: bool,
    /// The releases of Node that can load the addon, judged by its ABI.
    pub(crate) binding: NodeBinding,
    /// The C library that the addon is linked to, if its format and content show it.
    pub(crate) linked: Option<Libc>,
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
    /// The JavaScript files that may load an addon or run on installation, if they could be read.
    pub(crate) javascript: Vec<JavaScript>,
    /// The addons, by path.
    pub(crate) addons: Vec<PackageAddon>,
    /// `true` if npm installed the package in a node_modules.
    pub(crate) installed: bool,
}

impl PackageContents {
    /// Returns whether npm compiles a binding.gyp; a script may replace this step.
    pub(crate) fn has_gyp(&self) -> bool {
        !self.manifest.no_gyp && self.files.find("binding.gyp") == Presence::Present
    }

    /// Returns whether other packages contain the addons, one package for each platform.
    pub(crate) fn is_main(&self) -> bool {
        let has_targets = self.manifest.napi.as_ref().is_some_and(|napi| !napi.targets.is_empty());
        let is_for_one = NameClaims::of_package(&self.manifest).claim.is_some();
        let listed = platform_packages(&self.manifest);
        // A program may list one platform package of a dependency, to install it despite a lock file.
        let has_packages = || listed.len() > 1 || listed.iter().any(|package| package.is_of(&self.manifest));
        !is_for_one && (has_targets || has_packages())
    }

    /// Returns whether the package contains, names, promises or compiles an addon.
    pub(crate) fn concerns_addons(&self) -> bool {
        let makes = |(_, script): (&str, &str)| InstallProgram::of(script).is_some();
        !self.addons.is_empty()
            || self.manifest.install_scripts().any(makes)
            || self.has_gyp()
            || self.manifest.named_addons().next().is_some()
            || self.is_main()
    }
}
