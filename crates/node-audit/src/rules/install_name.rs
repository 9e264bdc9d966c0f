//! A library's name for itself says nothing of the machine that built it.

use super::runpath::is_build;
use super::{Check, Problem, Rule, Subject};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "install-name",
    asks: "LC_ID_DYLIB names no path of the machine that built the file",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "A dynamic library carries the path under which it wants to be found (LC_ID_DYLIB), and whatever is \
        linked to it copies that path. Rust's cdylib writes the path of the build directory there. Node opens the file \
        by its own path, so that the addon loads all the same; but the path shows the builder's directories, differs \
        from one build machine to the next, and the loader may take the addon for what is asked for by that path \
        later.\n\
        Give it a name of its own when linking: -install_name @rpath/NAME.node (with Rust: -C \
        link-arg=-Wl,-install_name,@rpath/NAME.node), or link a bundle, which has none. Afterwards: install_name_tool \
        -id @rpath/NAME.node FILE, then codesign --sign - FILE.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let name = subject.facts.macho().and_then(|facts| facts.install_name.as_deref());
    let Some(name) = name.filter(|name| name.starts_with('/')) else { return Vec::new() };
    let (severity, whose) = if is_build(name) {
        (Severity::Error, "a directory of the build machine")
    } else {
        (Severity::Warning, "where no package installs it")
    };
    vec![Problem {
        severity,
        message: format!("it says that it is installed in {whose}"),
        evidence: format!("LC_ID_DYLIB {name}"),
        remedy: "link with -install_name @rpath/NAME.node, or change it: install_name_tool -id @rpath/NAME.node FILE, \
                 then sign again"
            .to_owned(),
    }]
}
