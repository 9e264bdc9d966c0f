//! The addon that this machine builds for a platform.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use machine::{Workspace, rust_std};
use node_targets::{Target, Toolchain};

use crate::mingw;
use crate::type_check::type_check;

/// An addon: a platform's own, or the mingw proxy of an x64 addon that only Windows can build.
///
/// The proxy has the same sources, compiled for Windows' other ABI. The proxy is audited and loaded as a check, and
/// never packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    platform: &'static Target,
    compiled: Cow<'static, Target>,
}

impl Product {
    /// Returns the platform's own addon, on whatever machine it is built.
    #[must_use]
    pub fn own(platform: &'static Target) -> Self {
        Self { platform, compiled: Cow::Borrowed(platform) }
    }

    /// Returns the addon that this machine builds for a platform. If the machine builds neither the platform's own addon
    /// nor a proxy, returns the own addon, which [`Product::is_built_here`] distinguishes.
    #[must_use]
    pub fn here(platform: &'static Target) -> Self {
        let own = Self::own(platform);
        let proxy = || Some(Self { platform, compiled: Cow::Owned(mingw::target(platform)?) });
        if own.is_built_here() { own } else { proxy().unwrap_or(own) }
    }

    /// Returns every addon that can be on this machine: each platform's own, and the proxies that this machine builds.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let targets = node_targets::targets().iter();
        let own = targets.clone().map(Self::own);
        own.chain(targets.map(Self::here).filter(Self::is_proxy)).collect()
    }

    /// Finds a product by its platform, by its triple, or by a proxy's own name.
    pub fn find(name: &str) -> Result<Self> {
        let product = Self::all().into_iter().find(|product| product.compiled.platform == name);
        product.map_or_else(|| Ok(Self::own(Target::find(name)?)), Ok)
    }

    /// Returns whether the addon is mingw's proxy.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        matches!(self.compiled, Cow::Owned(_))
    }

    /// Returns whether this machine can build the addon: only Windows has MSVC.
    #[must_use]
    pub fn is_built_here(&self) -> bool {
        self.is_proxy() || self.platform.toolchain != Toolchain::Msvc || cfg!(windows)
    }

    /// Returns the platform whose name, policy and file name the addon has.
    #[must_use]
    pub fn platform(&self) -> &'static Target {
        self.platform
    }

    /// Returns the target that cargo compiles for. A Node of the same target loads the addon.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.compiled
    }

    /// Returns the path of the addon that is loaded and packed. A proxy's folder differs from the folder of the
    /// addons for packages.
    #[must_use]
    pub fn path(&self, workspace: &Workspace) -> PathBuf {
        let folder =
            if self.is_proxy() { workspace.root().join("target/xtask/windows") } else { workspace.dist() };
        folder.join(self.platform.artifact_file())
    }

    /// Type-checks the platform's Rust if this machine does not build the platform's own addon. Returns a message if the
    /// machine cannot build the product, or lacks a tool for it.
    pub fn check(&self, workspace: &Workspace) -> Result<Option<String>> {
        if !self.is_proxy() && self.is_built_here() {
            return Ok(None);
        }
        type_check(workspace, self.platform)?;
        if !self.is_proxy() {
            return Ok(Some(format!(
                "only Windows builds {self}, and mingw has no compiler for {}",
                self.platform.cpu
            )));
        }
        if let Err(error) = mingw::mingw_compiler() {
            return Ok(Some(error.to_string()));
        }
        let triple = &self.compiled.triple;
        let is_installed = rust_std::is_installed(workspace, triple)?;
        Ok((!is_installed)
            .then(|| format!("Rust's standard library for {triple} is not installed: run cargo xtask setup")))
    }
}

/// Displays the name of the compiled target; a proxy has its own.
impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compiled.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use node_targets::Cpu;

    use super::*;

    #[test]
    fn each_platform_has_a_product_and_only_x64_msvc_has_a_proxy() {
        let workspace = Workspace::at("/w".as_ref());
        for platform in node_targets::targets() {
            let (own, here) = (Product::own(platform), Product::here(platform));
            let foreign = platform.toolchain == Toolchain::Msvc && !cfg!(windows);
            assert_eq!(here.is_proxy(), foreign && platform.cpu == Cpu::X64, "{platform}");
            assert_eq!(
                (own.is_built_here(), here.is_built_here()),
                (!foreign, !foreign || here.is_proxy()),
                "{platform}"
            );
            assert_eq!(own == here, !here.is_proxy());
            assert!(own.path(&workspace).starts_with(workspace.dist()));
            assert_eq!(here.path(&workspace).starts_with(workspace.dist()), !here.is_proxy());
            assert_eq!(here.path(&workspace).file_name(), own.path(&workspace).file_name());
            assert_eq!(Product::find(&platform.platform).unwrap(), own);
            assert_eq!(Product::find(&here.to_string()).unwrap(), here);
        }
        let error = Product::find("amiga").unwrap_err().to_string();
        assert!(error.starts_with("unknown target `amiga`"), "{error}");
    }
}
