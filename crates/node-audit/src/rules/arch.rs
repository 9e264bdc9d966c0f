//! Format, machine and C library are those of the claimed platform.

use super::{Check, Problem, Rule, Subject};
use crate::facts::{Details, Facts};
use crate::finding::Severity;
use crate::platform::{Libc, Os};

pub(super) const RULE: Rule = Rule {
    id: "arch",
    asks: "format, machine and C library match the platform that the file claims",
    severity: Severity::Error,
    explanation: "npm installs a package by its os, cpu and libc, and a loader picks a file by its name. A file that was \
        built for something else is found on the user's machine only: invalid ELF header, wrong ELF class, or a crash. \
        The claim is taken from the file's name (NAME.linux-x64-musl.node), its directory (prebuilds/linux-x64), the \
        package.json that it belongs to, or --platform.\n\
        Ship the file that was built for the platform, or rename it.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Subject { facts, claimed, .. } = subject;
    let mut problems = Vec::new();
    let mut problem = |severity, message: String, remedy: &str| {
        problems.push(Problem { severity, message, evidence: describe(facts), remedy: remedy.to_owned() });
    };
    if !facts.loadable {
        let message = "it is no shared library, and Node can open no other file as an addon".to_owned();
        problem(Severity::Error, message, "link it with -shared (crate type cdylib in Rust)");
    }
    let Some(claimed) = claimed else {
        let message = "neither the file's name nor its package claims a platform; it was held against what it is itself".to_owned();
        problem(Severity::Warning, message, "name it like NAME.linux-x64-gnu.node, or pass --platform");
        return problems;
    };
    let expected = match claimed.os {
        Os::Darwin => "Mach-O",
        Os::Win32 => "PE",
        Os::Aix => "XCOFF",
        _ => "ELF",
    };
    if facts.format() != expected {
        let (format, system) = loaders(&facts.details);
        let message = format!("it claims {claimed}, but is {format} file, which only {system} loads");
        problem(
            Severity::Error,
            message,
            "ship the file that was built for this platform, or rename this one",
        );
        return problems;
    }
    if facts.cpu != Some(claimed.cpu) {
        let message = format!("it claims {claimed}, but is compiled for {}", machine(facts));
        problem(
            Severity::Error,
            message,
            "ship the file that was built for this processor, or rename this one",
        );
    }
    let linked = facts.elf().and_then(|elf| elf.libc);
    if let (Some(wanted), Some(actual)) = (claimed.libc, linked)
        && wanted != actual
    {
        let message = format!("it claims {claimed}, but is linked to {actual}");
        let remedy = format!("link it to {wanted}, or rename it");
        problem(Severity::Error, message, &remedy);
    }
    problems
}

/// A format with its article, and who loads it.
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
        Some(elf) => format!("{file}, linked to {}", elf.libc.map_or("no C library", Libc::name)),
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
