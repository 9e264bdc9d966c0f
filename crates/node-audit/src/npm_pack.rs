//! Asks npm which files of a package it packs.
//!
//! npm decides by `files`, .npmignore, .gitignore and its own lists, which differ between its releases. The audit
//! therefore asks the npm that will publish the package.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use node_audit::{Manifest, ManifestError};
use serde_json::Value;

/// The size of a package.json that is read, in bytes; the audit refuses a larger file.
const MAX_MANIFEST: u64 = 2 << 20;

/// An error of [`npm_pack`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum NpmPackError {
    #[error(
        "the current folder has no package.json; pass a .node file, a folder or a tarball, or run node-audit in the \
         folder of a package (--help lists all options)"
    )]
    NoManifest,
    #[error("package.json: {0}")]
    Manifest(ManifestError),
    #[error("cannot read package.json: {0}")]
    Unreadable(io::Error),
    #[error(
        "npm is not on PATH, and node-audit asks npm which files of the package in the current folder it packs; install npm, \
         or pass the tarball of another packer (node-audit x.tgz) or a folder (node-audit .)"
    )]
    NoNpm,
    #[error(
        "cannot run `npm pack --dry-run`: {0}; check the npm on PATH, or pass a tarball (node-audit x.tgz)"
    )]
    NotRun(io::Error),
    #[error("`npm pack --dry-run` fails: {0}")]
    Failed(String),
    #[error(
        "`npm pack --dry-run --json` printed no list of files: {0}; run `npm pack`, and pass the tarball \
         (node-audit x.tgz)"
    )]
    Unknown(&'static str),
}

/// Returns the files that npm packs from the package in a folder. Does not run its scripts.
pub(crate) fn npm_pack(folder: &Path) -> Result<Vec<String>, NpmPackError> {
    let manifest = File::open(folder.join("package.json")).map_err(|_| NpmPackError::NoManifest)?;
    let mut content = Vec::new();
    // npm's own message about an invalid package.json does not name the file.
    manifest.take(MAX_MANIFEST).read_to_end(&mut content).map_err(NpmPackError::Unreadable)?;
    Manifest::parse(&content).map_err(NpmPackError::Manifest)?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm)
        .args(["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => NpmPackError::NoNpm,
            _ => NpmPackError::NotRun(error),
        })?;
    if !output.status.success() {
        return Err(NpmPackError::Failed(reason(&output.stdout, &output.stderr)));
    }
    files(&output.stdout).map_err(NpmPackError::Unknown)
}

/// Returns the paths in npm's output.
fn files(output: &[u8]) -> Result<Vec<String>, &'static str> {
    let value: Value = serde_json::from_slice(output).map_err(|_| "the output is not JSON")?;
    // Older npm prints an array with an element for each package; later releases print an object by name.
    let packages: Vec<&Value> = match &value {
        Value::Array(packages) => packages.iter().collect(),
        Value::Object(packages) if !packages.contains_key("files") => packages.values().collect(),
        package => vec![package],
    };
    let [package] = packages.as_slice() else { return Err("the output does not list exactly one package") };
    let files = package["files"].as_array().ok_or("the package has no files")?;
    let paths: Option<BTreeSet<String>> =
        files.iter().map(|file| Some(file["path"].as_str()?.to_owned())).collect();
    let paths = paths.ok_or("a file has no path")?;
    let leads_out =
        |path: &String| Path::new(path).is_absolute() || path.split(['/', '\\']).any(|part| part == "..");
    if paths.iter().any(leads_out) {
        return Err("a path leads out of the package");
    }
    Ok(paths.into_iter().collect())
}

/// Returns the reason why npm failed, in one line.
fn reason(output: &[u8], errors: &[u8]) -> String {
    let value: Value = serde_json::from_slice(output).unwrap_or_default();
    let summary = value["error"]["summary"].as_str().map(str::to_owned);
    let text = summary.unwrap_or_else(|| String::from_utf8_lossy(errors).into_owned());
    let lines = text.lines().map(|line| line.trim_start_matches("npm error").trim());
    let line = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let printable = line.chars().filter(|c| !c.is_control()).take(500).collect::<String>();
    if printable.is_empty() { "npm printed no error message".to_owned() } else { printable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_all_npm_releases_are_read() {
        let package = r#"{"name": "a", "files": [{"path": "b.node"}, {"path": "a.js"}]}"#;
        for output in [format!("[{package}]"), format!("{{\"a\": {package}}}"), package.to_owned()] {
            assert_eq!(files(output.as_bytes()).unwrap(), ["a.js", "b.node"], "{output}");
        }
    }

    #[test]
    fn other_output_is_an_error() {
        for output in
            ["", "[]", "[{}, {}]", "[{}]", r#"[{"files": [{}]}]"#, r#"[{"files": [{"path": "../x"}]}]"#]
        {
            assert!(files(output.as_bytes()).is_err(), "{output}");
        }
        assert_eq!(reason(b"", b"npm error code E1\nnpm error a b\n"), "code E1; a b");
        assert_eq!(reason(br#"{"error": {"summary": "no name"}}"#, b""), "no name");
        assert_eq!(reason(b"", b""), "npm printed no error message");
    }
}
