//! Checks the undefined symbols of an ELF file.

use std::collections::HashSet;

use super::super::evidence::{first_names, short_name, version_need};
use super::missing::{Fails, Missing, Wording};
use super::nodes::{Lacking, Nodes};
use super::{Problem, Subject};
use crate::facts::{ElfFacts, Facts, References, VersionNeed};
use crate::finding::Severity;
use crate::node_api;
use crate::platform::Libc;
use crate::symbol_tables::{Columns, columns_of, has_library, system};

/// Versions for glibc's internal use, which `glibc-floor` reports.
const PRIVATE: &str = "GLIBC_PRIVATE";

const REMEDY: &str =
    "compile and link the file or library that defines the name; nm -D --undefined-only lists all such names";

const MUSL_REMEDY: &str = "compile with musl's headers, on Alpine or with a compiler for musl: glibc's headers rename \
                           functions (fcntl becomes fcntl64)";

/// The scope in which the loader looks for a name: the system's libraries, Node, and the libraries that are loaded with
/// the addon.
pub(super) struct Scope<'a> {
    libc: Option<Libc>,
    system: Columns,
    nodes: Nodes,
    /// The names of the addon, and of the libraries that come with it.
    own: HashSet<&'a str>,
}

impl<'a> Scope<'a> {
    /// Returns the scope of an addon; None if the scope has a library with unknown names.
    pub(super) fn new(subject: &Subject<'a>, elf: &ElfFacts) -> Option<Scope<'a>> {
        subject.linux()?;
        let cpu = subject.facts.cpu?;
        let system = match (subject.libc, elf.libc) {
            // `arch` reports that the system has no such library.
            (Some(Libc::Glibc), Some(Libc::Musl)) => return None,
            (Some(libc), _) => system(libc, cpu)?,
            // The system may have any C library.
            (None, _) => system(Libc::Glibc, cpu)?.or(system(Libc::Musl, cpu)?),
        };
        let nodes = Nodes::new(subject, "linux")?;
        let mut files = vec![subject.facts];
        let mut names: HashSet<&str> = HashSet::new();
        for library in subject.libraries {
            let facts = library.part(Some(cpu))?;
            names.insert(&library.name);
            names.extend(facts.elf()?.soname.as_deref());
            files.push(facts);
        }
        let is_there = |library: &String| has_library(library) || names.contains(library.as_str());
        if !files.iter().all(|facts| facts.libraries.iter().all(is_there)) {
            return None;
        }
        let own = files.iter().flat_map(|facts| &facts.exports).map(String::as_str).collect();
        Some(Scope { libc: subject.libc, system, nodes, own })
    }

    /// Checks the addon, or a library that is loaded with it.
    pub(super) fn check(&self, facts: &Facts) -> Vec<Problem> {
        let Some((elf, references)) = facts.elf().and_then(|elf| Some((elf, elf.references.as_ref()?)))
        else {
            return Vec::new();
        };
        let is_musl = self.libc == Some(Libc::Musl);
        let unless_now = |lazy| if elf.bind_now { Fails::AtOnce } else { lazy };
        // musl defers a name that it does not find, unless the file has BIND_NOW or the name has a data relocation.
        let address = unless_now(if is_musl { Fails::AtCall } else { Fails::AtOnce });
        let mut missing = Missing::default();
        for (names, fails) in [
            (&references.data, Fails::AtOnce),
            (&references.addresses, address),
            (&references.calls, unless_now(Fails::AtCall)),
        ] {
            for name in names {
                if let Some(lacking) = self.lacking(name) {
                    missing.add(fails, lacking, name);
                }
            }
        }
        let mut problems = self.worded(missing, elf);
        if self.libc == Some(Libc::Glibc) {
            let References { data, addresses, calls } = references;
            let strong: HashSet<&String> = data.iter().chain(addresses).chain(calls).collect();
            let calls: HashSet<&String> = calls.iter().collect();
            let by_version = |need| self.version(need, &strong, |name| !elf.bind_now && calls.contains(name));
            problems.extend(elf.version_needs.iter().filter_map(by_version));
        }
        problems
    }

    /// Returns the releases of Node in which a name is missing; None if a library has the name or another rule reports
    /// it.
    fn lacking(&self, name: &str) -> Option<Lacking> {
        let columns = columns_of(name);
        let is_there = columns.meets(self.system) || self.own.contains(name);
        // `napi-version` reports the functions of Node-API.
        if is_there || node_api::version(name).is_some() { None } else { self.nodes.lacking(columns, name) }
    }

    fn worded(&self, missing: Missing<'_>, elf: &ElfFacts) -> Vec<Problem> {
        let is_musl = self.libc == Some(Libc::Musl);
        let at_once = |name: &str| match (short_name(name), is_musl) {
            (name, true) => format!("require() fails with \"{name}: symbol not found\""),
            (name, false) => format!("require() fails with \"undefined symbol: {name}\""),
        };
        let at_call = |name: &str| match (short_name(name), is_musl) {
            (name, true) => format!("the first use of {name} ends the process with a segmentation fault"),
            (name, false) => {
                format!("the first call of {name} ends the process with \"undefined symbol: {name}\"")
            }
        };
        let libc = if is_musl { "musl" } else { "glibc" };
        let now = if elf.bind_now { " (BIND_NOW)" } else { "" };
        let wording = Wording {
            absent: &format!("not in {libc}, in a loaded library or in {}", self.nodes.text()),
            at_once: &at_once,
            at_call: &at_call,
            evidence: [
                &format!("strong undefined symbols, bound when the addon is loaded{now}:"),
                "strong undefined symbols, bound lazily:",
            ],
            remedy: if is_musl { MUSL_REMEDY } else { REMEDY },
        };
        missing.problems(&wording, &self.nodes)
    }

    /// Returns the problem with names that the system's libraries have, but not in the needed version.
    ///
    /// `strong` are the file's strong imports; `is_lazy` returns whether the loader looks up a name at its first call.
    fn version(
        &self,
        need: &VersionNeed,
        strong: &HashSet<&String>,
        is_lazy: impl Fn(&String) -> bool,
    ) -> Option<Problem> {
        let VersionNeed { library, version, symbols, .. } = need;
        // The floor rules report versions that are too new; such versions are unknown here.
        let is_known_version = columns_of(&format!("@{version}")).meets(self.system);
        if !has_library(library) || version == PRIVATE || !is_known_version {
            return None;
        }
        let wrong = |name: &&String| {
            let columns = columns_of(name);
            strong.contains(name)
                && columns.meets(self.system)
                && self.nodes.lacking(columns, name).is_some()
                && !self.own.contains(name.as_str())
                && !columns_of(&format!("{name}@{version}")).meets(self.system)
        };
        let names: Vec<&String> = symbols.iter().filter(wrong).collect();
        let first = short_name(names.first()?);
        let (severity, consequence) = if names.iter().any(|name| !is_lazy(name)) {
            (Severity::Error, "require() fails with".to_owned())
        } else {
            (Severity::Warning, format!("the first call of {first} ends the process with"))
        };
        Some(Problem {
            severity,
            message: format!(
                "{library} has {} only in a version other than {version}: {consequence} \"symbol {first}, version \
                 {version} not defined in file {library}\"",
                first_names(&names)
            ),
            evidence: version_need(need),
            remedy:
                "link against the glibc and the compiler's libraries of the processor that the addon is for"
                    .to_owned(),
        })
    }
}
