//! Builds release addons, in one cargo call for any number of targets.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use machine::Workspace;
use node_targets::Target;

use crate::cargo::{ADDON, cargo};
use crate::product::Product;
use crate::toolchain::BuildTools;

/// A built addon.
#[derive(Debug)]
pub struct Built {
    /// The addon that was requested: a platform's own, or its proxy.
    pub product: Product,
    /// The library that cargo built.
    pub library: PathBuf,
    /// The C compiler in a few words, and the linker if it is another program.
    pub toolchain: &'static str,
    /// The time from the start of the build to the library; `None` if the library was up to date.
    pub elapsed: Option<Duration>,
}

impl Built {
    /// Returns the library's size in bytes.
    pub fn size(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.library);
        Ok(metadata.with_context(|| format!("cannot read {}", self.library.display()))?.len())
    }

    /// Copies the addon to the folder that addons are loaded and packed from.
    pub fn install(&self, workspace: &Workspace) -> Result<()> {
        replace(&self.library, &self.product.path(workspace))
    }
}

/// A target's part of a cargo call.
struct Part {
    product: Product,
    tools: BuildTools,
}

/// The error for a product without a result.
const NO_RESULT: &str =
    "cargo's build returned no result for this addon: report this as a bug in crates/release/build";

/// Builds addons in parallel, in one cargo call. Returns the addon of each product, or its error.
#[must_use]
pub fn build(workspace: &Workspace, products: &[Product]) -> Vec<Result<Built>> {
    let part = |product: &Product| {
        let tools = BuildTools::for_product(workspace, product)?;
        Ok(Part { product: product.clone(), tools })
    };
    let parts: Vec<Result<Part>> = products.iter().map(part).collect();
    let mut built = build_parts(workspace, &parts.iter().flatten().collect::<Vec<_>>()).into_iter();
    let addon = |part: Result<Part>| part.and_then(|_| built.next().context(NO_RESULT)?);
    parts.into_iter().map(addon).collect()
}

/// Builds one addon.
pub fn build_one(workspace: &Workspace, product: &Product) -> Result<Built> {
    build(workspace, slice::from_ref(product)).pop().context(NO_RESULT)?
}

/// Builds all parts in one cargo call. If the call fails, calls cargo for each part alone: the parts without an error
/// are up to date by then, and each failing part returns its own error.
fn build_parts(workspace: &Workspace, parts: &[&Part]) -> Vec<Result<Built>> {
    let started = SystemTime::now();
    let is_built = parts.len() > 1 && run(workspace, parts).is_ok();
    let built = |&part: &&Part| {
        if !is_built {
            run(workspace, &[part])?;
        }
        part.built(workspace, started)
    };
    parts.iter().map(built).collect()
}

fn run(workspace: &Workspace, parts: &[&Part]) -> Result<()> {
    let targets: Vec<&Target> = parts.iter().map(|part| part.product.target()).collect();
    let mut cargo = cargo(workspace, "build", ADDON, &targets);
    cargo.arg("--keep-going");
    for Part { product, tools } in parts {
        use_tools(workspace, &mut cargo, product, tools)?;
    }
    // C compiles for minutes. Meanwhile, the step's progress shows the crate and how far cargo is.
    cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "100");
    let step = match targets.as_slice() {
        [target] => format!("build {target}"),
        targets => format!("build {} platforms", targets.len()),
    };
    workspace.run(&step, cargo).map(drop)
}

/// Makes a cargo command use a product's toolchain.
pub(crate) fn use_tools(
    workspace: &Workspace,
    cargo: &mut Command,
    product: &Product,
    tools: &BuildTools,
) -> Result<()> {
    // `cargo run` sets the variable for xtask; the build must read it from cargo's configuration.
    cargo.env_remove("LIBSQLITE3_FLAGS");
    cargo.arg("--config").arg(rustflags(workspace, product.target(), &tools.rustflags)?);
    cargo.envs(tools.variables.iter().cloned());
    Ok(())
}

impl Part {
    /// Returns the addon that cargo built.
    fn built(&self, workspace: &Workspace, started: SystemTime) -> Result<Built> {
        let target = self.product.target();
        let folder = workspace.release_target_dir().join(&target.triple).join("release");
        let library = folder.join(target.library_file());
        let written = fs::metadata(&library).and_then(|metadata| metadata.modified());
        let written = written.with_context(|| {
            format!(
                "cargo's build succeeded without {}: report this as a bug in crates/release/build",
                library.display()
            )
        })?;
        let elapsed = written.duration_since(started).ok();
        Ok(Built { product: self.product.clone(), library, toolchain: self.tools.summary, elapsed })
    }
}

/// Copies a library beside its destination, then renames the copy: a Node that has loaded the old file keeps that file.
/// Removes a failed copy.
fn replace(library: &Path, path: &Path) -> Result<()> {
    let cannot_write = || format!("cannot write {}: free some space, or make it writable", path.display());
    let folder = path.parent().with_context(cannot_write)?;
    fs::create_dir_all(folder).with_context(cannot_write)?;
    // Closes the file at once: `fs::copy` opens the file by its name, and copies the permissions.
    let fresh = tempfile::NamedTempFile::new_in(folder).with_context(cannot_write)?.into_temp_path();
    fs::copy(library, &fresh).with_context(cannot_write)?;
    fresh.persist(path).with_context(cannot_write)
}

/// Returns the toolchain's flags, and the flags that keep paths of this machine out of the addon, as a setting for
/// cargo's `--config`. Cargo adds the flags of `.cargo/config.toml`.
fn rustflags(workspace: &Workspace, target: &Target, toolchain: &[String]) -> Result<String> {
    let folder = |name| env::var_os(name).map(PathBuf::from);
    let cargo_home = folder("CARGO_HOME").or_else(|| Some(folder("HOME")?.join(".cargo")));
    let remap = |from: PathBuf, to| format!("--remap-path-prefix={}={to}", from.display());
    // The workspace's path needs no flag, since cargo names the workspace's sources by relative paths. Such a flag
    // would differ between checkouts, and each would compile all crates and all C again in a shared target directory.
    let mut flags = vec![remap(workspace.release_target_dir(), "/target")];
    flags.extend(cargo_home.map(|cargo| remap(cargo.join("registry/src"), "/registry")));
    flags.extend_from_slice(toolchain);
    // A JSON array of strings is also valid TOML.
    Ok(format!("target.{}.rustflags={}", target.triple, serde_json::to_string(&flags)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_flags_name_the_target_and_hide_the_paths_around_the_workspace() {
        let workspace = Workspace::find().unwrap();
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        let text = rustflags(&workspace, target, &["-Cone".to_owned()]).unwrap();
        let flags = text.strip_prefix("target.x86_64-unknown-linux-gnu.rustflags=").unwrap();
        let flags: Vec<String> = serde_json::from_str(flags).unwrap();
        let target = format!("--remap-path-prefix={}=/target", workspace.release_target_dir().display());
        assert_eq!((flags.first(), flags.last()), (Some(&target), Some(&"-Cone".to_owned())));
        assert!(flags.iter().any(|flag| flag.ends_with("registry/src=/registry")), "{flags:?}");
    }

    #[test]
    fn an_addon_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib.so");
        let addon = folder.path().join("dist/a.node");
        for content in ["first", "second"] {
            fs::write(&library, content).unwrap();
            replace(&library, &addon).unwrap();
            assert_eq!(fs::read_to_string(&addon).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path().join("dist")).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replacement_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib.so");
        fs::write(&library, "content").unwrap();
        // A file cannot replace a folder, even for root.
        let dist = folder.path().join("dist");
        fs::create_dir_all(dist.join("a.node")).unwrap();
        let error = replace(&library, &dist.join("a.node")).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot write ")
                && error.ends_with("a.node: free some space, or make it writable")
        );
        assert_eq!(fs::read_dir(&dist).unwrap().count(), 1);
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(replace(&library, &folder.path().join("file/a.node")).is_err());
    }
}
