//! The checkout, its output folders, and the cache that outlives a checkout.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The prefix of a scratch folder's name.
const SCRATCH: &str = ".scratch-";
/// A scratch folder of this age belongs to a program that was killed: no step takes as long.
const MAX_SCRATCH_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The checkout that a command works on, and the folders that it writes to.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    cache: PathBuf,
    logs: PathBuf,
}

const NO_HOME: &str =
    "neither HOME nor XDG_CACHE_HOME is set: set STRONGROOM_CACHE to the absolute path of a folder";

/// The folder of logs in a checkout.
const LOGS: &str = "target/xtask/logs";

impl Workspace {
    /// Finds the workspace that contains the manifest of the crate that cargo runs, or else the current directory.
    pub fn find() -> Result<Self> {
        // Reads the variable at run time: with a shared target directory, `env!` may name another checkout.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start =
            manifest.map_or_else(env::current_dir, Ok).context("cannot read the current directory")?;
        let is_root = |folder: &&Path| folder.join("targets.json").is_file();
        let Some(root) = start.ancestors().find(is_root) else {
            bail!("{} is not in a Strongroom checkout: run `cargo xtask` inside one", start.display());
        };
        Ok(Self { root: root.to_owned(), cache: cache()?, logs: root.join(LOGS) })
    }

    /// Returns the checkout's root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of the npm package: `bindings/node`.
    #[must_use]
    pub fn package(&self) -> PathBuf {
        self.root.join("bindings/node")
    }

    /// Returns the folder that built addons are loaded and packed from: `bindings/node/dist`.
    #[must_use]
    pub fn dist(&self) -> PathBuf {
        self.package().join("dist")
    }

    /// Returns the folder with the log of each step.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Returns the folder of tools and downloads that all checkouts share: `STRONGROOM_CACHE`, or a folder in the
    /// user's cache.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Creates a folder in the cache that is removed when dropped. A finished file can be renamed from the folder to
    /// its place.
    pub fn scratch(&self) -> Result<TempDir> {
        let scratch = fs::create_dir_all(&self.cache).and_then(|()| {
            self.remove_old_scratch();
            tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&self.cache)
        });
        scratch.with_context(|| {
            let cache = self.cache.display();
            format!(
                "cannot write the cache {cache}: set STRONGROOM_CACHE to the absolute path of another folder"
            )
        })
    }

    /// Removes the scratch folders of programs that were killed.
    fn remove_old_scratch(&self) {
        for entry in fs::read_dir(&self.cache).into_iter().flatten().flatten() {
            let is_scratch = entry.file_name().to_string_lossy().starts_with(SCRATCH);
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let age = modified.and_then(|modified| modified.elapsed().ok());
            if is_scratch && age.is_some_and(|age| age > MAX_SCRATCH_AGE) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Returns cargo's target directory for release addons. The everyday target directory has C that another compiler
    /// compiled.
    #[must_use]
    pub fn release_target_dir(&self) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        self.root.join(target).join("dist")
    }

    /// Formats a path for people: relative to the workspace if the path is inside it.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Returns another checkout, with this one's cache and logs.
    #[must_use]
    pub fn at_other_root(&self, root: &Path) -> Self {
        Self { root: root.to_owned(), ..self.clone() }
    }

    /// Returns a workspace at any folder, with the cache inside, for tests.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), cache: root.join("cache"), logs: root.join(LOGS) }
    }
}

fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // A relative XDG_CACHE_HOME is ignored, as its standard requires. A relative STRONGROOM_CACHE is an error: if it
    // were ignored, another folder would silently be used.
    if let Some(named) = env::var_os("STRONGROOM_CACHE").filter(|named| !named.is_empty()) {
        return absolute("STRONGROOM_CACHE").with_context(|| {
            format!("STRONGROOM_CACHE is `{}`: set it to an absolute path, or unset it", named.display())
        });
    }
    let user = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(user.context(NO_HOME)?.join("strongroom"))
}
