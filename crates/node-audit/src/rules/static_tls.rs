//! Checks that the addon needs no initial-exec TLS: a library that is opened later may get no space for it.

use super::evidence::{first_names, short_name};
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{ElfFacts, StaticTls};
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "static-tls",
    asks: "thread-local variables do not use the initial-exec model",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "In the initial-exec model, the offset of a thread-local variable from the thread pointer is fixed when \
        the program starts. musl reserves no space for libraries that are opened later, and require() fails: \
        initial-exec TLS resolves to dynamic definition. glibc reserves 1664 bytes for all such libraries together; once \
        the reserve is used up, require() fails: cannot allocate memory in static TLS block. The failure depends on \
        which other libraries were loaded, and in which order. Memory allocators (jemalloc, mimalloc) and Go use this \
        model by default. Variables of a library that Node itself is linked to are safe.\n\
        Compile with -ftls-model=global-dynamic; jemalloc has --disable-initial-exec-tls, mimalloc MI_LOCAL_DYNAMIC_TLS, \
        and their Rust crates have features for it.",
    check: Check::Loaded(check),
};

/// The space that glibc reserves by default for libraries that are opened later, in bytes.
const SURPLUS: u64 = 1664;

/// Each Node rounds its own block up to a multiple of this number, so a few more bytes fit in some releases: with glibc
/// 2.36, 1680 in Node 20 and 1696 in Node 24. Node 22 refuses 1665.
const ALIGNMENT: u64 = 64;

const REMEDY: &str = "compile with -ftls-model=global-dynamic; for an allocator: jemalloc's \
                      --disable-initial-exec-tls, mimalloc's MI_LOCAL_DYNAMIC_TLS";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(elf) = subject.linux() else { return Vec::new() };
    let tls = &elf.static_tls;
    let found = if tls.own > 0 {
        Some(own(subject.libc, tls))
    } else if !tls.foreign.is_empty() {
        // Node loads the system's libraries at its start, so their variables already have space.
        let mut others = subject.facts.libraries.iter().filter(|library| !subject.system_has(library));
        let of_package = |name: &&String| {
            let libraries = subject.loaded.iter().filter_map(|library| library.part(subject.facts.cpu));
            libraries.map(|library| &library.exports).any(|exports| exports.contains(name))
        };
        if subject.libc == Some(Libc::Musl)
            && let Some(name) = tls.foreign.iter().find(of_package)
        {
            Some(of_library(name))
        } else {
            others.next().is_some().then(|| foreign(tls))
        }
    } else {
        tls.flag.then(|| {
            let message =
                "the addon is marked as needing static thread-local memory, though no relocation needs it";
            (Severity::Warning, message.to_owned())
        })
    };
    let problem = |(severity, message)| {
        let (evidence, remedy) = (evidence(subject, elf), REMEDY.to_owned());
        Problem { severity, message, evidence, remedy }
    };
    found.map(problem).into_iter().collect()
}

fn own(libc: Option<Libc>, tls: &StaticTls) -> (Severity, String) {
    let needs = format!("the addon needs {} bytes of static thread-local memory", tls.size);
    if libc == Some(Libc::Musl) {
        let message = format!(
            "{needs}, which musl reserves only for libraries that are loaded when the program starts: require() fails \
             with \"initial-exec TLS resolves to dynamic definition\""
        );
        (Severity::Error, message)
    } else if tls.size > SURPLUS {
        let place = if tls.size < SURPLUS + ALIGNMENT { " in some releases of Node" } else { "" };
        let message = format!(
            "{needs}, more than the {SURPLUS} that glibc reserves by default: require() fails{place} with \"cannot allocate \
             memory in static TLS block\""
        );
        (Severity::Error, message)
    } else {
        let message = format!(
            "{needs}; glibc reserves {SURPLUS} bytes for all addons together: if other addons use them up, require() \
             fails with \"cannot allocate memory in static TLS block\""
        );
        (Severity::Warning, message)
    }
}

/// Returns the problem with a variable of a library that is loaded with the addon.
fn of_library(name: &str) -> (Severity, String) {
    let message = format!(
        "the addon uses the initial-exec model for {}, a variable of a library in the package; musl reserves static \
         thread-local memory only for libraries that are loaded when the program starts: require() fails with \
         \"initial-exec TLS resolves to dynamic definition\"",
        short_name(name)
    );
    (Severity::Error, message)
}

fn foreign(tls: &StaticTls) -> (Severity, String) {
    let count = tls.foreign.len();
    let (variables, work) = if count == 1 { ("variable", "works") } else { ("variables", "work") };
    let message = format!(
        "the addon uses the initial-exec model for {count} thread-local {variables} of other libraries, which {work} only \
         if those libraries are loaded when the program starts"
    );
    (Severity::Warning, message)
}

fn evidence(subject: &Subject<'_>, elf: &ElfFacts) -> String {
    let file = if subject.library.is_some() { "library" } else { "addon" };
    let StaticTls { flag, own, symbols, foreign, .. } = &elf.static_tls;
    let mut seen = Vec::new();
    let names = if symbols.is_empty() { String::new() } else { format!(": {}", first_names(symbols)) };
    match own {
        0 => {}
        1 => seen.push(format!("a TPOFF relocation to a variable of the {file}{names}")),
        own => seen.push(format!("{own} TPOFF relocations to variables of the {file}{names}")),
    }
    if !foreign.is_empty() {
        seen.push(format!("TPOFF relocations to variables of other libraries: {}", first_names(foreign)));
    }
    if *flag {
        seen.push("DF_STATIC_TLS".to_owned());
    }
    seen.join("; ")
}
