//! Errors for a whole set of files, with every problem, and a remedy for each kind of problem.

use anyhow::{Result, bail};
use build::Product;
use node_targets::Target;

/// The maximum number of problems that an error lists.
const MAX_PROBLEMS: usize = 40;

/// Fails with all problems and their remedy, if there are any problems.
pub(crate) fn refuse(problems: Vec<String>, what: &str, remedy: &str) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    let mut lines: Vec<String> =
        problems.into_iter().take(MAX_PROBLEMS).map(|problem| format!("  - {problem}")).collect();
    if more > 0 {
        lines.push(format!("  - and {more} more"));
    }
    bail!("{what}:\n{}\n{remedy}", lines.join("\n"))
}

/// Returns the commands that build the addons of these targets.
pub(crate) fn dist(targets: &[&'static Target]) -> String {
    let (elsewhere, here): (Vec<&Target>, Vec<&Target>) =
        targets.iter().partition(|&&target| !Product::own(target).is_built_here());
    let command = |targets: &[&Target]| {
        let named: Vec<String> = targets.iter().map(|target| format!(" --target {target}")).collect();
        format!("cargo xtask dist{}", named.concat())
    };
    match (here.is_empty(), elsewhere.is_empty()) {
        (_, true) => command(&here),
        // Without MSVC, `dist` builds only a proxy, which is never shipped.
        (true, false) => format!("on Windows, {}", command(&elsewhere)),
        (false, false) => format!("{}, and on Windows, {}", command(&here), command(&elsewhere)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let problems = (0..MAX_PROBLEMS + 2).map(|number| number.to_string()).collect();
        let text = refuse(problems, "wrong", "do").unwrap_err().to_string();
        assert!(text.starts_with("wrong:\n  - 0\n") && text.ends_with("\n  - and 2 more\ndo"), "{text}");
    }

    #[test]
    fn the_commands_name_every_platform() {
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
                command(&["win32-x64-msvc", "darwin-x64", "win32-arm64-msvc"]),
                format!("cargo xtask dist --target darwin-x64, and {windows} --target win32-arm64-msvc")
            );
        }
    }
}
