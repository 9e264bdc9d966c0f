//! Checks that a library's install name contains no path of the build machine.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;
use crate::search_path::is_build_directory;

pub(super) const RULE: Rule = Rule {
    id: "install-name",
    asks: "LC_ID_DYLIB contains no path of the build machine",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "LC_ID_DYLIB is the path by which other files load a dynamic library: the linker copies the path into \
        these files. For a cdylib, Rust writes a path in the build directory into this command. Node opens the addon \
        by its own path (dlopen), and the loader ignores the name, so the addon loads. The path reveals the builder's \
        directories and differs from one build machine to the next. The finding is an error if another file of the \
        package loads the addon by this name: the loader then looks for the addon in the build directory.\n\
        Set a name when linking: -install_name @rpath/NAME.node (in Rust: -C \
        link-arg=-Wl,-install_name,@rpath/NAME.node), or link a bundle, which has no install name. For a finished \
        file: install_name_tool -id @rpath/NAME.node FILE, then codesign --sign - FILE.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let name = subject.facts.macho().and_then(|facts| facts.install_name.as_deref());
    let Some(name) = name.filter(|name| name.starts_with('/')) else { return Vec::new() };
    let directory = if is_build_directory(name) {
        "a directory of the build machine"
    } else {
        "a directory that packages do not install into"
    };
    let message = format!("the addon's install name is in {directory}");
    let evidence = format!("LC_ID_DYLIB {name}");
    let (severity, message, evidence) = match subject.linked_by {
        [] => (Severity::Warning, message, evidence),
        files => (
            Severity::Error,
            format!("{message}, and {} of the package loads the addon by this name", first_names(files)),
            format!("{evidence}; LC_LOAD_DYLIB {name} in {}", first_names(files)),
        ),
    };
    vec![Problem {
        severity,
        message,
        evidence,
        remedy: "link with -install_name @rpath/NAME.node, or change the name: install_name_tool -id @rpath/NAME.node \
                 FILE, then sign again"
            .to_owned(),
    }]
}
