//! Checks that the addon needs only libraries that every system of the platform has.

use super::evidence::first_names;
use super::needed_versions;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::ElfFacts;
use crate::finding::Severity;
use crate::neighbours::Presence;
use crate::platform::Libc;
use crate::search_path::{LIBRARY_FOLDERS, in_entry, searched, system_folder};

pub(super) const RULE: Rule = Rule {
    id: "needed",
    asks: "the addon needs only libraries that every system of the platform has",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Each DT_NEEDED entry names a library that the loader must find on its search path before require() \
        returns. A library of the build machine (OpenSSL, zlib, another version of libsqlite3) may be absent or \
        different on other machines. The rule accepts a library that comes with the package if RPATH or RUNPATH leads \
        to it. The rule also checks which libraries such a library needs, since the addon fails if one of them is \
        missing. On glibc, the library must also have the symbol versions that the addon needs.\n\
        Link the library statically, or ship it in the package with a RUNPATH of $ORIGIN.",
    check: Check::Loaded(check),
};

/// The prefixes of libraries that addons usually link statically.
///
/// These libraries have their own remedy because of libsqlite3-sys, which ignores a failed pkg-config probe and links a
/// shared sqlcipher.
const VENDORED: [&str; 6] = ["libsqlcipher", "libsqlite3", "libssl", "libcrypto", "libzstd", "libz."];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    // The policy has no list for other systems.
    let Some(elf) = subject.linux() else { return Vec::new() };
    let outside = subject.facts.libraries.iter();
    let outside = outside.filter(|library| !subject.system_has(library) && !subject.finds(library));
    let mut problems: Vec<Problem> = outside.filter_map(|library| problem(subject, elf, library)).collect();
    problems.extend(needed_versions::problems(subject, elf));
    problems
}

/// Returns the problem with a library that the system lacks, unless the library comes with the addon.
fn problem(subject: &Subject<'_>, elf: &ElfFacts, library: &str) -> Option<Problem> {
    let missing = Problem {
        severity: Severity::Error,
        message: message(subject, library),
        evidence: format!("DT_NEEDED {library}"),
        remedy: remedy(library),
    };
    if library.contains('/') {
        return Some(missing);
    }
    // The entries that begin in the addon's directory, and whether the library is there.
    let presence = |entry: &String| {
        let mut found = in_entry(entry, library).into_iter().map(|path| subject.neighbours.find(&path));
        let first = found.next()?;
        // One system is enough: a package may be made for one distribution.
        Some(if found.any(|other| other == Presence::Present) { Presence::Present } else { first })
    };
    let ignores = |entry: &String| subject.libc == Some(Libc::Musl) && system_folder(entry).is_some();
    let entries: Vec<(&str, Presence)> = if searched(elf).iter().any(ignores) {
        Vec::new()
    } else {
        searched(elf).iter().filter_map(|entry| Some((entry.as_str(), presence(entry)?))).collect()
    };
    let with = |presence| {
        entries.iter().filter(|entry| entry.1 == presence).map(|entry| entry.0).collect::<Vec<_>>()
    };
    if !with(Presence::Present).is_empty() {
        return None;
    }
    let elsewhere = with(Presence::Outside);
    if !elsewhere.is_empty() {
        return Some(Problem {
            severity: Severity::Warning,
            message: format!(
                "{}; the loader looks for the library outside of the audited files, in {}",
                missing.message,
                first_names(&elsewhere)
            ),
            evidence: searched_evidence(library, elf),
            remedy: "add a dependency on the package that ships the library, and audit the folder that contains both"
                .to_owned(),
        });
    }
    // Searches the usual folders for libraries, even without a RUNPATH.
    let beside = LIBRARY_FOLDERS.map(|folder| format!("{folder}{library}"));
    let beside = beside.into_iter().find(|path| subject.neighbours.find(path) == Presence::Present);
    let absent = with(Presence::Absent);
    let not_found = if absent.is_empty() {
        String::new()
    } else {
        let places = match absent.as_slice() {
            [one] => (*one).to_owned(),
            [one, two] => format!("{one} and {two}"),
            many => format!("{} directories beside the addon", many.len()),
        };
        format!("; the library is not in {places}")
    };
    let Some(path) = beside else {
        let evidence = if absent.is_empty() { missing.evidence } else { searched_evidence(library, elf) };
        let remedy = if absent.is_empty() {
            missing.remedy
        } else {
            "ship the library where RPATH or RUNPATH leads, or install the package that ships it beside this package"
                .to_owned()
        };
        return Some(Problem { message: missing.message + &not_found, evidence, remedy, ..missing });
    };
    let folder = path.strip_suffix(library).unwrap_or_default().trim_end_matches('/');
    let origin = if folder.is_empty() { "$ORIGIN".to_owned() } else { format!("$ORIGIN/{folder}") };
    Some(Problem {
        message: format!(
            "{}{not_found}; the package has the library at {path}, but no RUNPATH leads there",
            missing.message
        ),
        remedy: format!("link with -Wl,-rpath,'{origin}', or patchelf --set-rpath '{origin}' FILE"),
        ..missing
    })
}

fn searched_evidence(library: &str, elf: &ElfFacts) -> String {
    let tag = if elf.runpath.is_empty() { "RPATH" } else { "RUNPATH" };
    format!("DT_NEEDED {library}; {tag} {}", first_names(searched(elf)))
}

fn message(subject: &Subject<'_>, library: &str) -> String {
    if library.contains('/') {
        return format!("the addon loads {library} by its path on the build machine");
    }
    let systems = match subject.libc {
        Some(Libc::Glibc) => "glibc systems",
        Some(Libc::Musl) => "musl systems",
        Some(Libc::Bionic) | None => "Linux systems",
    };
    match library {
        "libgcc_s.so.1" | "libstdc++.so.6" => {
            format!("the addon needs the compiler's run-time library {library}")
        }
        _ => format!("the addon needs {library}, which not all {systems} have"),
    }
}

fn remedy(library: &str) -> String {
    let name = library.rsplit('/').next().unwrap_or(library);
    if VENDORED.iter().any(|start| name.starts_with(start)) {
        return "link the library statically; if the build already requests static linking, check its pkg-config probe: \
                a failed probe makes the linker use the system's shared library"
            .to_owned();
    }
    match name {
        "libgcc_s.so.1" => "link with -static-libgcc, or with zig cc, which links its own copy statically".to_owned(),
        "libstdc++.so.6" => "link with -static-libstdc++".to_owned(),
        _ => "link the library statically, ship it in the package with a RUNPATH of $ORIGIN, or open it at run time (dlopen)"
            .to_owned(),
    }
}
