//! Compares the Node-API version that an addon needs with the Node releases that its package promises.

use std::collections::HashSet;

use nodejs_semver::{Range, Version};

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::engines::{admits_every_release, range};
use crate::finding::Severity;
use crate::node_api::{self, Releases};
use crate::symbol_tables::may_be_nodes;

pub(super) const RULE: Rule = Rule {
    id: "napi-version",
    asks: "every Node release that package.json's engines allow has the Node-API functions that the addon calls",
    severity: Severity::Info,
    stops_loading: false,
    explanation: "Each Node-API version adds functions, and each release of Node has all functions up to its own \
        version. A Node that lacks a called function refuses the addon if imports are bound during loading (macOS, RELRO \
        with BIND_NOW on Linux): undefined symbol: node_api_symbol_for. With lazy binding, and on Windows with a delayed \
        import from node.exe, the addon loads, and the first call of the function ends the process. The rule reports the \
        version that the addon needs as info. The finding is an error if engines.node in package.json promises a release \
        that lacks the version, and a warning if that release has the functions only as experimental functions. \
        Functions that belong to no version are experimental in every release, and may change or disappear. The rule \
        does not judge an addon that looks up its functions at run time. For ELF addons, the rule also reads the \
        declared version: Node 18.17, 20.2 and later crash with a segmentation fault on a version that they do not \
        know.\n\
        Raise engines.node to the named releases, or build for an older Node-API: NAPI_VERSION in C, the feature napiN \
        of napi-rs.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    // A file may repeat a name any number of times, and each lookup covers all promised releases, so each name is judged
    // once.
    let mut known = HashSet::new();
    let names = facts.imports.iter().map(String::as_str);
    let functions: Vec<&str> =
        names.filter(|name| node_api::is_function(name) && known.insert(*name)).collect();
    let mut problems = Vec::from_iter(declares(subject));
    if functions.is_empty() {
        let enters = facts.exports.iter().any(|export| export == node_api::ENTRY);
        problems.extend(enters.then(at_run_time));
        return problems;
    }
    let newest = functions.iter().filter_map(|function| node_api::version(function)).max();
    if let Some(newest) = newest {
        problems.extend(needs(subject, newest, &functions));
    }
    // `undefined-symbols` reports the functions that no Node has.
    let mut outside = functions;
    outside.retain(|name| node_api::version(name).is_none() && may_be_nodes(name, facts.cpu));
    if !outside.is_empty() {
        problems.push(Problem {
            severity: Severity::Warning,
            message: "the addon calls functions that belong to no Node-API version: these functions are experimental, \
                      and may change or be absent in another release of Node"
                .to_owned(),
            evidence: format!("imports {}", first_names(&outside)),
            remedy: "build without NAPI_EXPERIMENTAL, and with the lowest NAPI_VERSION that suffices".to_owned(),
        });
    }
    problems
}

/// Returns the problem with a promised Node that reads the declared version and knows only lower versions.
fn declares(subject: &Subject<'_>) -> Option<Problem> {
    let declared = usize::try_from(subject.facts.elf()?.node_api?).ok()?;
    let promise = engines_of(subject)?;
    let release = promised(&range(promise)?, &node_api::refusing(declared))?;
    Some(Problem {
        severity: Severity::Error,
        message: format!(
            "the addon declares Node-API {declared} ({}), but package.json's engines promise Node {release}, which knows \
             only lower versions, and crashes with a segmentation fault when it loads the addon",
            node_api::releases(declared)
        ),
        evidence: format!("engines.node \"{promise}\"; {} returns {declared}", node_api::DECLARED_VERSION),
        remedy: format!(
            "build with a lower NAPI_VERSION (C, C++) or without napi10 (napi-rs), or {}",
            narrow(subject)
        ),
    })
}

/// Returns the engines that package.json promises for an addon; None if the addon's name binds it to one release.
fn engines_of<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    subject.package.filter(|_| subject.abi.is_none())?.node.as_deref()
}

/// Returns the newest Node-API version that the package needs: the package has only one range of engines.
fn needed_by_package(subject: &Subject<'_>) -> usize {
    subject.package_api.max(node_api::needed(subject.facts)).unwrap_or(1)
}

/// Returns the remedy that sets the engines to the releases that load all addons of the package.
fn narrow(subject: &Subject<'_>) -> String {
    let promise = engines_of(subject).and_then(range);
    let narrowed = engines_within(needed_by_package(subject), promise.as_ref());
    format!("set \"engines\": {{ \"node\": \"{narrowed}\" }} in package.json")
}

/// Compares the newest version that the addon needs with the engines.
fn needs(subject: &Subject<'_>, newest: usize, functions: &[&str]) -> Vec<Problem> {
    let releases = node_api::releases(newest);
    let of_version = |version| -> Vec<&str> {
        functions.iter().copied().filter(|function| node_api::version(function) == Some(version)).collect()
    };
    let evidence = format!("Node-API {newest}: imports {}", first_names(&of_version(newest)));
    let promise = engines_of(subject);
    let remedy = narrow(subject);
    let info = Problem {
        severity: Severity::Info,
        message: format!("the addon needs Node-API {newest}: {releases}"),
        evidence: evidence.clone(),
        remedy: remedy.clone(),
    };
    let Some(promise) = promise else {
        // Every Node with Node-API has the first version.
        return if newest > 1 { vec![info] } else { Vec::new() };
    };
    let Some(range) = range(promise) else {
        let unreadable = Problem {
            severity: Severity::Warning,
            message: "package.json's engines.node is not a range of versions, so it promises nothing"
                .to_owned(),
            evidence: format!("engines.node \"{promise}\""),
            remedy: remedy.clone(),
        };
        return vec![info, unreadable];
    };
    // The functions that a promised release lacks, each with the oldest promised release that lacks it.
    let lacking = functions
        .iter()
        .filter_map(|function| Some((promised(&range, &node_api::without(function))?, *function)));
    let lacking: Vec<(Version, &str)> = lacking.collect();
    let (severity, what) = if let Some(release) = lacking.iter().map(|(release, _)| release).min() {
        let names: Vec<&str> =
            lacking.iter().filter(|(lacks, _)| lacks == release).map(|(_, function)| *function).collect();
        let (first, more) = (names.first().copied().unwrap_or_default(), names.len().saturating_sub(1));
        let plural = if more == 1 { "" } else { "s" };
        let more = if more == 0 { String::new() } else { format!(" and {more} more function{plural}") };
        (Severity::Error, format!("{release}, which lacks {first}{more}: {}", failure(subject)))
    } else if let Some(release) = promised(&range, &node_api::lacking(newest)) {
        (Severity::Warning, format!("{release}, which has these functions only as experimental functions"))
    } else if promised(&range, &node_api::lacking(needed_by_package(subject))).is_some() {
        // Another addon of the package needs a newer version.
        return vec![info];
    } else {
        let remedy = "keep package.json's engines within these releases".to_owned();
        return vec![Problem { remedy, ..info }];
    };
    vec![Problem {
        severity,
        message: format!(
            "the addon needs Node-API {newest} ({releases}), but package.json's engines promise Node {what}"
        ),
        evidence: format!("engines.node \"{promise}\"; {evidence}"),
        remedy,
    }]
}

/// Returns the consequence of a missing function, as a clause.
fn failure(subject: &Subject<'_>) -> &'static str {
    match subject.facts.elf() {
        Some(elf) if !elf.bind_now => {
            "Node ends with \"undefined symbol\" (\"symbol lookup error\") at the first call"
        }
        Some(_) => "require() fails with \"undefined symbol\"",
        None if subject.facts.macho().is_some() => "require() fails with \"symbol not found\"",
        None => {
            "require() fails with \"The specified procedure could not be found\", or the first call crashes"
        }
    }
}

fn at_run_time() -> Problem {
    Problem {
        severity: Severity::Info,
        message: "the addon imports no Node-API function: it looks up its functions at run time, so the needed version is unknown"
            .to_owned(),
        evidence: format!("exports {}, and no import begins with napi_ or node_api_", node_api::ENTRY),
        remedy: "name the tested Node releases in package.json's engines".to_owned(),
    }
}

/// Returns the oldest release in `gaps` that `range` admits; None for a range that admits every release.
fn promised(range: &Range, gaps: &[Releases]) -> Option<Version> {
    if admits_every_release(range) {
        return None;
    }
    let text =
        |version: &crate::version::Version| format!("{}.{}.{}", version.major, version.minor, version.patch);
    let releases = gaps.iter().filter_map(|Releases { from, before }| {
        let gap = format!(">={} <{}", text(from), text(before));
        range.intersect(&Range::parse(gap).ok()?)?.min_version()
    });
    // The function treats a pre-release as the release that it precedes.
    releases.min().map(|release| Version::from((release.major, release.minor, release.patch)))
}

/// Returns the releases that have a version of Node-API and that a range promises; without a range, all that have the version.
fn engines_within(version: usize, promised: Option<&Range>) -> String {
    let all = engines(version);
    let Some(promised) = promised else { return all };
    // An alternative that ends before the promise begins would widen the promise.
    let parts = all.split(" || ").filter_map(|part| Some((part, Range::parse(part).ok()?)));
    let within: Vec<String> = parts
        .filter_map(|(part, range)| {
            let both = range.intersect(promised)?;
            Some(if promised.allows_all(&range) { part.to_owned() } else { both.to_string() })
        })
        .collect();
    if within.is_empty() { all } else { within.join(" || ") }
}

/// Returns the range of exactly the releases that have a version of Node-API.
fn engines(version: usize) -> String {
    let gaps = node_api::lacking(version);
    let mut ranges = Vec::new();
    for (position, Releases { before: start, .. }) in gaps.iter().enumerate() {
        ranges.push(match gaps.get(position + 1) {
            Some(Releases { from: end, .. }) => format!(">={start} <{end}"),
            None => format!(">={start}"),
        });
    }
    ranges.join(" || ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::addon::Addon;
    use crate::facts::{Details, ElfFacts, Facts};
    use crate::manifest::Manifest;
    use crate::policy::Policy;

    /// Checks an addon whose package.json has these engines.
    fn check_with_engines(facts: Facts, node: &str) -> Vec<Problem> {
        let package = Arc::new(Manifest { node: Some(node.to_owned()), ..Manifest::default() });
        let addon = Addon { package: Some(package), ..Addon::unplaced(PathBuf::new(), vec![facts]) };
        check(&Subject::new(&addon, &addon.facts[0], None, &Policy::default()))
    }

    /// Checks an addon with these imports, whose package.json has these engines.
    fn findings(imports: &[&str], node: &str, bind_now: bool) -> Vec<Problem> {
        let facts = Facts {
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
            exports: vec![node_api::ENTRY.to_owned()],
            ..Facts::empty(Details::Elf(ElfFacts { bind_now, ..ElfFacts::default() }))
        };
        check_with_engines(facts, node)
    }

    /// A million repetitions of one name, in 28 MB, took ten seconds.
    #[test]
    fn a_repeated_function_is_judged_once() {
        let found = findings(&["napi_create_bigint_words"; 3], ">=8", false);
        assert!(found[0].evidence.ends_with("imports napi_create_bigint_words"), "{}", found[0].evidence);
    }

    #[test]
    fn engines_that_promise_a_too_old_node_are_an_error() {
        for (function, node, release) in [
            ("node_api_symbol_for", ">=16", "16.0.0"),
            ("node_api_symbol_for", ">=16.13.1", "16.13.1"),
            ("node_api_symbol_for", "^16.15.0 || >=17", "17.0.0"),
            ("node_api_symbol_for", "14", "14.0.0"),
            ("node_api_symbol_for", "16.14.2", "16.14.2"),
            ("node_api_symbol_for", "<30", "0.10.0"),
            ("node_api_symbol_for", ">= 10", "10.0.0"),
            ("node_api_create_property_key_utf8", ">=20", "20.0.0"),
            ("node_api_create_property_key_utf8", "^20.18.0 || >=21", "21.0.0"),
            ("napi_object_seal", "^12.22 || >=13", "13.0.0"),
            ("napi_set_instance_data", ">=12", "12.0.0"),
            ("napi_create_function", ">=7", "7.0.0"),
        ] {
            let found = findings(&[function, "napi_get_version"], node, false);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{function} {node}");
            let expected = format!("promise Node {release}, which lacks {function}");
            assert!(found[0].message.contains(&expected), "{node}: {}", found[0].message);
            assert!(found[0].evidence.contains(node) && found[0].evidence.contains(function));
        }
    }

    #[test]
    fn a_promised_release_with_an_experimental_function_is_a_warning() {
        for (function, node, release) in [
            ("node_api_symbol_for", ">=18", "18.0.0"),
            ("node_api_symbol_for", "^18.17.0 || >=19", "19.0.0"),
            ("node_api_create_property_key_utf16", "^20.12.0 || >=22.14", "20.12.0"),
            ("napi_add_finalizer", ">= 12", "12.0.0"),
            ("napi_object_seal", ">=14.17.0", "15.0.0"),
        ] {
            let found = findings(&[function], node, false);
            assert_eq!(
                (found.len(), found[0].severity),
                (1, Severity::Warning),
                "{function} {node}: {found:?}"
            );
            let expected = format!("promise Node {release}, which has these functions only as experimental");
            assert!(found[0].message.contains(&expected), "{node}: {}", found[0].message);
        }
    }

    #[test]
    fn engines_that_promise_only_new_releases_leave_the_info() {
        for (function, node) in [
            ("node_api_symbol_for", ">=18.17 <19 || >=20.3"),
            ("node_api_symbol_for", "^18.17.0 || ^20.3.0 || >=21.0.0"),
            ("node_api_symbol_for", ">=22"),
            ("node_api_symbol_for", "*"),
            ("node_api_symbol_for", ""),
            ("node_api_symbol_for", ">=0"),
            ("node_api_symbol_for", ">= v22.x || ^ 20.3"),
            ("napi_object_seal", ">=18"),
            ("napi_object_seal", "12.22 - 12.99 || 14.17 - 14.99 || >=16"),
            ("napi_wrap", ">=6.14.2 <7 || >=8.6"),
        ] {
            let found = findings(&[function], node, false);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Info), "{function} {node}: {found:?}");
        }
    }

    /// The remedy for `>= 12.0.0` suggested a range that begins at 10.20.
    #[test]
    fn the_remedy_stays_within_the_promise() {
        let remedy = |promise: &str| engines_within(6, range(promise).as_ref());
        for (promise, expected) in [
            (">= 12.0.0", ">=12.17 <13.0 || >=14.0"),
            (">=16", ">=16.0.0"),
            ("*", ">=10.20 <11.0 || >=12.17 <13.0 || >=14.0"),
            // No promised release has the functions.
            ("^8", ">=10.20 <11.0 || >=12.17 <13.0 || >=14.0"),
        ] {
            assert_eq!(remedy(promise), expected, "{promise}");
        }
    }

    /// The info once suggested `>=22.0.0`, which an error about the declared version forbids.
    #[test]
    fn no_remedy_suggests_a_range_that_an_error_forbids() {
        let addon = |declared| Facts {
            imports: vec!["napi_object_seal".to_owned()],
            exports: vec![node_api::ENTRY.to_owned()],
            ..Facts::empty(Details::Elf(ElfFacts { node_api: declared, ..ElfFacts::default() }))
        };
        let set = "set \"engines\": { \"node\": \">=22.14 <23.0 || >=23.6\" } in package.json";
        let found = check_with_engines(addon(Some(10)), ">=22");
        let severities: Vec<Severity> = found.iter().map(|problem| problem.severity).collect();
        assert_eq!(severities, [Severity::Error, Severity::Info]);
        assert!(found.iter().all(|problem| problem.remedy.ends_with(set)), "{found:?}");
        // The suggested range removes the error.
        let found = check_with_engines(addon(Some(10)), ">=22.14 <23.0 || >=23.6");
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info), "{found:?}");
        assert_eq!(found[0].remedy, "keep package.json's engines within these releases");
        let found = check_with_engines(addon(None), ">=22");
        assert_eq!(found[0].remedy, "keep package.json's engines within these releases");
    }

    /// The range in the remedy removes the finding.
    #[test]
    fn the_range_in_the_remedy_is_exact() {
        for (version, function) in [
            (1, "napi_wrap"),
            (3, "napi_fatal_exception"),
            (6, "napi_set_instance_data"),
            (8, "napi_object_seal"),
            (9, "node_api_symbol_for"),
            (10, "node_api_create_property_key_utf8"),
        ] {
            assert_eq!(findings(&[function], &engines(version), false)[0].severity, Severity::Info);
        }
        assert_eq!(engines(6), ">=10.20 <11.0 || >=12.17 <13.0 || >=14.0");
    }

    #[test]
    fn a_declared_version_that_a_promised_node_does_not_know_is_an_error() {
        for (declared, node, release) in [
            (10, ">=16.17.0", Some("18.17.0")),
            (10, ">=20", Some("20.2.0")),
            (10, ">=20.3", Some("20.3.0")),
            (10, "^22.12", Some("22.12.0")),
            // These releases do not read the declared version, or know it.
            (10, ">=16 <18.17 || ~20.1 || >=24", None),
            (10, "*", None),
            (9, ">=16", None),
            (8, ">=10", None),
            // The experimental version, which every Node accepts.
            (0x7fff_ffff, ">=16", None),
        ] {
            let elf = ElfFacts { node_api: Some(declared), ..ElfFacts::default() };
            let exports = vec![node_api::ENTRY.to_owned()];
            let found = check_with_engines(Facts { exports, ..Facts::empty(Details::Elf(elf)) }, node);
            let error = found.iter().find(|problem| problem.severity == Severity::Error);
            assert_eq!(error.is_some(), release.is_some(), "{declared} {node}: {found:?}");
            if let (Some(error), Some(release)) = (error, release) {
                assert!(
                    error.message.contains(&format!("promise Node {release}, which")),
                    "{}",
                    error.message
                );
            }
        }
    }

    #[test]
    fn engines_that_are_not_a_range_are_a_warning() {
        let long = "1 || ".repeat(1000);
        for node in [
            "node 18",
            "latest",
            ">=18 and up",
            "||| x",
            "\u{e9}18",
            "v",
            ">=",
            "18 -",
            "- 18",
            "> > 1",
            "||a",
            long.as_str(),
        ] {
            let found = findings(&["napi_object_seal"], node, false);
            assert_eq!(found.len(), 2, "{node}: {found:?}");
            assert_eq!(found[1].severity, Severity::Warning, "{node}");
        }
    }

    #[test]
    fn the_consequence_depends_on_when_imports_are_bound() {
        let message = |bind_now| findings(&["node_api_symbol_for"], ">=16", bind_now).remove(0).message;
        assert!(message(true).contains("require() fails"), "{}", message(true));
        assert!(message(false).contains("at the first call"), "{}", message(false));
    }
}
