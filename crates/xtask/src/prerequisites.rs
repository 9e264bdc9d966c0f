//! What a machine must have before anything is built.

use anyhow::{Result, bail};

use crate::paths::program;
use crate::process;

/// The oldest Node.js that the package runs in.
const NODE: u32 = 20;

/// Each program, what it is for, and its Debian package.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("node", "runs the package", "nodejs, version 20 or later"),
    ("npm", "installs the JavaScript tools", "npm"),
    ("cc", "links build scripts", "gcc"),
    ("make", "builds OpenSSL", "make"),
    ("perl", "configures OpenSSL", "perl"),
];

/// Stops with a line for each thing that is missing.
pub(crate) fn check() -> Result<()> {
    let mut problems = Vec::new();
    // Windows builds with Microsoft's compiler and nmake, which cargo finds by itself.
    let needed = |name: &str| !(cfg!(windows) && ["cc", "make"].contains(&name));
    for (name, purpose, debian) in PROGRAMS.into_iter().filter(|(name, ..)| needed(name)) {
        if program(name).is_none() {
            problems.push(format!("{name} is not on PATH: it {purpose}; on Debian: {debian}"));
        }
    }
    if program("node").is_some() {
        problems.extend(node_problem(&node_version()?));
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("this machine lacks what a build needs:\n  {}", problems.join("\n  "))
}

/// What `node --version` says, without the `v`.
pub(crate) fn node_version() -> Result<String> {
    let mut node = process::command("node");
    node.arg("--version");
    Ok(process::capture(node)?.trim_start_matches('v').to_owned())
}

fn node_problem(version: &str) -> Option<String> {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE => None,
        Some(_) => Some(format!("node is version {version}, and {NODE} or later is needed")),
        None => Some(format!("node --version says `{version}`, which is no version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_must_be_recent_enough() {
        assert_eq!(node_problem("20.20.2"), None);
        assert_eq!(node_problem("24.0.0-nightly"), None);
        assert!(node_problem("18.19.1").unwrap().contains("18.19.1, and 20 or later"));
        assert!(node_problem("").unwrap().contains("no version"));
    }
}
