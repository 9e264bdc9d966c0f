//! A library's install name contains no path of the machine that built it.

use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;
use crate::search_path::is_build_directory;

pub(super) const RULE: Rule = Rule {
    id: "install-name",
    asks: "LC_ID_DYLIB contains no path of the machine that built the file",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "LC_ID_DYLIB is the path under which other files load a dynamic library: a linker copies it into them. For a \
        cdylib, Rust writes the path of the build directory. Node opens the addon by its own path, so the addon loads; but \
        the path reveals the builder's directories, differs from one build machine to the next, and the loader may later \
        take the addon for another library of that path.\n\
        Set a name when linking: -install_name @rpath/NAME.node (with Rust: -C \
        link-arg=-Wl,-install_name,@rpath/NAME.node), or link a bundle, which has none. For a finished file: \
        install_name_tool -id @rpath/NAME.node FILE, then codesign --sign - FILE.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let name = subject.facts.macho().and_then(|facts| facts.install_name.as_deref());
    let Some(name) = name.filter(|name| name.starts_with('/')) else { return Vec::new() };
    let (severity, directory) = if is_build_directory(name) {
        (Severity::Error, "a directory of the build machine")
    } else {
        (Severity::Warning, "a directory into which no package installs")
    };
    vec![Problem {
        severity,
        message: format!("the addon's install name is in {directory}"),
        evidence: format!("LC_ID_DYLIB {name}"),
        remedy: "link with -install_name @rpath/NAME.node, or change the name: install_name_tool -id @rpath/NAME.node \
                 FILE, then sign again"
            .to_owned(),
    }]
}
