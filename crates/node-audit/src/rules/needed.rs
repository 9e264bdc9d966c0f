//! Only libraries that every system of the platform has are needed.

use super::{Check, Problem, Rule, Subject};
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "needed",
    asks: "every library that is needed is one that each system of the platform has",
    severity: Severity::Error,
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
    let facts = subject.facts;
    if facts.elf().is_none() {
        return Vec::new();
    }
    let outside = facts.libraries.iter().filter(|library| !allowed(subject, library));
    outside
        .map(|library| Problem {
            severity: Severity::Error,
            message: message(subject, library),
            evidence: format!("DT_NEEDED {library}"),
            remedy: remedy(library),
        })
        .collect()
}

fn allowed(subject: &Subject<'_>, library: &str) -> bool {
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

fn message(subject: &Subject<'_>, library: &str) -> String {
    if library.contains('/') {
        return format!("it loads {library} by its path on the machine that built it");
    }
    let systems = match subject.libc {
        Some(Libc::Glibc) => "glibc systems",
        Some(Libc::Musl) => "musl systems",
        None => "Linux systems",
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
        _ => "link it statically, or do without it".to_owned(),
    }
}
