//! No place in the thread-local block of the program's start is needed.

use super::{Check, Problem, Rule, Subject, few, needed};
use crate::facts::{ElfFacts, StaticTls};
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "static-tls",
    asks: "thread-local variables are not compiled by the initial-exec model",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "By the initial-exec model a thread-local variable lies at a distance from the thread pointer that is \
        fixed when the program starts. musl has no place left for libraries that are opened later, and require() \
        fails: initial-exec TLS resolves to dynamic definition. glibc keeps 1664 bytes for all such libraries \
        together; when they are used up, require() fails: cannot allocate memory in static TLS block. Whether they \
        are depends on what else was loaded, and in which order. Memory allocators (jemalloc, mimalloc) and Go use \
        this model by default; variables of a library that Node itself is linked to may be used in this way.\n\
        Compile with -ftls-model=global-dynamic; jemalloc has --disable-initial-exec-tls, mimalloc \
        MI_LOCAL_DYNAMIC_TLS, and their Rust crates have features for it.",
    check: Check::Addon(check),
};

/// What glibc leaves free by default for libraries that are opened later, in bytes.
const SURPLUS: u64 = 1664;

/// The block is rounded up to a multiple of this, so that a few bytes more may fit: 1680 do with glibc 2.36.
const ROUNDED: u64 = 64;

const REMEDY: &str = "compile with -ftls-model=global-dynamic; for an allocator: jemalloc's \
                      --disable-initial-exec-tls, mimalloc's MI_LOCAL_DYNAMIC_TLS";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(elf) = subject.linux() else { return Vec::new() };
    let tls = &elf.static_tls;
    let found = if tls.own > 0 {
        Some(own(subject.libc, tls))
    } else if !tls.foreign.is_empty() {
        // Node is linked to the system's libraries, or they to each other: their variables have their place by then.
        let loaded_with_it =
            subject.facts.libraries.iter().any(|library| !needed::of_the_system(subject, library));
        loaded_with_it.then(|| foreign(tls))
    } else {
        tls.flag.then(|| {
            let message = "it says that it needs static thread-local memory, though no relocation does";
            (Severity::Warning, message.to_owned())
        })
    };
    let problem = |(severity, message)| {
        let (evidence, remedy) = (evidence(elf), REMEDY.to_owned());
        Problem { severity, message, evidence, remedy }
    };
    found.map(problem).into_iter().collect()
}

fn own(libc: Option<Libc>, tls: &StaticTls) -> (Severity, String) {
    let needs = format!("it needs {} bytes of static thread-local memory", tls.size);
    if libc == Some(Libc::Musl) {
        let message = format!(
            "{needs}, which musl has for libraries of the program's start only: require() fails with \"initial-exec \
             TLS resolves to dynamic definition\""
        );
        (Severity::Error, message)
    } else if tls.size >= SURPLUS + ROUNDED {
        let message = format!(
            "{needs}, more than the {SURPLUS} that glibc has by default: require() fails with \"cannot allocate \
             memory in static TLS block\""
        );
        (Severity::Error, message)
    } else {
        let message = format!(
            "{needs}, of the {SURPLUS} that glibc has for all addons together: where others used them up, require() \
             fails with \"cannot allocate memory in static TLS block\""
        );
        (Severity::Warning, message)
    }
}

fn foreign(tls: &StaticTls) -> (Severity, String) {
    let count = tls.foreign.len();
    let message = format!(
        "it needs {count} thread-local variables of other libraries in static memory, which those must have got when \
         the program started"
    );
    (Severity::Warning, message)
}

fn evidence(elf: &ElfFacts) -> String {
    let StaticTls { flag, own, symbols, foreign, .. } = &elf.static_tls;
    let mut seen = Vec::new();
    let names = if symbols.is_empty() { String::new() } else { format!(": {}", few(symbols)) };
    match own {
        0 => {}
        1 => seen.push(format!("a TPOFF relocation to a variable of its own{names}")),
        own => seen.push(format!("{own} TPOFF relocations to variables of its own{names}")),
    }
    if !foreign.is_empty() {
        seen.push(format!("TPOFF relocations to variables of others: {}", few(foreign)));
    }
    if *flag {
        seen.push("DF_STATIC_TLS".to_owned());
    }
    seen.join("; ")
}
