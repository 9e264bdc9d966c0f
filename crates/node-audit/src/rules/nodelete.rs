//! Checks that an addon stays loaded if its code runs when a thread ends.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "nodelete",
    asks: "an addon with thread-local destructors stays loaded (DF_1_NODELETE)",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "When a worker ends, Node closes the addons that the worker opened, and closing the last handle unmaps \
        the addon's code. Destructors of thread-local values run later, when the worker's thread ends, and the process \
        dies with a segmentation fault. This applies to keys of pthread_key_create, which C libraries, memory allocators \
        and Rust's standard library create. Destructors that are registered with __cxa_thread_atexit_impl (C++'s \
        thread_local) are safe on glibc, which keeps their library loaded until they have run. On musl, the rule reports \
        nothing, since musl never unmaps a library.\n\
        Link with -Wl,-z,nodelete; in Rust, from build.rs: cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete.",
    check: Check::Addon(check),
};

/// Functions that create keys whose destructors glibc does not count.
const KEYS: [&str; 2] = ["pthread_key_create", "tss_create"];

/// Functions that register destructors that glibc counts.
const COUNTED: [&str; 2] = ["__cxa_thread_atexit_impl", "__cxa_thread_atexit"];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(elf) = subject.linux() else { return Vec::new() };
    // musl's dlclose does nothing.
    if elf.nodelete || subject.libc == Some(Libc::Musl) {
        return Vec::new();
    }
    let imported = |names: &[&'static str]| -> Vec<&'static str> {
        let imports = &subject.facts.imports;
        names.iter().copied().filter(|name| imports.iter().any(|import| import == name)).collect()
    };
    let (keys, counted) = (imported(&KEYS), imported(&COUNTED));
    let (severity, message) = if !keys.is_empty() {
        let message = "the last worker that uses the addon unloads it; if the addon's thread-local keys have \
                       destructors, the thread calls them afterwards, and the process dies with a segmentation fault";
        (Severity::Warning, message)
    } else if counted.is_empty() {
        return Vec::new();
    } else {
        let message = "the last worker that uses the addon unloads it; glibc waits until the addon's thread-local \
                       destructors have run, since __cxa_thread_atexit_impl registers them";
        (Severity::Info, message)
    };
    let names = [keys, counted].concat();
    vec![Problem {
        severity,
        message: message.to_owned(),
        evidence: format!("imports {}, without DF_1_NODELETE", first_names(&names)),
        remedy: "link with -Wl,-z,nodelete; in Rust, from build.rs: \
                 cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete"
            .to_owned(),
    }]
}
