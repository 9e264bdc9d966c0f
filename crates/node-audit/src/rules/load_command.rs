//! macOS finds every library that is loaded with the addon.

use super::runpath::is_build;
use super::{Check, Problem, Rule, Subject, few};
use crate::beside::Presence;
use crate::facts::{Dylib, DylibKind, MachOFacts};
use crate::finding::Severity;
use crate::policy::listed;

pub(super) const RULE: Rule = Rule {
    id: "load-command",
    asks: "every library is macOS' own or comes with the package, and no directory of the build machine is searched",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Each LC_LOAD_DYLIB command names a library by the path that the loader opens. A path of Homebrew or \
        of the build machine exists there only, and elsewhere require() fails: Library not loaded: \
        /opt/homebrew/opt/openssl@3/lib/libssl.3.dylib. A path that begins with @loader_path is taken from the addon's \
        own directory, one that begins with @rpath from the directories of the LC_RPATH commands; @executable_path is \
        where Node is, which no package knows. A library that may be absent (LC_LOAD_WEAK_DYLIB) does not stop loading, \
        but what is called in it does not work. An LC_RPATH of the build machine lets whoever can create that \
        directory decide what is loaded.\n\
        Link the library statically, or ship it in the package and change its path: install_name_tool -change OLD \
        @loader_path/NAME FILE. Remove a directory with install_name_tool -delete_rpath DIRECTORY FILE. Either one \
        breaks the signature; codesign --sign - FILE renews it.",
    check: Check::Addon(check),
};

const REMOVE: &str = "remove it: install_name_tool -delete_rpath DIRECTORY FILE, then sign again";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.macho() else { return Vec::new() };
    let dylibs = facts.dylibs.iter().filter_map(|dylib| library(subject, facts, dylib));
    dylibs.chain(facts.rpaths.iter().filter_map(|rpath| directory(subject, rpath))).collect()
}

/// Where a library turned out to be.
enum Found {
    /// The system has it, or it comes with the addon.
    Present,
    /// Another package would have to bring it.
    Outside,
    /// The loader finds nothing, for this reason.
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
        rpaths => format!("{command} {path}, with LC_RPATH {}", few(rpaths)),
    };
    let (severity, message, remedy) = match find(subject, searched, path) {
        Found::Present => return None,
        Found::Outside if weak => return None,
        Found::Outside => (
            Severity::Warning,
            format!("it loads {path} from outside of its own package, which another one must bring"),
            "make that package a dependency, in the version that has the library in that place",
        ),
        Found::Absent(reason) if weak => (
            Severity::Warning,
            format!("it works without {path} only in part: {reason}"),
            "link it statically, or ship it in the package and load it by @loader_path",
        ),
        Found::Absent(reason) => (
            Severity::Error,
            format!("it loads {path}: {reason}"),
            "link it statically, or ship it in the package and load it by @loader_path",
        ),
    };
    Some(Problem { severity, message, evidence, remedy: remedy.to_owned() })
}

fn find(subject: &Subject<'_>, rpaths: &[String], path: &str) -> Found {
    if let Some(name) = path.strip_prefix("@rpath/") {
        if rpaths.is_empty() {
            return Found::Absent("no LC_RPATH says where that is".to_owned());
        }
        // The loader takes the first one that is there.
        let mut found = Found::Absent("it is in none of the directories that are searched".to_owned());
        for rpath in rpaths {
            match find_plain(subject, &format!("{}/{name}", rpath.trim_end_matches('/'))) {
                Found::Present => return Found::Present,
                Found::Outside => found = Found::Outside,
                Found::Absent(_) => {}
            }
        }
        return found;
    }
    find_plain(subject, path)
}

/// A path that is not searched for.
fn find_plain(subject: &Subject<'_>, path: &str) -> Found {
    let absent = |reason: &str| Found::Absent(reason.to_owned());
    if let Some(relative) = path.strip_prefix("@loader_path/") {
        return match subject.beside.find(relative.trim_start_matches('/')) {
            Presence::Present => Found::Present,
            Presence::Outside => Found::Outside,
            Presence::Absent => absent("the package has no such file"),
        };
    }
    if is_system(subject, path) {
        return Found::Present;
    }
    if path.starts_with("@executable_path/") {
        return absent("that is beside the node executable, where no package can put it");
    }
    if path.starts_with('/') {
        return absent("that is a path of the machine that built it, not one of macOS");
    }
    absent("that is no whole path, and depends on where Node was started")
}

/// Whether a path is one of those that every macOS has; `..` could lead out of them.
fn is_system(subject: &Subject<'_>, path: &str) -> bool {
    // Swift's compiler adds this directory to those that are searched, whatever is loaded.
    let swift = path
        .strip_prefix("/usr/lib/swift/")
        .is_none_or(|name| name.is_empty() || name.starts_with("libswift"));
    swift && listed(&subject.policy.allowed.macos, path) && !path.split('/').any(|part| part == "..")
}

/// What is wrong with a directory in which libraries are searched for.
fn directory(subject: &Subject<'_>, rpath: &str) -> Option<Problem> {
    let inside =
        |token: &str| rpath == token || rpath.strip_prefix(token).is_some_and(|rest| rest.starts_with('/'));
    // Where nothing is loaded from there, it does no harm; what is loaded from there is looked at by itself.
    if inside("@loader_path") || is_system(subject, &format!("{}/", rpath.trim_end_matches('/'))) {
        return None;
    }
    let (severity, message) = if is_build(rpath) {
        (Severity::Error, format!("libraries are searched for in {rpath}, a directory of the build machine"))
    } else if inside("@executable_path") {
        (Severity::Warning, format!("libraries are searched for in {rpath}, beside the node executable"))
    } else if rpath.starts_with('/') {
        (Severity::Warning, format!("libraries are searched for in {rpath}, which not every macOS has"))
    } else {
        (
            Severity::Error,
            format!(
                "libraries are searched for in ./{rpath}, wherever Node was started: anyone's may be loaded"
            ),
        )
    };
    let evidence = format!("LC_RPATH {rpath}");
    Some(Problem { severity, message, evidence, remedy: REMOVE.to_owned() })
}
