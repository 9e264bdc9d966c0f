//! Files of a registry, each pinned by version and hash.
//!
//! What the builds need is in `nix/host-nixpkgs/required-files.json`; Nix and xtask read the same list. The Nodes in
//! which addons are loaded are in a list of their own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};

use crate::nix;
use crate::paths::Workspace;
use crate::process;
use crate::python;

const LIST: &str = "nix/host-nixpkgs/required-files.json";

/// The registry that has a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Registry {
    Pypi,
    Npm,
}

/// One file of the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PinnedFile {
    /// Its name in the Nix store.
    pub(crate) name: String,
    /// What it must hash to: `sha256-` or `sha512-`, and base64.
    hash: String,
    from: Registry,
    /// The package that it is.
    pub(crate) package: String,
    /// And which version.
    pub(crate) version: String,
    /// The system that a program runs on, in Nix's words; none for a file of every system.
    #[serde(default)]
    system: Option<String>,
    /// The platform tag of a wheel that is not for this machine.
    #[serde(default)]
    tag: Option<String>,
}

/// The files of the list that are for this machine.
pub(crate) fn pinned_files(workspace: &Workspace) -> Result<Vec<PinnedFile>> {
    let path = workspace.root().join(LIST);
    let text = fs::read_to_string(&path).with_context(|| format!("{LIST} cannot be read"))?;
    let files = serde_json::from_str(&text).with_context(|| format!("{LIST} is not a list of files"))?;
    Ok(for_system(files, &nix::system()))
}

fn for_system(files: Vec<PinnedFile>, system: &str) -> Vec<PinnedFile> {
    files.into_iter().filter(|file| file.system.as_deref().is_none_or(|own| own == system)).collect()
}

/// A folder of the cache for what a list pins, named after all that the list says: other pins are other files.
pub(crate) fn pinned_folder(workspace: &Workspace, name: &str, list: &str) -> Result<PathBuf> {
    Ok(workspace.cache().join(format!("{name}-{}", digest_of(workspace, list)?)))
}

/// A short digest of a file of the workspace, for the name of what is made from the file.
pub(crate) fn digest_of(workspace: &Workspace, file: &str) -> Result<String> {
    let text = fs::read(workspace.root().join(file)).with_context(|| format!("{file} cannot be read"))?;
    Ok(hexadecimal_of(&Sha256::digest(text)[..8]))
}

impl PinnedFile {
    /// A package of npm, by the integrity that its registry publishes.
    pub(crate) fn npm(package: &str, version: &str, integrity: &str) -> Self {
        let file = package.trim_start_matches('@').replace('/', "-");
        Self {
            name: format!("{file}-{version}.tgz"),
            hash: integrity.to_owned(),
            from: Registry::Npm,
            package: package.to_owned(),
            version: version.to_owned(),
            system: None,
            tag: None,
        }
    }

    /// The file in the cache, downloaded where it is not there yet, its hash verified.
    pub(crate) fn fetch(&self, workspace: &Workspace) -> Result<PathBuf> {
        let downloads = workspace.cache().join("downloads");
        let path = downloads.join(&self.name);
        if path.is_file() && self.hash_of(&path)? == self.hash {
            return Ok(path);
        }
        let folder = workspace.scratch()?;
        let mut command = match self.from {
            Registry::Pypi => python::pip(workspace)?,
            Registry::Npm => process::command("npm"),
        };
        command.current_dir(folder.path());
        match self.from {
            Registry::Pypi => {
                command.args(["download", "--quiet", "--no-deps", "--only-binary", ":all:"]);
                if let Some(tag) = &self.tag {
                    command.args(["--platform", tag]);
                }
                command.arg(format!("{}=={}", self.package, self.version));
            }
            Registry::Npm => {
                command.args(["pack", "--loglevel", "error", "--ignore-scripts"]);
                command.arg(format!("{}@{}", self.package, self.version));
            }
        }
        process::run(workspace, &format!("download {} {}", self.package, self.version), command)
            .with_context(|| self.unavailable())?;
        let downloaded = only_file(folder.path())?;
        let (expected, actual) = (&self.hash, self.hash_of(&downloaded)?);
        if actual != *expected {
            bail!(
                "{} {} from the registry is {actual}, but {expected} is pinned (`git grep --fixed-strings {expected}` \
                 says where): it is another file; do not use it before you know why",
                self.package,
                self.version
            );
        }
        fs::create_dir_all(&downloads)
            .and_then(|()| fs::rename(&downloaded, &path))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    fn unavailable(&self) -> String {
        let (registry, setting) = match self.from {
            Registry::Pypi => ("PyPI", "PIP_INDEX_URL"),
            Registry::Npm => ("npm's registry", "npm_config_registry"),
        };
        format!(
            "{} {} could not be downloaded from {registry}: is there a network, or does {setting} name another \
             registry? Then run it again",
            self.package, self.version
        )
    }

    /// The hash of a file, by the algorithm of the pinned one.
    fn hash_of(&self, path: &Path) -> Result<String> {
        let content = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        match self.hash.split_once('-') {
            Some(("sha256", _)) => Ok(format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))),
            Some(("sha512", _)) => Ok(format!("sha512-{}", STANDARD.encode(Sha512::digest(content)))),
            _ => bail!("the pinned hash of {} is `{}`, neither sha256- nor sha512-", self.name, self.hash),
        }
    }

    /// The SHA-256 in hexadecimal.
    pub(crate) fn sha256(&self) -> Result<String> {
        hexadecimal(&self.hash).with_context(|| format!("the pinned hash of {}", self.name))
    }
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    match files.as_slice() {
        [file] => Ok(file.path()),
        _ => bail!("the download left {} files in {} where one was expected", files.len(), folder.display()),
    }
}

/// A hash as Nix and npm write it, `sha256-` and base64, in hexadecimal.
pub(crate) fn hexadecimal(hash: &str) -> Result<String> {
    let bytes = hash.strip_prefix("sha256-").and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.filter(|bytes| bytes.len() == 32).with_context(|| format!("`{hash}` is no SHA-256"))?;
    Ok(hexadecimal_of(&bytes))
}

fn hexadecimal_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use node_targets::Toolchain;

    use super::*;

    /// Of the standards' example; base64 by another program.
    #[test]
    fn a_file_is_hashed_by_the_algorithm_of_its_pin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let sha256 = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let sha512 =
            "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
        for hash in [sha256, sha512] {
            assert_eq!(PinnedFile::npm("abc", "1.0.0", hash).hash_of(&path).unwrap(), hash);
        }
        let error = PinnedFile::npm("abc", "1.0.0", "md5-AAAA").hash_of(&path).unwrap_err().to_string();
        assert!(error.ends_with("is `md5-AAAA`, neither sha256- nor sha512-"), "{error}");
    }

    #[test]
    fn a_scoped_package_is_one_file() {
        let file = PinnedFile::npm("@scope/name", "1.0.0", "sha512-");
        assert_eq!(file.name, "scope-name-1.0.0.tgz");
    }

    #[test]
    fn a_hash_of_the_list_is_read_as_hexadecimal() {
        let text = r#"{"name": "n", "hash": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "from": "pypi", "package": "p", "version": "1"}"#;
        let file: PinnedFile = serde_json::from_str(text).unwrap();
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(file.sha256().unwrap(), of_nothing);
        let wrong = PinnedFile { hash: "sha256-AAAA".into(), ..file };
        assert!(format!("{:#}", wrong.sha256().unwrap_err()).contains("is no SHA-256"));
    }

    #[test]
    fn the_list_pins_a_zig_for_every_system_that_builds_with_it() {
        let text = fs::read_to_string(Workspace::find().unwrap().root().join(LIST)).unwrap();
        let files: Vec<PinnedFile> = serde_json::from_str(&text).unwrap();
        let zig = node_targets::targets().iter().filter(|target| target.toolchain == Toolchain::Zig);
        for system in zig.flat_map(|target| &target.build_hosts) {
            let files = for_system(files.clone(), system);
            for package in ["ziglang", "cargo-zigbuild"] {
                let found: Vec<_> = files.iter().filter(|file| file.package == package).collect();
                assert_eq!(found.len(), 1, "{package} on {system}");
                assert_eq!(found[0].sha256().unwrap().len(), 64);
            }
        }
    }
}
