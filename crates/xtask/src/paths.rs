//! Where things stand: the workspace, its output, and the cache that outlives a clone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use vendored_toolchain::find_program;

/// How the names of scratch folders begin.
const SCRATCH: &str = ".scratch-";
/// No step takes as long.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

/// The checkout that this xtask belongs to, and the folders that its commands write to.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
    cache: PathBuf,
}

impl Workspace {
    /// The workspace around the manifest that cargo runs, or else around the current directory.
    pub(crate) fn find() -> Result<Self> {
        // At run time, not `env!`: with a shared target directory the binary may come from another clone.
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(manifest) => PathBuf::from(manifest),
            None => env::current_dir().context("the current directory cannot be read")?,
        };
        let is_root = |folder: &&Path| folder.join("targets.json").is_file();
        let Some(root) = start.ancestors().find(is_root) else {
            bail!("{} is in no Strongroom checkout: run `cargo xtask` inside one", start.display());
        };
        Ok(Self { root: root.to_owned(), cache: cache()? })
    }

    /// The checkout's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The npm package: `bindings/node`.
    pub(crate) fn package(&self) -> PathBuf {
        self.root.join("bindings/node")
    }

    /// What `dist` makes: `bindings/node/dist`.
    pub(crate) fn dist(&self) -> PathBuf {
        self.package().join("dist")
    }

    /// Full output of every command that xtask runs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("target/xtask/logs")
    }

    /// Tools and downloads, shared by all clones: `STRONGROOM_CACHE`, or a folder in the user's cache.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A folder in the cache, made where it is not there yet, that is removed when dropped: what is finished in it can
    /// be renamed to its place.
    pub(crate) fn scratch(&self) -> Result<TempDir> {
        let made = fs::create_dir_all(&self.cache).and_then(|()| {
            self.remove_forgotten();
            tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&self.cache)
        });
        made.with_context(|| {
            let cache = self.cache.display();
            format!("the cache {cache} cannot be written: set STRONGROOM_CACHE to the absolute path of another folder")
        })
    }

    /// Removes what a program that was stopped could not: scratch folders older than a day.
    fn remove_forgotten(&self) {
        for entry in fs::read_dir(&self.cache).into_iter().flatten().flatten() {
            let is_scratch = entry.file_name().to_string_lossy().starts_with(SCRATCH);
            let age = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let age = age.and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
            if is_scratch && age > FORGOTTEN {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Cargo's target directory for release addons: not the everyday one, whose C another compiler made.
    pub(crate) fn release_target_dir(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(shared) => self.root.join(shared).join("dist"),
            None => self.root.join("target/dist"),
        }
    }

    /// A path as it is shown: relative to the workspace where it is inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Another checkout, with this one's cache.
    pub(crate) fn elsewhere(&self, root: &Path) -> Self {
        Self { root: root.to_owned(), cache: self.cache.clone() }
    }

    /// A workspace anywhere, for tests.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), cache: root.join("cache") }
    }
}

fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // Ignored where it is relative, as XDG_CACHE_HOME is, it would silently mean another folder.
    if let Some(named) = env::var_os("STRONGROOM_CACHE").filter(|named| !named.is_empty()) {
        let Some(cache) = absolute("STRONGROOM_CACHE") else {
            bail!("STRONGROOM_CACHE is `{}`: set it to an absolute path, or unset it", named.display());
        };
        return Ok(cache);
    }
    let Some(user) = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    else {
        bail!("no place for downloaded tools: set STRONGROOM_CACHE to the absolute path of a folder");
    };
    Ok(user.join("strongroom"))
}

/// Where a program stands on `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    find_program(name, &folders.to_string_lossy(), env::consts::EXE_SUFFIX)
}
