//! Checks the names that a Mach-O file binds.

use std::collections::{HashMap, HashSet};

use super::super::evidence::short_name;
use super::missing::{Fails, Missing, Wording};
use super::nodes::{Lacking, Nodes};
use super::{Problem, Subject};
use crate::facts::{DylibKind, Facts, ImportedFrom, MachOFacts};
use crate::node_api;
use crate::platform::{Cpu, Os};
use crate::symbol_tables::{Columns, columns_of, lib_system};

/// The C library of macOS.
const LIB_SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

/// The C++ library, whose names [`is_apples`] recognises.
const LIB_CXX: &str = "/usr/lib/libc++.1.dylib";

const REMEDY: &str = "compile and link the file or library that defines the name; to list all such names, link with \
                      -Wl,-undefined,error, and with -Wl,-U,NAME for each name of Node";

fn wording(absent: &str) -> Wording<'_> {
    Wording {
        absent,
        at_once: &|name| format!("require() fails with \"Symbol not found: _{}\"", short_name(name)),
        at_call: &|name| {
            format!("the first call of {} ends the process with \"missing symbol called\"", short_name(name))
        },
        evidence: ["bound when the addon is loaded:", "bound at the first call:"],
        remedy: REMEDY,
    }
}

/// The scope in which the loader looks for a name: the system's libraries, Node, and the libraries that are loaded with
/// the addon.
pub(super) struct Scope<'a> {
    system: Columns,
    nodes: Nodes,
    /// The libraries that come with the addon, by file name.
    libraries: HashMap<&'a str, LibraryNames<'a>>,
    /// The names of the addon and of these libraries.
    own: HashSet<&'a str>,
}

/// The names of a library.
struct LibraryNames<'a> {
    exports: HashSet<&'a str>,
    /// `true` if the library also exports the names of another library.
    reexports: bool,
}

impl<'a> Scope<'a> {
    /// Returns the scope of an addon; None for a processor or a Node whose names are unknown.
    pub(super) fn new(subject: &Subject<'a>) -> Option<Scope<'a>> {
        let cpu = subject.facts.cpu.filter(|cpu| matches!(cpu, Cpu::X64 | Cpu::Arm64));
        if cpu.is_none() || subject.claimed.is_some_and(|platform| platform.os != Os::Darwin) {
            return None;
        }
        let mut own: HashSet<&str> = subject.facts.exports.iter().map(String::as_str).collect();
        let mut libraries = HashMap::new();
        for library in subject.libraries {
            let Some(facts) = library.part(cpu) else { continue };
            let exports: HashSet<&str> = facts.exports.iter().map(String::as_str).collect();
            own.extend(&exports);
            let mut dylibs = facts.macho().into_iter().flat_map(|macho| &macho.dylibs);
            let reexports = dylibs.any(|dylib| dylib.kind == DylibKind::Reexported);
            libraries.insert(library.name.as_str(), LibraryNames { exports, reexports });
        }
        Some(Scope { system: lib_system()?, nodes: Nodes::new(subject, "darwin")?, libraries, own })
    }

    /// Checks the addon, or a library that is loaded with it.
    pub(super) fn check(&self, facts: &Facts) -> Vec<Problem> {
        let Some((macho, bindings)) = facts.macho().and_then(|macho| Some((macho, macho.bindings.as_ref()?)))
        else {
            return Vec::new();
        };
        let mut anywhere = Missing::default();
        let mut problems = Vec::new();
        for binding in bindings {
            // Without two-level namespaces, the loader ignores the place.
            let from = if macho.two_level { &binding.from } else { &ImportedFrom::Any };
            let mut of_library = Missing::default();
            // macOS reports such a name in lzma-native 8.0.6 (addaleax/lzma-native#127): "dyld: missing symbol called".
            for (names, fails) in [(&binding.symbols, Fails::AtOnce), (&binding.lazy, Fails::AtCall)] {
                for name in names {
                    let Some(lacking) = self.lacking(macho, from, name) else { continue };
                    let is_of_library = matches!(from, ImportedFrom::Library(_));
                    let missing = if is_of_library { &mut of_library } else { &mut anywhere };
                    missing.add(fails, lacking, name);
                }
            }
            if let ImportedFrom::Library(library) = from {
                problems.extend(of_library.problems(&wording(&format!("not in {library}")), &self.nodes));
            }
        }
        let absent = format!("not in a loaded library or in {}", self.nodes.text());
        problems.extend(anywhere.problems(&wording(&absent), &self.nodes));
        problems
    }

    /// Returns the releases of Node in which a name is missing; None if a library has the name, or if the name's library
    /// is unknown.
    fn lacking(&self, macho: &MachOFacts, from: &ImportedFrom, name: &str) -> Option<Lacking> {
        // `napi-version` reports the functions of Node-API.
        if node_api::version(name).is_some() {
            return None;
        }
        let columns = columns_of(name);
        match from {
            // The linker found such names in the file itself.
            ImportedFrom::Itself => None,
            ImportedFrom::Program => self.nodes.lacking(columns, name),
            ImportedFrom::Any => {
                let is_there = columns.meets(self.system) || self.own.contains(name);
                let may_be_there = is_apples(name) || self.is_flat_and_open(macho);
                if is_there || may_be_there { None } else { self.nodes.lacking(columns, name) }
            }
            ImportedFrom::Library(library) if library == LIB_SYSTEM => {
                (!columns.meets(self.system)).then_some(Lacking::All)
            }
            ImportedFrom::Library(library) => {
                let dylib = macho.dylibs.iter().find(|dylib| dylib.path == *library)?;
                let names = self.beside(library).filter(|_| dylib.kind != DylibKind::Weak)?;
                (!names.reexports && !names.exports.contains(name)).then_some(Lacking::All)
            }
        }
    }

    /// Returns whether the loader searches all libraries for every name, and the names of one of these libraries are
    /// unknown.
    ///
    /// With two-level namespaces, a name without a library is a name that the linker found in no library.
    fn is_flat_and_open(&self, macho: &MachOFacts) -> bool {
        let is_known = |path: &str| path == LIB_SYSTEM || path == LIB_CXX || self.beside(path).is_some();
        !macho.two_level && !macho.dylibs.iter().all(|dylib| is_known(&dylib.path))
    }

    /// Returns a library that comes with the addon.
    fn beside(&self, path: &str) -> Option<&LibraryNames<'a>> {
        let is_beside = path.starts_with("@rpath/") || path.starts_with("@loader_path/");
        self.libraries.get(path.rsplit('/').next().filter(|_| is_beside)?)
    }
}

/// Returns whether a name may belong to a library that Node itself loads: the C++ library, Objective-C, or a framework.
///
/// Names of frameworks contain capitals and no underscore (`CFRelease`, `kSecClass`); Node's names have an underscore
/// (`SSL_new`).
fn is_apples(name: &str) -> bool {
    let starts = [
        "_ZNSt",
        "_ZNKSt",
        "_ZSt",
        "_ZTISt",
        "_ZTSSt",
        "_ZTVSt",
        "_ZTTSt",
        "_ZTVN10__cxxabiv1",
        "_ZTIN10__cxxabiv1",
        "_Zn",
        "_Zd",
        "__cxa_",
        "__gxx_",
        "objc_",
        "OBJC_",
        "_objc",
        "__CF",
        "_Block",
        "_NS",
    ];
    let stem = name.strip_prefix('k').unwrap_or(name);
    let mut letters = stem.chars();
    let is_capital = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_uppercase());
    let framework = is_capital(letters.next()) && is_capital(letters.next()) && !name.contains('_');
    // The types of the language: `_ZTIPKc`.
    let builtin = name.strip_prefix("_ZTI").is_some_and(|rest| rest.len() <= 3);
    framework || builtin || starts.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_frameworks_and_of_the_language_are_not_nodes() {
        for name in [
            "CFRelease",
            "kCFAllocatorDefault",
            "NSLog",
            "_ZNSt3__112basic_stringIcE",
            "_Znwm",
            "_ZTIi",
            "objc_msgSend",
        ] {
            assert!(is_apples(name), "{name}");
        }
        for name in [
            "SSL_new",
            "uv_run",
            "some_missing_function",
            "_ZN2v87IsolateE",
            "_ZN3foo3barEv",
            "kind",
            "_ZTI3Foo",
        ] {
            assert!(!is_apples(name), "{name}");
        }
    }
}
