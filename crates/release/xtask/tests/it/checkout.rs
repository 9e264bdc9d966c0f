//! The checkout that the tests read, and the addresses that none of its files may name.

#![expect(clippy::unwrap_used, reason = "a checkout that cannot be read fails the test")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    crate::folder().join("../../..")
}

/// Lists the tracked files and the untracked files that git doesn't ignore, relative to the root.
pub(crate) fn files() -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = git.output().unwrap();
    assert!(listed.status.success(), "git ls-files failed: the tests must run in a git checkout");
    let names = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<String> =
        names.split_terminator('\0').filter(|name| root().join(name).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 100, "git lists only {} files", files.len());
    files
}

/// Hosts of registries, in two parts, so that this file contains none. A machine may reach a mirror instead, so the tools
/// take addresses from the configuration of npm, cargo, pip and apt.
const HOSTS: [(&str, &str); 8] = [
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("registry.", "npmjs.org"),
    ("registry.", "yarnpkg.com"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("deb.", "debian.org"),
    ("static.", "rust-lang.org"),
];

fn hosts(text: &str) -> Vec<String> {
    HOSTS.iter().map(|(first, rest)| format!("{first}{rest}")).filter(|host| text.contains(host)).collect()
}

/// The workflow `watch` named the host of cargo's index.
#[test]
fn no_file_names_the_host_of_a_registry() {
    for file in files() {
        // Other files are binary.
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        let found = hosts(&text);
        assert!(
            found.is_empty(),
            "{file} names {found:?}: take the address from the machine's configuration"
        );
    }
    assert_eq!(hosts(&["https://index.", "crates.io/sq"].concat()), [["index.", "crates.io"].concat()]);
}
