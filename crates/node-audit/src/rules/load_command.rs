//! Checks that macOS finds every library that is loaded with the addon.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Dylib, DylibKind, MachOFacts};
use crate::finding::Severity;
use crate::neighbours::Presence;
use crate::policy::matches_any;
use crate::search_path::{from_loader, in_rpath, is_build_directory};

pub(super) const RULE: Rule = Rule {
    id: "load-command",
    asks: "every library belongs to macOS or comes with the package, and no directory of the build machine is searched",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Each LC_LOAD_DYLIB command names a library by the path that the loader opens. A path of Homebrew or of \
        the build machine does not exist on other machines, and require() fails there: Library not loaded: \
        /opt/homebrew/opt/openssl@3/lib/libssl.3.dylib. The loader resolves @loader_path to the addon's own directory, \
        @rpath to each directory of the LC_RPATH commands, and @executable_path to Node's directory, which no package \
        knows. A missing optional library (LC_LOAD_WEAK_DYLIB) does not stop loading, but calls into it fail. If an \
        LC_RPATH names a directory of the build machine, anyone who can create that directory decides which library is \
        loaded.\n\
        Link the library statically, or ship it in the package and change its path: install_name_tool -change OLD \
        @loader_path/NAME FILE. Remove a directory with install_name_tool -delete_rpath DIRECTORY FILE. Both commands \
        break the signature; codesign --sign - FILE renews it. The rule also checks the libraries that come with the \
        package.",
    check: Check::Loaded(check),
};

const REMOVE: &str = "remove the directory: install_name_tool -delete_rpath DIRECTORY FILE, then sign again";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.macho() else { return Vec::new() };
    let dylibs = facts.dylibs.iter().filter(|dylib| !subject.finds(&dylib.path));
    let dylibs = dylibs.filter_map(|dylib| library(subject, facts, dylib));
    // A missing directory does not keep any library from loading.
    let rpaths = facts.rpaths.iter().filter(|_| subject.library.is_none());
    dylibs.chain(rpaths.filter_map(|rpath| directory(subject, rpath))).collect()
}

/// The result of the search for a library.
enum Lookup {
    /// The system has the library, or the library comes with the addon.
    Present,
    /// Another package must provide the library.
    Outside,
    /// The loader does not find the library; the string is the reason, as a clause.
    Absent(String),
}

fn library(subject: &Subject<'_>, facts: &MachOFacts, dylib: &Dylib) -> Option<Problem> {
    let Dylib { path, kind } = dylib;
    let weak = *kind == DylibKind::Weak;
    let command = match kind {
        DylibKind::Required => "LC_LOAD_DYLIB",
        DylibKind::Weak => "LC_LOAD_WEAK_DYLIB",
        DylibKind::Reexported => "LC_REEXPORT_DYLIB",
        DylibKind::Other => "LC_LOAD_UPWARD_DYLIB or LC_LAZY_LOAD_DYLIB",
    };
    let searched = if path.starts_with("@rpath/") { &facts.rpaths[..] } else { &[] };
    let evidence = match searched {
        [] => format!("{command} {path}"),
        rpaths => format!("{command} {path}, with LC_RPATH {}", first_names(rpaths)),
    };
    let (severity, message, remedy) = match find(subject, searched, path) {
        Lookup::Present => return None,
        Lookup::Outside if weak => return None,
        Lookup::Outside => (
            Severity::Warning,
            format!(
                "the addon loads {path} from outside of its package: another package must provide the library"
            ),
            "add a dependency on the package that has the library at this path",
        ),
        Lookup::Absent(reason) if weak => (
            Severity::Warning,
            format!("the addon works only partly without {path}: {reason}"),
            "link the library statically, or ship it in the package and load it by @loader_path",
        ),
        Lookup::Absent(reason) => (
            Severity::Error,
            format!("the addon needs {path}, which macOS does not find: {reason}"),
            "link the library statically, or ship it in the package and load it by @loader_path",
        ),
    };
    Some(Problem { severity, message, evidence, remedy: remedy.to_owned() })
}

fn find(subject: &Subject<'_>, rpaths: &[String], path: &str) -> Lookup {
    if let Some(name) = path.strip_prefix("@rpath/") {
        if rpaths.is_empty() {
            return Lookup::Absent("the file has no LC_RPATH".to_owned());
        }
        // The loader takes the first library that exists.
        let mut found = Lookup::Absent("the library is not in any of the LC_RPATH directories".to_owned());
        for rpath in rpaths {
            match find_plain(subject, &in_rpath(rpath, name)) {
                Lookup::Present => return Lookup::Present,
                Lookup::Outside => found = Lookup::Outside,
                Lookup::Absent(_) => {}
            }
        }
        return found;
    }
    find_plain(subject, path)
}

/// Looks up a path without @rpath.
fn find_plain(subject: &Subject<'_>, path: &str) -> Lookup {
    let absent = |reason: &str| Lookup::Absent(reason.to_owned());
    if let Some(relative) = from_loader(path) {
        return match subject.neighbours.find(relative) {
            Presence::Present => Lookup::Present,
            Presence::Outside => Lookup::Outside,
            Presence::Absent => absent("the package has no such file"),
        };
    }
    if is_system(subject, path) {
        return Lookup::Present;
    }
    if path.starts_with("@executable_path/") {
        return absent("the path is beside the node executable, where no package can put a library");
    }
    if path.starts_with('/') {
        return absent("the path belongs to the build machine, not to macOS");
    }
    absent("the path is relative to the directory in which Node was started")
}

/// Returns whether every macOS has a path; refuses `..`, which could lead out of the system's directories.
fn is_system(subject: &Subject<'_>, path: &str) -> bool {
    // Swift's compiler always adds this directory, which contains only Swift's own libraries.
    let swift = path
        .strip_prefix("/usr/lib/swift/")
        .is_none_or(|name| name.is_empty() || name.starts_with("libswift"));
    swift && matches_any(&subject.policy.allowed.macos, path) && !path.split('/').any(|part| part == "..")
}

/// Returns the problem with a directory of LC_RPATH.
fn directory(subject: &Subject<'_>, rpath: &str) -> Option<Problem> {
    let inside =
        |token: &str| rpath == token || rpath.strip_prefix(token).is_some_and(|rest| rest.starts_with('/'));
    // These directories belong to the package or the system. `library` checks the libraries in these directories.
    if inside("@loader_path") || is_system(subject, &format!("{}/", rpath.trim_end_matches('/'))) {
        return None;
    }
    let (severity, message) = if is_build_directory(rpath) {
        (
            Severity::Error,
            format!("the loader searches for libraries in {rpath}, a directory of the build machine"),
        )
    } else if inside("@executable_path") {
        (
            Severity::Warning,
            format!("the loader searches for libraries in {rpath}, which is beside the node executable"),
        )
    } else if rpath.starts_with('/') {
        (
            Severity::Warning,
            format!("the loader searches for libraries in {rpath}, which not every macOS has"),
        )
    } else {
        (
            Severity::Error,
            format!(
                "the loader searches for libraries in ./{rpath}, relative to the directory in which Node was started: \
                 the owner of that directory decides which library is loaded"
            ),
        )
    };
    let evidence = format!("LC_RPATH {rpath}");
    Some(Problem { severity, message, evidence, remedy: REMOVE.to_owned() })
}
