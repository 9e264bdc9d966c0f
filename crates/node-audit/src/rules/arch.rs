//! Format, machine and C library are those of the claimed platform.

use node_targets::{Libc, Os};

use super::{Problem, Rule, Subject};
use crate::facts::Facts;
use crate::finding::Severity;

pub(super) const RULE: Rule =
    Rule { id: "arch", asks: "format, machine and C library match the platform that the file claims", check };

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Subject { facts, claimed, .. } = subject;
    let mut problems = Vec::new();
    let mut problem = |severity, message: String, remedy: &str| {
        problems.push(Problem { severity, message, evidence: describe(facts), remedy: remedy.to_owned() });
    };
    if !facts.shared_object || facts.executable {
        let message = "it is no shared object, and Node can open no other file as an addon".to_owned();
        problem(Severity::Error, message, "link it with -shared (crate type cdylib in Rust)");
    }
    let Some(claimed) = claimed else {
        let message = "the file's name claims no platform; it was held against what it is itself".to_owned();
        problem(Severity::Warning, message, "name it like NAME.linux-x64-gnu.node, or pass --platform");
        return problems;
    };
    if claimed.os != Os::Linux {
        let message = format!("it claims {claimed}, but is an ELF file, which only Linux loads");
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
    if let (Some(wanted), Some(actual)) = (claimed.libc, facts.libc)
        && wanted != actual
    {
        let message = format!("it claims {claimed}, but is linked to {}", name(actual));
        let remedy = format!("link it to {}, or rename it", name(wanted));
        problem(Severity::Error, message, &remedy);
    }
    problems
}

fn describe(facts: &Facts) -> String {
    let kind = match (facts.shared_object, facts.executable) {
        (_, true) => "position-independent executable",
        (true, false) => "shared object",
        (false, false) => "file that is no shared object",
    };
    let libc = facts.libc.map_or("no C library", name);
    format!("ELF {kind}, {} bit, {}-endian, {}, linked to {libc}", facts.bits, order(facts), facts.machine)
}

fn order(facts: &Facts) -> &'static str {
    if facts.little_endian { "little" } else { "big" }
}

fn machine(facts: &Facts) -> String {
    let unknown =
        || format!("{} bit {}-endian {}, which Node does not know", facts.bits, order(facts), facts.machine);
    facts.cpu.map_or_else(unknown, |cpu| cpu.to_string())
}

fn name(libc: Libc) -> &'static str {
    match libc {
        Libc::Glibc => "glibc",
        Libc::Musl => "musl",
    }
}
