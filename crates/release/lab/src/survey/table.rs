//! Writes the survey's counts, exceptions and findings into its README, as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use machine::Workspace;
use node_audit::{Cpu, Finding, Rule, Severity};

use super::agreement::{Agreement, Counts};
use super::packages::{Exception, ListedPackage};
use super::probe::ProbeOutcome;
use super::surveyed_addon::Load;
use super::surveyed_main::SurveyedMain;
use super::surveyed_package::SurveyedPackage;

const README: &str = "crates/node-audit/survey/README.md";
const BEGIN: &str = "<!-- survey: written by cargo xtask survey --write -->\n";
const END: &str = "<!-- end of survey -->\n";
/// The largest number of different failures in a cell.
const MAX_FAILURES: usize = 3;
/// The largest number of characters of a message in a cell. The command prints the whole message.
const MAX_MESSAGE: usize = 140;
/// The words between a library's name and its problem, in a message.
const LOADED: &str = ", which the addon loads";

/// Writes the survey between the marks of the README.
pub(super) fn write(workspace: &Workspace, packages: &[SurveyedPackage]) -> Result<()> {
    let path = workspace.root().join(README);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {README}"))?;
    let text = replace(&text, &survey(packages)).with_context(|| {
        format!("{README} lacks the lines `{}` and `{}`: add both", BEGIN.trim_end(), END.trim_end())
    })?;
    fs::write(&path, text).with_context(|| format!("cannot write {README}"))
}

/// Returns the counts, the exceptions, and the table of packages.
fn survey(packages: &[SurveyedPackage]) -> String {
    [counts(packages), exceptions(packages), markdown(packages)].concat()
}

/// Returns a table with the number of addons for each agreement.
fn counts(packages: &[SurveyedPackage]) -> String {
    let agreements: Vec<(Option<Cpu>, Agreement)> =
        packages.iter().flat_map(SurveyedPackage::agreements).collect();
    let of = |cpu| Counts::of(agreements.iter().map(|(cpu, agreement)| (*cpu, agreement)), cpu);
    let mut text = "| | load, as node-audit predicts | fail, as node-audit predicts | refused for another ABI, as node-audit \
                    predicts | exceptions | disagreements |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut no_node = of(None).no_node;
    for (title, cpu) in [("addons for Linux, x64", Cpu::X64), ("addons for Linux, arm64", Cpu::Arm64)] {
        let counts = of(Some(cpu));
        no_node += counts.no_node;
        let Counts { load, fail, other_abi, excepted, disagree, .. } = counts;
        let _ = writeln!(text, "| {title} | {load} | {fail} | {other_abi} | {excepted} | {disagree} |");
    }
    let mains: Vec<&SurveyedMain> = packages.iter().flat_map(|package| &package.mains).collect();
    let main = |loads| mains.iter().filter(|main| main.loads() == Some(loads)).count();
    let disagree = mains.iter().filter_map(|main| main.disagreement()).count();
    let (load, fail) = (main(true), main(false));
    let _ =
        writeln!(text, "| main packages, on x64 and arm64 each | {load} | {fail} | 0 | 0 | {disagree} |\n");
    let _ = writeln!(text, "Addons for Nodes that the survey does not run: {no_node}.\n");
    text
}

/// Returns a list of the exceptions and their reasons.
fn exceptions(packages: &[SurveyedPackage]) -> String {
    let mut text = String::new();
    for SurveyedPackage { listed, .. } in packages {
        for Exception { rule, why } in &listed.exceptions {
            let _ = writeln!(text, "- {}, `{rule}`: {why}", listed.pin.title());
        }
    }
    if text.is_empty() { text } else { format!("Exceptions:\n\n{text}\n") }
}

/// Returns a table with a row for each package.
fn markdown(packages: &[SurveyedPackage]) -> String {
    let mut text =
        "| package | description | errors | warnings | in real Nodes |\n|---|---|---|---|---|\n".to_owned();
    for package in packages {
        let ListedPackage { pin, description, .. } = &package.listed;
        let cells = [
            format!("{} {}", pin.name, pin.version),
            description.clone(),
            errors(package),
            warnings(package),
            nodes(package),
        ];
        let _ = writeln!(text, "| {} |", cells.map(|cell| escape(&cell)).join(" | "));
    }
    text
}

fn replace(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim_end()))
}

/// Returns each rule with errors, the number of errors, and the first message.
fn errors(package: &SurveyedPackage) -> String {
    let entries = by_rule(package, Severity::Error, |first, count| {
        let times = if count == 1 { String::new() } else { format!("{count} x ") };
        format!("{times}`{}`: {}", first.rule, clause(&first.message))
    });
    or_none(entries.join("<br>"))
}

fn warnings(package: &SurveyedPackage) -> String {
    let entries = by_rule(package, Severity::Warning, |first, count| format!("{count} x `{}`", first.rule));
    or_none(entries.join(", "))
}

fn or_none(cell: String) -> String {
    if cell.is_empty() { "none".to_owned() } else { cell }
}

/// Returns an entry for each broken rule, in the order of the rules. `entry` gets the first finding of a rule and the number of
/// its findings.
fn by_rule(
    package: &SurveyedPackage,
    severity: Severity,
    entry: impl Fn(&Finding, usize) -> String,
) -> Vec<String> {
    let of_rule = |rule: &Rule| {
        let is_of_rule = |finding: &&Finding| finding.severity == severity && finding.rule == rule.id;
        let mut broken = package.all_findings().filter(is_of_rule);
        broken.next().map(|first| entry(first, 1 + broken.count()))
    };
    node_audit::RULES.iter().filter_map(of_rule).collect()
}

/// Returns the first clause of a message, with a following clause that begins with "but" or "in". Later clauses only describe
/// consequences.
fn clause(message: &str) -> String {
    // The first clause of `libx.so, which the addon loads, is compiled for x64` ends after `x64`.
    let start = message.find(LOADED).map_or(0, |at| at + LOADED.len());
    let mut depth = 0;
    let end = message.char_indices().find(|(at, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        let rest = &message[*at..];
        depth == 0
            && *at > start
            && [", ", "; ", ": "].iter().any(|end| rest.starts_with(end))
            && ![", but ", ", in "].iter().any(|start| rest.starts_with(start))
    });
    truncate(end.map_or(message, |(end, _)| &message[..end]))
}

/// Returns the number of successful or failed loads, and the different messages of the failed loads.
fn nodes(package: &SurveyedPackage) -> String {
    let loads = |has_abi: bool| {
        let loads = package.addons.iter().flat_map(|addon| &addon.loads);
        let loads: Vec<&Load> = loads.filter(|load| load.has_abi == has_abi).collect();
        let failed = loads.iter().filter(|load| load.outcome != ProbeOutcome::Loads);
        let failures: Vec<String> = failed.map(|load| without_addon(load.outcome.text())).collect();
        (loads.len(), failures)
    };
    let (count, messages) = loads(true);
    match (count, messages.len()) {
        (0, _) => {}
        (count, 0) => return format!("loads, {count} of {count}"),
        (count, failures) => return format!("fails, {failures} of {count}: {}", first_different(messages)),
    }
    let (count, messages) = loads(false);
    if count > 0 {
        return format!(
            "needs another Node; fails, {} of {count}: {}",
            messages.len(),
            first_different(messages)
        );
    }
    match package.mains.iter().map(SurveyedMain::cell).collect::<Vec<_>>() {
        cells if !cells.is_empty() => cells.join("; "),
        _ if package.addons.is_empty() => "not run: no addon".to_owned(),
        _ => "not run: no Linux addon for these Nodes".to_owned(),
    }
}

/// Joins the first different messages, and appends the number of further messages.
fn first_different(mut messages: Vec<String>) -> String {
    let mut seen = BTreeSet::new();
    messages.retain(|message| seen.insert(message.clone()));
    let more = match messages.len().saturating_sub(MAX_FAILURES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    messages.truncate(MAX_FAILURES);
    messages.join("; ") + &more
}

/// Removes the addon's name from a loader's message, so that several addons share one message.
fn without_addon(text: &str) -> String {
    let end = [" (required by ", " (needed by ", ": '"].iter().filter_map(|start| text.find(start)).min();
    truncate(end.and_then(|end| text.get(..end)).unwrap_or(text))
}

fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}...", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Escapes characters that end a cell or are special in Markdown.
fn escape(cell: &str) -> String {
    // glibc quotes `like this'.
    cell.replace("`GLIBC", "'GLIBC").replace("`CXXABI", "'CXXABI").replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::super::surveyed_addon::SurveyedAddon;
    use super::*;

    #[test]
    fn a_row_counts_findings_and_failed_loads() {
        let floor = || SurveyedAddon::finding("glibc-floor", Severity::Error, "the addon needs 2.34|2.38");
        let version = |file| {
            ProbeOutcome::Fails(format!("libc.so.6: version `GLIBC_2.34' not found (required by {file})"))
        };
        let hangs = ProbeOutcome::Fails("does not return".to_owned());
        let package = SurveyedPackage::with(vec![
            SurveyedAddon::with(
                vec![floor(), SurveyedAddon::finding("size", Severity::Warning, "big")],
                &[version("a"), ProbeOutcome::Loads],
            ),
            SurveyedAddon::with(vec![floor()], &[version("b"), hangs]),
        ]);
        let table = markdown(&[package]);
        let row = table.lines().nth(2).unwrap();
        let expected = " | 2 x `glibc-floor`: the addon needs 2.34\\|2.38 | 1 x `size` | fails, 3 of 4: libc.so.6: version \
                        'GLIBC_2.34' not found; does not return |";
        assert!(row.ends_with(expected), "{row}");
    }

    #[test]
    fn a_message_is_cut_after_its_first_clause() {
        for (message, expected) in [
            (
                "the addon needs glibc 2.34; the oldest supported version is 2.28",
                "the addon needs glibc 2.34",
            ),
            (
                "the addon needs Node-API 10 (Node 22.14, 23.6 and later), but Node 20.0.0 is promised, which lacks it",
                "the addon needs Node-API 10 (Node 22.14, 23.6 and later), but Node 20.0.0 is promised",
            ),
            (
                "fcntl64 is not in musl, in a loaded library or in Node 20: require() fails",
                "fcntl64 is not in musl, in a loaded library or in Node 20",
            ),
            (
                "liba.so, which the addon loads, is compiled for x64, and the addon is not",
                "liba.so, which the addon loads, is compiled for x64",
            ),
            ("no clause here", "no clause here"),
        ] {
            assert_eq!(clause(message), expected);
        }
    }

    #[test]
    fn a_clean_package_and_a_package_without_loads_have_their_own_cells() {
        let clean = SurveyedPackage::with(vec![SurveyedAddon::with(
            Vec::new(),
            &[ProbeOutcome::Loads, ProbeOutcome::Loads],
        )]);
        let foreign = SurveyedPackage::with(vec![SurveyedAddon::with(Vec::new(), &[])]);
        let table = markdown(&[clean, foreign]);
        assert!(table.contains(" | none | none | loads, 2 of 2 |\n"), "{table}");
        assert!(table.ends_with(" | not run: no Linux addon for these Nodes |\n"), "{table}");
    }

    #[test]
    fn addons_of_another_abi_and_packages_without_addons_have_their_own_cells() {
        let refused = ProbeOutcome::OtherNode("another Node".to_owned());
        let mut other = SurveyedPackage::with(vec![SurveyedAddon::with(Vec::new(), &[refused])]);
        other.addons[0].loads[0].has_abi = false;
        let table = markdown(&[other, SurveyedPackage::with(Vec::new())]);
        assert!(table.contains(" | needs another Node; fails, 1 of 1: another Node |\n"), "{table}");
        assert!(table.ends_with(" | not run: no addon |\n"), "{table}");
    }

    #[test]
    fn the_counts_and_the_exceptions_precede_the_table() {
        let needed = SurveyedAddon::finding("needed", Severity::Error, "it is so");
        let mut package = SurveyedPackage::with(vec![
            SurveyedAddon::with(Vec::new(), &[ProbeOutcome::Loads]),
            SurveyedAddon::with(vec![needed.clone()], &[ProbeOutcome::Fails("no".to_owned())]),
            SurveyedAddon::with(vec![needed], &[ProbeOutcome::Loads]),
            SurveyedAddon::with(Vec::new(), &[]),
        ]);
        assert!(
            survey(std::slice::from_ref(&package))
                .contains("| addons for Linux, x64 | 1 | 1 | 0 | 0 | 1 |\n")
        );
        package.listed.exceptions =
            vec![Exception { rule: "needed".to_owned(), why: "It is so.".to_owned() }];
        let text = survey(&[package]);
        assert!(text.contains("| addons for Linux, x64 | 1 | 1 | 0 | 1 | 0 |\n"), "{text}");
        assert!(text.contains("\nAddons for Nodes that the survey does not run: 1.\n"), "{text}");
        assert!(text.contains(", `needed`: It is so.\n"), "{text}");
    }

    #[test]
    fn a_second_write_replaces_the_first() {
        let readme = format!("before\n{BEGIN}old\n{END}after\n");
        let once = replace(&readme, "| new |").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\n| new |\n\n{END}after\n"));
        assert_eq!(replace(&once, "| new |").unwrap(), once);
        assert_eq!(replace("no marks", "| new |"), None);
    }

    #[test]
    fn the_readme_has_the_marks() {
        let readme = fs::read_to_string(Workspace::find().unwrap().root().join(README)).unwrap();
        assert!(replace(&readme, "").is_some());
    }
}
