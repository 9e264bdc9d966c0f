//! The checkout, its output folders, and the cache that outlives a clone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The prefix of a scratch folder's name.
const SCRATCH: &str = ".scratch-";
/// The age at which a scratch folder belongs to a program that was killed. No step takes as long.
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
    /// Finds the workspace around the manifest that cargo runs, or else around the current directory.
    pub fn find() -> Result<Self> {
        // At run time, not `env!`: with a shared target directory the binary may come from another clone.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start =
            manifest.map_or_else(env::current_dir, Ok).context("cannot read the current directory")?;
        let is_root = |folder: &&Path| folder.join("targets.json").is_file();
        let Some(root) = start.ancestors().find(is_root) else {
            bail!("{} is not in a Strongroom checkout: run `cargo xtask` inside one", start.display());
        };
        Ok(Self { root: root.to_owned(), cache: cache()?, logs: root.join(LOGS) })
    }

    /// The checkout's root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The npm package: `bindings/node`.
    #[must_use]
    pub fn package(&self) -> PathBuf {
        self.root.join("bindings/node")
    }

    /// The folder that built addons are loaded and packed from: `bindings/node/dist`.
    #[must_use]
    pub fn dist(&self) -> PathBuf {
        self.package().join("dist")
    }

    /// The folder with the output of every program that was run.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Tools and downloads, shared by all clones: `STRONGROOM_CACHE`, or a folder in the user's cache.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Makes a folder in the cache that is removed when dropped. A finished file in it can be renamed to its place.
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

    /// Cargo's target directory for release addons. The everyday one has C that another compiler compiled.
    #[must_use]
    pub fn release_target_dir(&self) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        self.root.join(target).join("dist")
    }

    /// A path for a person to read: relative to the workspace if it is inside.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Another checkout, with this one's cache and logs.
    #[must_use]
    pub fn at_other_root(&self, root: &Path) -> Self {
        Self { root: root.to_owned(), ..self.clone() }
    }

    /// A workspace at any folder, with the cache inside, for tests.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), cache: root.join("cache"), logs: root.join(LOGS) }
    }
}

fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // XDG_CACHE_HOME is ignored if it is relative. This variable is ours: ignored, it would silently mean another folder.
    if let Some(named) = env::var_os("STRONGROOM_CACHE").filter(|named| !named.is_empty()) {
        return absolute("STRONGROOM_CACHE").with_context(|| {
            format!("STRONGROOM_CACHE is `{}`: set it to an absolute path, or unset it", named.display())
        });
    }
    let user = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(user.context(NO_HOME)?.join("strongroom"))
}
