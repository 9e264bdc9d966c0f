//! The findings of the survey as a table, and its place in node-audit's README.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use node_audit::{Finding, Severity};

use crate::paths::Workspace;
use crate::survey::Surveyed;

const README: &str = "crates/node-audit/README.md";
const BEGIN: &str = "<!-- survey: written by cargo xtask survey --write -->\n";
const END: &str = "<!-- end of survey -->\n";
/// How many different failures are shown.
const SHOWN: usize = 3;
/// Longer messages are cut: the row is to be read, and the command tells them in full.
const LONGEST: usize = 140;

/// One row for each package.
pub(crate) fn markdown(surveyed: &[Surveyed]) -> String {
    let mut text =
        "| package | what it is | errors | warnings | in real Nodes |\n|---|---|---|---|---|\n".to_owned();
    for package in surveyed {
        let cells = [
            format!("{} {}", package.pin.name, package.pin.version),
            package.what.clone(),
            errors(package),
            warnings(package),
            nodes(package),
        ];
        let _ = writeln!(text, "| {} |", cells.map(|cell| escaped(&cell)).join(" | "));
    }
    text
}

/// Puts the table between the marks of the README. Whether that changed it.
pub(crate) fn write(workspace: &Workspace, table: &str) -> Result<bool> {
    let path = workspace.root().join(README);
    let text = fs::read_to_string(&path).with_context(|| format!("{README} cannot be read"))?;
    let written = replaced(&text, table).with_context(|| {
        format!("{README} lacks the lines `{}` and `{}`", BEGIN.trim_end(), END.trim_end())
    })?;
    if written == text {
        return Ok(false);
    }
    fs::write(&path, written).with_context(|| format!("{README} cannot be written"))?;
    Ok(true)
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim_end()))
}

/// Each rule with an error, how many addons break it, and the first message.
fn errors(package: &Surveyed) -> String {
    let cell = |(first, count): (&Finding, usize)| {
        let times = if count == 1 { String::new() } else { format!("{count} x ") };
        format!("{times}`{}`: {}", first.rule, clause(&first.message))
    };
    joined(by_rule(package, Severity::Error).into_iter().map(cell), "<br>")
}

fn warnings(package: &Surveyed) -> String {
    let cell = |(first, count): (&Finding, usize)| format!("{count} x `{}`", first.rule);
    joined(by_rule(package, Severity::Warning).into_iter().map(cell), ", ")
}

fn joined(cells: impl Iterator<Item = String>, between: &str) -> String {
    let cells: Vec<String> = cells.collect();
    if cells.is_empty() { "none".to_owned() } else { cells.join(between) }
}

/// The first finding of each rule that is broken, and how many there are; in the order of the rules.
fn by_rule(package: &Surveyed, severity: Severity) -> Vec<(&Finding, usize)> {
    let of = |id: &str| {
        let mut broken =
            package.findings().filter(|finding| finding.severity == severity && finding.rule == id);
        broken.next().map(|first| (first, 1 + broken.count()))
    };
    node_audit::RULES.iter().filter_map(|rule| of(rule.id)).collect()
}

/// The first clause of a message, with the one that contradicts it: what is wrong, without what follows from it.
fn clause(message: &str) -> String {
    let mut depth = 0;
    let end = message.char_indices().find(|(at, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        let rest = &message[*at..];
        depth == 0
            && [", ", "; ", ": "].iter().any(|end| rest.starts_with(end))
            && !rest.starts_with(", but ")
    });
    shortened(end.map_or(message, |(end, _)| &message[..end]))
}

/// How many loads went well, and in which ways others did not.
fn nodes(package: &Surveyed) -> String {
    let loads: Vec<_> = package.addons.iter().flat_map(|addon| addon.loads.iter()).collect();
    let held = loads.iter().filter(|load| load.is_held()).count();
    if held == 0 {
        return "not run: no Linux addon for these Nodes".to_owned();
    }
    let failed: Vec<_> = loads.iter().filter(|load| load.outcome.is_failure()).collect();
    if failed.is_empty() {
        return format!("loads, {held} of {held}");
    }
    let mut texts: Vec<String> = Vec::new();
    for load in &failed {
        let text = without_file(load.outcome.text());
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let more = match texts.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    texts.truncate(SHOWN);
    format!("fails, {} of {held}: {}{more}", failed.len(), texts.join("; "))
}

/// A loader's message without the addon's name, so that it is the same for several.
fn without_file(text: &str) -> String {
    let end = [" (required by ", " (needed by ", ": '"].iter().filter_map(|start| text.find(start)).min();
    shortened(end.and_then(|end| text.get(..end)).unwrap_or(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// What would end a cell or begin another thing in Markdown.
fn escaped(cell: &str) -> String {
    // glibc quotes `like this'.
    cell.replace("`GLIBC", "'GLIBC").replace("`CXXABI", "'CXXABI").replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::Addon;
    use crate::survey::loads::Outcome;

    fn finding(rule: &'static str, severity: Severity, message: &str) -> Finding {
        Finding {
            file: "x.node".to_owned(),
            platform: None,
            rule,
            severity,
            message: message.to_owned(),
            evidence: String::new(),
            remedy: String::new(),
        }
    }

    #[test]
    fn a_row_counts_what_was_found_and_what_failed() {
        let floor = || finding("glibc-floor", Severity::Error, "the addon needs 2.34|2.38");
        let version =
            |file| Outcome::Fails(format!("libc.so.6: version `GLIBC_2.34' not found (required by {file})"));
        let other = Outcome::OtherNode("another Node".to_owned());
        let package = Surveyed::of(vec![
            Addon::of(
                vec![floor(), finding("size", Severity::Warning, "big")],
                &[version("a"), Outcome::Loads],
            ),
            Addon::of(vec![floor()], &[version("b"), Outcome::Hangs, other]),
        ]);
        let table = markdown(&[package]);
        let row = table.lines().nth(2).unwrap();
        let expected = " | 2 x `glibc-floor`: the addon needs 2.34\\|2.38 | 1 x `size` | fails, 3 of 4: libc.so.6: version \
                        'GLIBC_2.34' not found; does not return |";
        assert!(row.ends_with(expected), "{row}");
    }

    #[test]
    fn a_message_is_cut_at_its_first_clause() {
        for (message, expected) in [
            (
                "the addon needs glibc 2.34; the oldest supported version is 2.28",
                "the addon needs glibc 2.34",
            ),
            (
                "the addon needs Node-API 10 (Node 22.14, 23.6 and later), but Node 20.0.0 is promised, which lacks it",
                "the addon needs Node-API 10 (Node 22.14, 23.6 and later), but Node 20.0.0 is promised",
            ),
            ("no clause here", "no clause here"),
        ] {
            assert_eq!(clause(message), expected);
        }
    }

    #[test]
    fn what_is_clean_and_what_was_not_run_say_so() {
        let clean = Surveyed::of(vec![Addon::of(Vec::new(), &[Outcome::Loads, Outcome::Loads])]);
        let foreign = Surveyed::of(vec![Addon::of(Vec::new(), &[])]);
        let table = markdown(&[clean, foreign]);
        assert!(table.contains(" | none | none | loads, 2 of 2 |\n"), "{table}");
        assert!(table.ends_with(" | not run: no Linux addon for these Nodes |\n"), "{table}");
    }

    #[test]
    fn the_table_stands_between_its_marks_however_often_it_is_written() {
        let readme = format!("before\n{BEGIN}old\n{END}after\n");
        let once = replaced(&readme, "| new |").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\n| new |\n\n{END}after\n"));
        assert_eq!(replaced(&once, "| new |").unwrap(), once);
        assert_eq!(replaced("no marks", "| new |"), None);
    }

    #[test]
    fn the_readme_has_the_marks() {
        let readme = fs::read_to_string(Workspace::find().unwrap().root().join(README)).unwrap();
        assert!(replaced(&readme, "").is_some());
    }
}
