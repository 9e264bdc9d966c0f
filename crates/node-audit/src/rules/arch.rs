//! Checks that format, machine and C library match the claimed platform.

use super::musl_names::{lacked_by_musl, library_that_musl_lacks};
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Details, ElfFacts, Facts};
use crate::finding::Severity;
use crate::library::Library;
use crate::platform::{Cpu, Libc, Os, Platform};

pub(super) const RULE: Rule = Rule {
    id: "arch",
    asks: "format, machine and C library match the platform that the file claims",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "npm selects packages by os, cpu and libc, and a loader selects a file by its name. The failure of a \
        file for the wrong platform appears only on the user's machine: invalid ELF header, wrong ELF class, or a \
        crash. An addon that is linked to musl does not load on a system with glibc: libc.musl-x86_64.so.1: cannot \
        open shared object file. Conversely, Alpine lacks ld-linux-x86-64.so.2, which most addons for glibc need. An \
        addon that needs only libc.so.6 and its companions loads on Alpine, since musl's loader provides these \
        libraries itself, unless the addon calls a function that musl lacks. Such a file still causes an error if it \
        claims musl. Loaders on both C libraries open a file whose name gives no C library (prebuilds/linux-x64); the \
        rule warns about a file for musl with such a name. glibc refuses an addon or library that was linked with -z \
        nodlopen. The claim comes from the file's name (NAME.linux-x64-musl.node), its folder (prebuilds/linux-x64), \
        the package.json, or --platform. A name that gives only the system (NAME.linux.node) claims no processor.\n\
        Ship the file that was built for the platform, or rename the file.",
    check: Check::Addon(check),
};

const NOOPEN: &str = "is marked as a library that cannot be loaded after the program starts (DF_1_NOOPEN): require() \
                      fails on glibc with \"shared object cannot be dlopen()ed\"";

const LINK_WITHOUT: &str = "link without -z nodlopen";

/// Returns whether glibc refuses to open a file while the program runs. musl ignores the flag.
fn refuses_to_open(subject: &Subject<'_>, facts: &Facts) -> bool {
    subject.libc != Some(Libc::Musl) && subject.linux().is_some() && facts.elf().is_some_and(|elf| elf.noopen)
}

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Subject { facts, claimed, .. } = subject;
    let mut problems = Vec::new();
    let mut problem = |severity, message: String, remedy: &str| {
        problems.push(Problem { severity, message, evidence: describe(facts), remedy: remedy.to_owned() });
    };
    if !facts.loadable {
        let message =
            "the file is not a shared library, and Node loads only shared libraries as addons".to_owned();
        problem(Severity::Error, message, "link the file with -shared (crate type cdylib in Rust)");
    }
    if let Some((mark, words)) = refused_header(subject) {
        let message =
            format!("the addon's header has {mark}, and glibc refuses it: require() fails with \"{words}\"");
        problem(Severity::Error, message, "check the tools that modify the file after linking");
    }
    if refuses_to_open(subject, facts) {
        problem(Severity::Error, format!("the addon {NOOPEN}"), LINK_WITHOUT);
    }
    for library in subject.libraries {
        if library.part(facts.cpu).is_some_and(|part| refuses_to_open(subject, part)) {
            let Library { name, chain, .. } = library;
            let message = format!("{name}, which the addon loads, {NOOPEN}");
            let evidence = format!("{chain}: DF_1_NOOPEN");
            problems.push(Problem {
                severity: Severity::Error,
                message,
                evidence,
                remedy: LINK_WITHOUT.to_owned(),
            });
        }
        if let Some((severity, message, evidence)) = wrong_library(subject, library) {
            let remedy = "ship the library that was built for this platform".to_owned();
            problems.push(Problem { severity, message, evidence, remedy });
        }
    }
    let mut problem = |severity, message: String, remedy: &str| {
        problems.push(Problem { severity, message, evidence: describe(facts), remedy: remedy.to_owned() });
    };
    let Some(claimed) = claimed else {
        let message = "neither the file's name nor its package claims a platform; the file was checked for its own platform"
            .to_owned();
        problem(Severity::Warning, message, "name the file like NAME.linux-x64-gnu.node, or pass --platform");
        return problems;
    };
    let claim = claim(claimed, subject.names_cpu);
    let expected = match claimed.os {
        Os::Darwin => "Mach-O",
        Os::Win32 => "PE",
        Os::Aix => "XCOFF",
        _ => "ELF",
    };
    if facts.format() != expected {
        let (format, system) = loaders(&facts.details);
        let message = format!("the addon claims {claim}, but is {format} file, which only {system} loads");
        problem(
            Severity::Error,
            message,
            "ship the file that was built for this platform, or rename this file",
        );
        return problems;
    }
    if facts.cpu != Some(claimed.cpu) {
        let message = format!("the addon claims {claim}, but is compiled for {}", machine(facts));
        problem(
            Severity::Error,
            message,
            "ship the file that was built for this processor, or rename this file",
        );
    }
    let linked = facts.elf().and_then(|elf| elf.libc);
    // The C libraries of other systems are not recognised.
    let wanted = match (claimed.os, claimed.libc, linked) {
        (Os::Android, ..) => Some(Libc::Bionic),
        (Os::Linux, None, Some(Libc::Bionic)) => Some(Libc::Glibc),
        (_, wanted, _) => wanted,
    };
    if (claimed.os, wanted, linked) == (Os::Linux, None, Some(Libc::Musl)) {
        let message = format!(
            "the addon claims {claim} and no C library, but is linked to musl{}",
            consequence(subject, Libc::Glibc, Libc::Musl)
        );
        problem(
            Severity::Warning,
            message,
            "put musl into the name (linux-x64-musl), or link the addon to glibc",
        );
    }
    if let (Some(wanted), Some(actual)) = (wanted, linked)
        && wanted != actual
    {
        let message = format!(
            "the addon claims {claim}, but is linked to {}{}",
            c_library(actual),
            consequence(subject, wanted, actual)
        );
        let remedy = format!("link the addon to {wanted}, or rename the file");
        problem(Severity::Error, message, &remedy);
    }
    if let Some(actual) = linked
        && lacks(claimed.os, actual)
    {
        let message = format!(
            "the addon claims {claim}, but is linked to {}, which that system lacks: require() fails",
            c_library(actual)
        );
        problem(
            Severity::Error,
            message,
            "ship the file that was built for this system, or rename this file",
        );
    }
    problems
}

/// Returns whether a system other than Linux and Android lacks a C library.
fn lacks(os: Os, libc: Libc) -> bool {
    match os {
        Os::Freebsd | Os::Netbsd | Os::Openbsd | Os::Sunos => true,
        // OpenHarmony's C library is a variant of musl.
        Os::Openharmony => libc == Libc::Glibc,
        _ => false,
    }
}

/// Returns the header field that glibc refuses, and glibc's message. musl does not read these fields.
fn refused_header(subject: &Subject<'_>) -> Option<(String, &'static str)> {
    /// A higher version than any glibc knows for GNU's ABI.
    const VERSIONS: u8 = 16;
    let elf = subject.linux().filter(|_| subject.libc != Some(Libc::Musl))?;
    let ElfFacts { os_abi, abi_version, other_version, .. } = elf;
    if let Some(version) = other_version {
        let words = "ELF file version does not match current one";
        return Some((format!("the ELF version {version}"), words));
    }
    match (*os_abi, *abi_version) {
        (0, 0) | (3, ..VERSIONS) => None,
        (0 | 3, version) => Some((format!("the ABI version {version}"), "ELF file ABI version invalid")),
        // ARM has its own numbers.
        _ if subject.facts.cpu == Some(Cpu::Arm) => None,
        (os_abi, _) => Some((format!("the OS ABI {os_abi}"), "ELF file OS ABI invalid")),
    }
}

/// Returns the reason why a library that comes with the addon is not for the addon's platform.
fn wrong_library(subject: &Subject<'_>, library: &Library) -> Option<(Severity, String, String)> {
    let Library { name, chain, parts, .. } = library;
    let parts = match parts {
        Ok(parts) => parts,
        Err(reason) => {
            let message = format!("{name}, which the addon loads, {reason}");
            return Some((Severity::Error, message, chain.clone()));
        }
    };
    let first = parts.first()?;
    let Some(part) = library.part(subject.facts.cpu) else {
        let message = if first.format() != subject.facts.format() {
            let (format, system) = loaders(&first.details);
            format!("{name}, which the addon loads, is {format} file, which only {system} loads")
        } else if first.loadable {
            let machine = machine(first);
            format!("{name}, which the addon loads, is compiled for {machine}, and the addon is not")
        } else {
            format!("{name}, which the addon loads, is not a shared library")
        };
        return Some((Severity::Error, message, format!("{chain}: {}", describe(first))));
    };
    let actual = part.elf().and_then(|elf| elf.libc)?;
    if Some(actual) == subject.libc || subject.libc.is_none() {
        return None;
    }
    // musl's loader provides glibc's own libraries itself, and `needed` reports the other libraries.
    let lacks = || lacked_by_musl(part, subject.libraries, subject.policy);
    let severity =
        if actual == Libc::Glibc && lacks().is_none() { Severity::Warning } else { Severity::Error };
    let message =
        format!("{name}, which the addon loads, is linked to {}, and the addon is not", c_library(actual));
    Some((severity, message, format!("{chain}: {}", describe(part))))
}

/// Returns a claimed platform in the form of its name: `linux-musl` without a processor.
fn claim(claimed: &Platform, names_cpu: bool) -> String {
    match (names_cpu, claimed.libc) {
        (true, _) => claimed.to_string(),
        (false, None) => claimed.os.to_string(),
        (false, Some(libc)) => format!("{}-{libc}", claimed.os),
    }
}

/// Returns the consequence of a C library that is not the system's, as the end of a clause.
fn consequence(subject: &Subject<'_>, wanted: Libc, actual: Libc) -> String {
    let libraries = &subject.facts.libraries;
    match (wanted, actual) {
        (Libc::Musl, Libc::Glibc) => {
            match library_that_musl_lacks(subject.facts, subject.libraries, subject.policy) {
                Some(library) => format!(": require() fails on a system without {library}, such as Alpine"),
                None => ": musl may refuse the addon, since musl lacks some of glibc's functions".to_owned(),
            }
        }
        (Libc::Glibc, Libc::Musl) => match libraries.iter().find(|library| library.starts_with("libc.")) {
            // On glibc systems, libc.so is a linker script.
            Some(library) if library == "libc.so" => {
                ": require() fails, since no glibc system has such a libc.so".to_owned()
            }
            Some(library) => format!(": require() fails, since no glibc system has {library}"),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn c_library(libc: Libc) -> &'static str {
    match libc {
        Libc::Glibc | Libc::Musl => libc.name(),
        Libc::Bionic => "bionic, Android's C library",
    }
}

/// Returns a format with its article, and the system that loads it.
fn loaders(details: &Details) -> (&'static str, &'static str) {
    match details {
        Details::Elf(_) => ("an ELF", "Linux"),
        Details::MachO(_) => ("a Mach-O", "macOS"),
        Details::Pe(_) => ("a PE", "Windows"),
    }
}

fn describe(facts: &Facts) -> String {
    let Facts { bits, machine, kind, .. } = facts;
    let file = format!("{} {kind}, {bits} bit, {}-endian, {machine}", facts.format(), order(facts));
    match facts.elf() {
        Some(elf) => {
            // The library's file name identifies FreeBSD and other systems.
            let other = facts.libraries.iter().find(|library| library.starts_with("libc.so"));
            let other = other.map_or("no C library", String::as_str);
            let name = match elf.libc {
                Some(libc) => c_library(libc),
                None => other,
            };
            format!("{file}, linked to {name}")
        }
        None => file,
    }
}

fn order(facts: &Facts) -> &'static str {
    if facts.little_endian { "little" } else { "big" }
}

fn machine(facts: &Facts) -> String {
    let unknown =
        || format!("{} bit {}-endian {}, which Node does not know", facts.bits, order(facts), facts.machine);
    facts.cpu.map_or_else(unknown, |cpu| cpu.to_string())
}
