//! Files that the builds need of a registry, each pinned by version and hash.
//!
//! The list is `nix/host-nixpkgs/required-files.json`; Nix and xtask read the same one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

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
    /// What it must hash to: `sha256-` and base64.
    hash: String,
    from: Registry,
    /// The package that it is.
    pub(crate) package: String,
    /// And which version.
    pub(crate) version: String,
}

/// The whole list.
pub(crate) fn pinned_files(workspace: &Workspace) -> Result<Vec<PinnedFile>> {
    let path = workspace.root().join(LIST);
    let text = fs::read_to_string(&path).with_context(|| format!("{LIST} cannot be read"))?;
    serde_json::from_str(&text).with_context(|| format!("{LIST} is not a list of files"))
}

/// The pinned file of a package.
pub(crate) fn pinned_file(workspace: &Workspace, package: &str) -> Result<PinnedFile> {
    let found = pinned_files(workspace)?.into_iter().find(|file| file.package == package);
    found.with_context(|| format!("{LIST} pins no `{package}`"))
}

impl PinnedFile {
    /// The file in the cache, downloaded where it is not there yet, its hash verified.
    pub(crate) fn fetch(&self, workspace: &Workspace) -> Result<PathBuf> {
        let downloads = workspace.cache().join("downloads");
        let path = downloads.join(&self.name);
        if path.is_file() && sha256(&path)? == self.sha256()? {
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
                command.arg(format!("{}=={}", self.package, self.version));
            }
            Registry::Npm => {
                command.args(["pack", "--silent", "--ignore-scripts"]);
                command.arg(format!("{}@{}", self.package, self.version));
            }
        }
        process::run(workspace, &format!("download {} {}", self.package, self.version), command)?;
        let downloaded = only_file(folder.path())?;
        let (expected, actual) = (self.sha256()?, sha256(&downloaded)?);
        if actual != expected {
            bail!(
                "{} {} from the registry has SHA-256 {actual}, but {LIST} pins {expected}: it is another file; \
                 do not use it before you know why",
                self.package,
                self.version
            );
        }
        fs::create_dir_all(&downloads)
            .and_then(|()| fs::rename(&downloaded, &path))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// The hash in hexadecimal.
    pub(crate) fn sha256(&self) -> Result<String> {
        hexadecimal(&self.hash).with_context(|| format!("{LIST}: the hash of {}", self.name))
    }
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    match files.as_slice() {
        [file] => Ok(file.path()),
        _ => bail!("the download left {} files in {} where one was expected", files.len(), folder.display()),
    }
}

/// The SHA-256 of a file, in hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let content = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(hexadecimal_of(&Sha256::digest(content)))
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
    use super::*;

    #[test]
    fn the_hash_of_a_file_is_the_standards_example() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
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
    fn the_list_of_this_checkout_pins_what_xtask_asks_for() {
        let workspace = Workspace::find().unwrap();
        for package in ["ziglang", "cargo-zigbuild"] {
            assert_eq!(pinned_file(&workspace, package).unwrap().sha256().unwrap().len(), 64);
        }
        assert!(pinned_file(&workspace, "none").unwrap_err().to_string().contains("pins no `none`"));
    }
}
