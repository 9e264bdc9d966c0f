//! The programs that every build needs.

use anyhow::{Result, bail};

use crate::process;
use crate::program::program;

/// The oldest Node.js that runs the package.
const MIN_NODE: u32 = 20;

/// Each program, its purpose, and its Debian package.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("node", "runs the package", "nodejs, version 20 or later"),
    ("npm", "installs the JavaScript tools", "npm"),
    ("cc", "links build scripts", "gcc"),
    ("make", "builds OpenSSL", "make"),
    ("perl", "configures OpenSSL", "perl"),
];

/// Fails with a line for each program that is missing.
pub fn check() -> Result<()> {
    // On Windows, cargo finds Microsoft's compiler and nmake.
    let needed = |name| !(cfg!(windows) && ["cc", "make"].contains(&name));
    let missing = PROGRAMS.iter().filter(|(name, ..)| needed(*name) && program(name).is_none());
    let mut problems: Vec<String> = missing
        .map(|(name, purpose, debian)| {
            format!("{name}, which {purpose}, is not on PATH; on Debian, install {debian}")
        })
        .collect();
    if program("node").is_some() {
        problems.extend(node_problem(&node_version()?));
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("a build needs programs that this machine lacks:\n  {}", problems.join("\n  "))
}

/// Returns the version of the Node on `PATH`, without the `v`.
pub fn node_version() -> Result<String> {
    Ok(process::capture(process::command("node").arg("--version"))?.trim_start_matches('v').to_owned())
}

fn node_problem(version: &str) -> Option<String> {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= MIN_NODE => None,
        Some(_) => Some(format!("node has version {version}: install version {MIN_NODE} or later")),
        None => Some(format!(
            "node --version printed `{version}`, which is not a version: is another program named node first on PATH?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_must_be_recent_enough() {
        assert_eq!(node_problem("20.20.2"), None);
        assert_eq!(node_problem("24.0.0-nightly"), None);
        assert!(node_problem("18.19.1").unwrap().contains("18.19.1: install version 20 or later"));
        assert!(node_problem("").unwrap().contains("not a version"));
    }
}
