//! Checks that each symbol that the addon needs is in a library or in Node.

mod elf;
mod macho;
mod missing;
mod nodes;
mod pe;

use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Details, Facts};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "undefined-symbols",
    asks: "each symbol that the addon needs is in the C library, in a library that the addon loads, or in Node",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "A linker leaves Node's symbols undefined in an addon. Without a warning, the linker does the same \
        with the symbols of a source file that was not compiled, of a library that was not linked, or of a glibc \
        function that musl lacks (fcntl64). With BIND_NOW, the loader looks up all names when it loads the addon, and \
        require() fails if one is missing: undefined symbol. With lazy binding, the loader looks up a function at its \
        first call, and a missing function ends the process then. A missing variable makes require() fail, except on \
        musl, which leaves the variable's address empty. Weak symbols may be missing. The rule compares the symbols \
        with the newest C library, since glibc-floor reports the symbols that older versions lack. The rule also \
        compares the symbols with the first and the newest release of each line of Node from 20 on, limited to the \
        releases that engines.node in package.json promises; without engines.node, the rule takes only the newest \
        release of each line. An addon with an ABI is compared with the line of this ABI. Each of these releases must \
        export the C++ names of V8 and Node that the addon uses, even if the addon has a Node-API entry point. \
        napi-version reports the functions of Node-API. macOS looks up most names in the library in which the linker \
        found them; the rule knows libSystem and the libraries beside the addon. Names without a library (-undefined \
        dynamic_lookup) must be in Node. On Windows, the rule checks the names that are imported from node.exe. The \
        rule reports nothing for an addon that loads a library with unknown names, for Electron, for the ABI of an \
        unknown Node, for processors other than x64 and arm64 (on Windows: x64), and for other systems.\n\
        Compile and link the file or library that defines the name. Build on the system that the addon is for, with \
        its headers.",
    check: Check::Addon(check),
};

/// Checks the addon, and the libraries that are loaded with it, in the scope of the addon.
fn check(subject: &Subject<'_>) -> Vec<Problem> {
    match &subject.facts.details {
        Details::Elf(elf) => {
            elf::Scope::new(subject, elf).map(|scope| each_file(subject, |file| scope.check(file)))
        }
        Details::MachO(_) => {
            macho::Scope::new(subject).map(|scope| each_file(subject, |file| scope.check(file)))
        }
        Details::Pe(pe) => Some(pe::check(subject, pe)),
    }
    .unwrap_or_default()
}

/// Returns the problems of the addon's file, then the problems of each library's file.
fn each_file<'a>(subject: &Subject<'a>, check: impl Fn(&'a Facts) -> Vec<Problem>) -> Vec<Problem> {
    let mut problems = check(subject.facts);
    for (library, of_library) in subject.of_libraries() {
        problems.extend(check(of_library.facts).into_iter().map(|problem| problem.of_library(library)));
    }
    problems
}
