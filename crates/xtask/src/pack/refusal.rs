//! Why nothing is packed: all problems in one error, and what helps against each kind.

use anyhow::{Result, bail};
use node_targets::Target;

use crate::windows;

/// How many problems of one run are listed.
const SHOWN: usize = 40;

/// One error out of all problems, with what to do; none where there is none.
pub(super) fn refuse(problems: Vec<String>, what: &str, remedy: &str) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> =
        problems.into_iter().take(SHOWN).map(|problem| format!("  - {problem}")).collect();
    if more > 0 {
        lines.push(format!("  - and {more} more"));
    }
    bail!("{what}:\n{}\n{remedy}", lines.join("\n"))
}

/// The commands that build these platforms' addons: without their names, `dist` builds this machine's alone.
pub(super) fn dist(targets: &[&Target]) -> String {
    let (elsewhere, here): (Vec<&Target>, Vec<&Target>) =
        targets.iter().partition(|target| windows::stand_in(target).is_some());
    let command = |targets: &[&Target]| {
        let named: Vec<String> = targets.iter().map(|target| format!(" --target {target}")).collect();
        format!("cargo xtask dist{}", named.concat())
    };
    match (here.is_empty(), elsewhere.is_empty()) {
        (_, true) => command(&here),
        // Where MSVC is not, `dist` checks types, and makes no addon that is shipped.
        (true, false) => format!("on Windows, {}", command(&elsewhere)),
        (false, false) => format!("{}, and on Windows, {}", command(&here), command(&elsewhere)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let problems = (0..SHOWN + 2).map(|number| number.to_string()).collect();
        let text = refuse(problems, "wrong", "do").unwrap_err().to_string();
        assert!(text.starts_with("wrong:\n  - 0\n") && text.ends_with("\n  - and 2 more\ndo"), "{text}");
    }

    #[test]
    fn every_platform_that_is_to_be_built_is_named() {
        let command = |names: &[&str]| {
            let targets: Vec<_> = names.iter().map(|name| Target::find(name).unwrap()).collect();
            dist(&targets)
        };
        assert_eq!(
            command(&["linux-x64-musl", "darwin-arm64"]),
            "cargo xtask dist --target linux-x64-musl --target darwin-arm64"
        );
        if cfg!(not(windows)) {
            let windows = "on Windows, cargo xtask dist --target win32-x64-msvc";
            assert_eq!(command(&["win32-x64-msvc"]), windows);
            assert_eq!(
                command(&["win32-x64-msvc", "darwin-x64"]),
                format!("cargo xtask dist --target darwin-x64, and {windows}")
            );
        }
    }
}
