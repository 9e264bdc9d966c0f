//! Files in package registries, each pinned by version and hash.
//!
//! `nix/offline-nixpkgs/required-files.json` lists the files that builds need; Nix reads the same list. Other crates
//! have their own lists.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};

use crate::program::system;
use crate::workspace::Workspace;
use crate::{process, python};

const LIST: &str = "nix/offline-nixpkgs/required-files.json";

/// A package registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Registry {
    Pypi,
    Npm,
}

/// A file in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PinnedFile {
    /// The file's name in the Nix store.
    pub name: String,
    /// The file's hash: `sha256-` or `sha512-`, followed by base64.
    hash: String,
    from: Registry,
    /// The package's name.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Nix's name for the system that a program runs on; `None` for a file that every system uses.
    #[serde(default)]
    system: Option<String>,
    /// The platform tag of a wheel for another machine.
    #[serde(default)]
    tag: Option<String>,
}

/// Returns the listed files that are for this machine.
pub fn pinned_files(workspace: &Workspace) -> Result<Vec<PinnedFile>> {
    let path = workspace.root().join(LIST);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {LIST}"))?;
    let mut files: Vec<PinnedFile> =
        serde_json::from_str(&text).with_context(|| format!("{LIST} is not a list of files"))?;
    let here = system();
    files.retain(|file| file.system.as_ref().is_none_or(|system| *system == here));
    Ok(files)
}

/// Returns the cache folder for the files that a list pins. The folder's name contains a digest of the list, so a
/// changed list gets a new folder.
pub fn pinned_folder(workspace: &Workspace, name: &str, list: &str) -> Result<PathBuf> {
    Ok(workspace.cache().join(format!("{name}-{}", digest_of(workspace, list)?)))
}

/// Returns a short digest of a file in the workspace, for the name of a file or folder made from it.
pub fn digest_of(workspace: &Workspace, file: &str) -> Result<String> {
    let text = fs::read(workspace.root().join(file)).with_context(|| format!("cannot read {file}"))?;
    Ok(hexadecimal_of(&Sha256::digest(text)[..8]))
}

impl PinnedFile {
    /// Pins an npm package by the integrity that the registry publishes.
    pub fn npm(package: &str, version: &str, integrity: &str) -> Self {
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

    /// Returns the file's path in the cache. Downloads the file on first use, and verifies its hash.
    pub fn fetch(&self, workspace: &Workspace) -> Result<PathBuf> {
        let downloads = workspace.cache().join("downloads");
        let path = downloads.join(&self.name);
        if path.is_file() && self.hash_of(&path)? == self.hash {
            return Ok(path);
        }
        let folder = workspace.scratch()?;
        let Self { package, version, hash, .. } = self;
        let mut command = match self.from {
            Registry::Pypi => {
                let mut pip = python::pip(workspace)?;
                pip.args(["download", "--quiet", "--no-deps", "--only-binary", ":all:"]);
                pip.args(self.tag.iter().flat_map(|tag| ["--platform", tag]));
                pip.arg(format!("{package}=={version}"));
                pip
            }
            Registry::Npm => {
                let mut npm = process::command("npm");
                npm.args(["pack", "--loglevel", "error", "--ignore-scripts"]);
                npm.arg(format!("{package}@{version}"));
                npm
            }
        };
        workspace
            .run(&format!("download {package} {version}"), command.current_dir(folder.path()))
            .with_context(|| self.unavailable())?;
        let downloaded = only_file(folder.path())?;
        let actual = self.hash_of(&downloaded)?;
        if actual != *hash {
            bail!(
                "the registry's {package} {version} has the hash {actual}, but {hash} is pinned (`git grep --fixed-strings \
                 {hash}` finds the pin): find out why before you use the file"
            );
        }
        fs::create_dir_all(&downloads)
            .and_then(|()| fs::rename(&downloaded, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn unavailable(&self) -> String {
        let Self { package, version, .. } = self;
        let (registry, setting) = match self.from {
            Registry::Pypi => ("PyPI", "PIP_INDEX_URL"),
            Registry::Npm => ("npm's registry", "npm_config_registry"),
        };
        format!(
            "cannot download {package} {version} from {registry}: check the network, or name another registry by {setting}, \
             and run the command again"
        )
    }

    /// Hashes a file with the algorithm of the pinned hash.
    fn hash_of(&self, path: &Path) -> Result<String> {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        match self.hash.split_once('-') {
            Some(("sha256", _)) => Ok(format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))),
            Some(("sha512", _)) => Ok(format!("sha512-{}", STANDARD.encode(Sha512::digest(content)))),
            _ => bail!(
                "the pinned hash of {} is `{}`: pin a hash that begins with sha256- or sha512-",
                self.name,
                self.hash
            ),
        }
    }

    /// Returns the file's SHA-256 in hexadecimal digits.
    pub fn sha256(&self) -> Result<String> {
        hexadecimal(&self.hash).with_context(|| format!("cannot convert the pinned hash of {}", self.name))
    }
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    match files.as_slice() {
        [file] => Ok(file.path()),
        _ => bail!(
            "the download left {} files in {} instead of one: run the command again",
            files.len(),
            folder.display()
        ),
    }
}

/// Converts a hash from the format of Nix and npm (`sha256-` and base64) to hexadecimal digits.
pub fn hexadecimal(hash: &str) -> Result<String> {
    let bytes = hash.strip_prefix("sha256-").and_then(|text| STANDARD.decode(text).ok());
    let bytes =
        bytes.filter(|bytes| bytes.len() == 32).with_context(|| format!("`{hash}` is not a SHA-256 hash"))?;
    Ok(hexadecimal_of(&bytes))
}

fn hexadecimal_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180; openssl converted its hash to base64.
    #[test]
    fn a_file_is_hashed_with_the_algorithm_of_its_pin() {
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
        assert!(error.ends_with("is `md5-AAAA`: pin a hash that begins with sha256- or sha512-"), "{error}");
    }

    #[test]
    fn a_scoped_package_has_a_file_name() {
        let file = PinnedFile::npm("@scope/name", "1.0.0", "sha512-");
        assert_eq!(file.name, "scope-name-1.0.0.tgz");
    }

    #[test]
    fn a_hash_converts_to_hexadecimal_digits() {
        let text = r#"{"name": "n", "hash": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "from": "pypi", "package": "p", "version": "1"}"#;
        let file: PinnedFile = serde_json::from_str(text).unwrap();
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(file.sha256().unwrap(), of_nothing);
        let wrong = PinnedFile { hash: "sha256-AAAA".into(), ..file };
        assert!(format!("{:#}", wrong.sha256().unwrap_err()).contains("is not a SHA-256 hash"));
    }
}
