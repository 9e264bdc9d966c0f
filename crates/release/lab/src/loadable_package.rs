//! Packages that a Node can load: the package of the checkout, or a copy in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use build::Product;
use machine::Workspace;
use tempfile::TempDir;

use crate::folder;

/// A package with a product's addon.
pub struct LoadablePackage {
    pub(crate) product: Product,
    pub(crate) folder: PathBuf,
    /// Removes the temporary folder when dropped.
    _scratch: Option<TempDir>,
}

/// The files that a package is made of.
pub struct Parts<'a> {
    /// The addon.
    pub addon: &'a Path,
    /// The folder with the compiled JavaScript.
    pub javascript: &'a Path,
}

impl LoadablePackage {
    /// Returns the package with the addon that `dist` built: the package of the checkout for a platform's addon, or a temporary
    /// package for a proxy.
    ///
    /// # Errors
    /// Fails if the addon does not exist or is cut short.
    pub fn built(workspace: &Workspace, product: &Product) -> Result<Self> {
        let (addon, platform) = (product.path(workspace), product.platform());
        let (file, here) = (workspace.relative(&addon), Product::here(platform));
        ensure!(
            addon.is_file() || *product == here,
            "{file} does not exist: only Windows builds it; on this machine, run cargo xtask load {here} to load the mingw proxy"
        );
        ensure!(
            addon.is_file() || product.is_built_here(),
            "{file} does not exist: on Windows, run cargo xtask dist --target {platform}"
        );
        ensure!(addon.is_file(), "{file} does not exist: run cargo xtask dist --target {platform}");
        let content = fs::read(&addon).with_context(|| format!("cannot read {file}"))?;
        // The system maps an addon even if a table is beyond the end of the file, and Node then crashes without a message.
        node_audit::read_facts(&addon, &content).with_context(|| {
            format!("{file} is not a complete addon: run cargo xtask dist --target {platform} again")
        })?;
        // The package of the checkout loads addons only from its own folder.
        if product.is_proxy() {
            let parts = Parts { addon: &addon, javascript: &workspace.dist() };
            return Self::laid_out(workspace, product, &parts);
        }
        Ok(Self { product: product.clone(), folder: workspace.package(), _scratch: None })
    }

    /// Copies a package into a temporary folder, with the layout of an installation by npm.
    pub fn laid_out(workspace: &Workspace, product: &Product, parts: &Parts<'_>) -> Result<Self> {
        let Parts { addon, javascript } = parts;
        let scratch = tempfile::tempdir().context("cannot create a temporary folder for a package")?;
        let folder = scratch.path().to_owned();
        folder::copy(javascript, &folder.join("dist"), |file| {
            file.extension().is_none_or(|extension| extension != "node")
        })?;
        let name = addon.file_name().with_context(|| format!("{} is not a file", addon.display()))?;
        let manifest = workspace.package().join("package.json");
        for (from, to) in [(*addon, Path::new("dist").join(name)), (&manifest, "package.json".into())] {
            fs::copy(from, folder.join(to)).with_context(|| format!("cannot copy {}", from.display()))?;
        }
        Ok(Self { product: product.clone(), folder, _scratch: Some(scratch) })
    }
}

/// Returns the products whose addons exist, or this machine's own product if no addon exists.
pub fn built_products(workspace: &Workspace) -> Result<Vec<Product>> {
    let mut products = Product::all();
    products.retain(|product| product.path(workspace).is_file());
    if products.is_empty() {
        products.push(Product::own(node_targets::host()?));
    }
    Ok(products)
}

#[cfg(test)]
mod tests {
    use node_targets::Target;
    use walkdir::WalkDir;

    use super::*;

    #[test]
    fn an_addon_that_is_cut_short_is_an_error_and_does_not_crash_node() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let product = Product::own(Target::by_platform("linux-x64-gnu").unwrap());
        let addon = product.path(&workspace);
        fs::create_dir_all(workspace.dist()).unwrap();
        for content in [b"".as_slice(), b"\x7fELF\x02\x01\x01", b"a text file"] {
            fs::write(&addon, content).unwrap();
            let text = format!("{:#}", LoadablePackage::built(&workspace, &product).err().unwrap());
            let start = format!(
                "{} is not a complete addon: run cargo xtask dist --target {product} again: ",
                workspace.relative(&addon)
            );
            assert!(text.starts_with(&start), "{text}");
        }
    }

    #[test]
    fn a_package_is_laid_out_with_one_addon_and_all_javascript() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let product = Product::own(node_targets::host().unwrap());
        let addon = folder.path().join("built.node");
        fs::create_dir_all(workspace.dist()).unwrap();
        for file in
            [addon.clone(), workspace.package().join("package.json"), workspace.dist().join("index.js")]
        {
            fs::write(file, "").unwrap();
        }
        fs::write(workspace.dist().join("other.node"), "").unwrap();
        let parts = Parts { addon: &addon, javascript: &workspace.dist() };
        let package = LoadablePackage::laid_out(&workspace, &product, &parts).unwrap();
        let files = WalkDir::new(&package.folder).sort_by_file_name().into_iter();
        let files = files.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        let files: Vec<PathBuf> =
            files.map(|entry| entry.path().strip_prefix(&package.folder).unwrap().to_owned()).collect();
        assert_eq!(files, ["dist/built.node", "dist/index.js", "package.json"].map(PathBuf::from));
    }

    #[test]
    #[cfg(not(windows))]
    fn windows_addons_and_the_proxy_have_separate_remedies() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let [own, proxy] = ["win32-x64-msvc", "win32-x64-gnu"].map(|name| Product::find(name).unwrap());
        let why = |product| LoadablePackage::built(&workspace, product).err().unwrap().to_string();
        let expected = "only Windows builds it; on this machine, run cargo xtask load win32-x64-gnu to load the mingw proxy";
        assert!(why(&own).ends_with(expected), "{}", why(&own));
        assert!(why(&proxy).ends_with("cargo xtask dist --target win32-x64-msvc"), "{}", why(&proxy));
        let arm64 = Product::find("win32-arm64-msvc").unwrap();
        assert!(
            why(&arm64).ends_with("on Windows, run cargo xtask dist --target win32-arm64-msvc"),
            "{}",
            why(&arm64)
        );
        let addon = proxy.path(&workspace);
        fs::create_dir_all(addon.parent().unwrap()).unwrap();
        fs::write(addon, "").unwrap();
        assert_eq!(built_products(&workspace).unwrap(), [proxy]);
    }
}
