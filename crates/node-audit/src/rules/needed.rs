//! Only libraries that every system of the platform has are needed.

use super::{Check, Problem, Rule, Subject, few, runpath};
use crate::beside::Presence;
use crate::facts::ElfFacts;
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "needed",
    asks: "every library that is needed is one that each system of the platform has",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Each DT_NEEDED entry names a library that the loader must find, by its own search path, before \
        require() returns. What stands on the machine that built the addon (OpenSSL, zlib, libsqlite3 in another \
        version) may be absent or different elsewhere. A library that comes with the package counts as present where \
        RPATH or RUNPATH lead to it.\n\
        Link it statically, or ship it in the package with a RUNPATH of $ORIGIN.",
    check: Check::Addon(check),
};

/// Libraries that are mostly meant to be linked statically, by the start of their names.
///
/// libsqlite3-sys is why they are told apart: it ignores a failed pkg-config probe and links a shared sqlcipher.
const VENDORED: [&str; 6] = ["libsqlcipher", "libsqlite3", "libssl", "libcrypto", "libzstd", "libz."];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    // Other systems' libraries are on no list.
    let Some(elf) = subject.linux() else { return Vec::new() };
    let outside = subject.facts.libraries.iter().filter(|library| !of_the_system(subject, library));
    outside.filter_map(|library| problem(subject, elf, library)).collect()
}

/// Whether a library is one that each system of the platform has.
pub(super) fn of_the_system(subject: &Subject<'_>, library: &str) -> bool {
    let allowed = &subject.policy.allowed;
    match subject.libc {
        Some(libc) => {
            // The wrong C library is one fault, and `arch` names it.
            let other = if libc == Libc::Glibc { Libc::Musl } else { Libc::Glibc };
            let linked = subject.facts.elf().and_then(|elf| elf.libc);
            allowed.on(libc, library) || (linked == Some(other) && allowed.on(other, library))
        }
        None => allowed.on(Libc::Glibc, library) || allowed.on(Libc::Musl, library),
    }
}

/// What is wrong with a library that the system lacks; nothing where it comes with the addon.
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
    // Entries that begin beside the addon, and whether the library is there.
    let entries: Vec<(&str, Presence)> = runpath::searched(elf)
        .iter()
        .filter_map(|entry| Some((entry.as_str(), subject.beside.find(&runpath::in_entry(entry, library)?))))
        .collect();
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
                "{}; it is looked for outside of what was given to look at, in {}",
                missing.message,
                few(&elsewhere)
            ),
            evidence: searched_evidence(library, elf),
            remedy: "depend on the package that ships it, and audit the folder where both are installed"
                .to_owned(),
        });
    }
    // In the places where packages put libraries, though no RUNPATH says so.
    let beside = ["", "lib/", "../lib/"].map(|folder| format!("{folder}{library}"));
    let beside = beside.into_iter().find(|path| subject.beside.find(path) == Presence::Present);
    let absent = with(Presence::Absent);
    let searched = if absent.is_empty() {
        String::new()
    } else {
        let places = match absent.as_slice() {
            [one] => (*one).to_owned(),
            [one, two] => format!("{one} and {two}"),
            many => format!("{} directories beside the addon", many.len()),
        };
        format!("; it was looked for in {places}, and is not there")
    };
    let Some(path) = beside else {
        let evidence = if absent.is_empty() { missing.evidence } else { searched_evidence(library, elf) };
        let remedy = if absent.is_empty() {
            missing.remedy
        } else {
            "ship it where RPATH or RUNPATH lead to, or install the package that ships it beside this one"
                .to_owned()
        };
        return Some(Problem { message: missing.message + &searched, evidence, remedy, ..missing });
    };
    let folder = path.strip_suffix(library).unwrap_or_default().trim_end_matches('/');
    let origin = if folder.is_empty() { "$ORIGIN".to_owned() } else { format!("$ORIGIN/{folder}") };
    Some(Problem {
        message: format!(
            "{}{searched}; the package has it in {path}, where no RUNPATH leads",
            missing.message
        ),
        remedy: format!("link with -Wl,-rpath,'{origin}', or patchelf --set-rpath '{origin}' FILE"),
        ..missing
    })
}

fn searched_evidence(library: &str, elf: &ElfFacts) -> String {
    let tag = if elf.runpath.is_empty() { "RPATH" } else { "RUNPATH" };
    format!("DT_NEEDED {library}; {tag} {}", few(runpath::searched(elf)))
}

fn message(subject: &Subject<'_>, library: &str) -> String {
    if library.contains('/') {
        return format!("it loads {library} by its path on the machine that built it");
    }
    let systems = match subject.libc {
        Some(Libc::Glibc) => "glibc systems",
        Some(Libc::Musl) => "musl systems",
        Some(Libc::Bionic) | None => "Linux systems",
    };
    match library {
        "libgcc_s.so.1" | "libstdc++.so.6" => format!("it needs the compiler's run-time library {library}"),
        _ => format!("it needs {library}, which not all {systems} have"),
    }
}

fn remedy(library: &str) -> String {
    let name = library.rsplit('/').next().unwrap_or(library);
    if VENDORED.iter().any(|start| name.starts_with(start)) {
        return "link it statically; if that was asked for, a build script's probe (pkg-config) failed and the linker \
                took the system's shared library"
            .to_owned();
    }
    match name {
        "libgcc_s.so.1" => "link with -static-libgcc, or with zig cc, which brings its own".to_owned(),
        "libstdc++.so.6" => "link with -static-libstdc++".to_owned(),
        _ => "link it statically, ship it in the package with a RUNPATH of $ORIGIN, or open it at run time only (dlopen)"
            .to_owned(),
    }
}
