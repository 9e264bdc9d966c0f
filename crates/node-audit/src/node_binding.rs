//! The releases that an addon is bound to: every release, or the releases with its ABI.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::name_abi::{AbiClaim, Runtime};
use crate::node_abi::{self, ENTRY_PREFIX};
use crate::node_api;
use crate::version::Version;

/// The first line of Electron with Node 18; few programs use older lines of Electron.
const OLDEST_ELECTRON: u32 = 23;

/// The releases in which an addon loads, judged by its ABI alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeBinding {
    /// Every release with Node-API.
    All,
    /// The releases with this ABI.
    Abi(u32),
    /// The releases of Electron with this ABI, or all releases of Electron. Loaders in Node skip the file.
    Electron(Option<u32>),
    /// NW.js. Loaders in Node skip the file.
    NwJs,
    /// The releases with one ABI, which neither the file nor its name gives.
    Unknown,
}

impl NodeBinding {
    /// Returns the binding of an addon; `facts` are empty if the addon cannot be read.
    pub(crate) fn of(facts: &[Facts], claim: AbiClaim) -> NodeBinding {
        let abi = facts.iter().find_map(abi).or(claim.abi);
        match (claim.runtime, abi) {
            (Some(Runtime::Electron), abi) => return NodeBinding::Electron(abi),
            (Some(Runtime::NwJs), _) => return NodeBinding::NwJs,
            _ => {}
        }
        let is_node_api = facts.iter().any(|part| part.exports.iter().any(|name| name == node_api::ENTRY));
        match abi {
            Some(abi) if claim.is_exact || !is_node_api => NodeBinding::Abi(abi),
            _ if is_node_api || facts.iter().any(registers_node_api) => NodeBinding::All,
            _ => NodeBinding::Unknown,
        }
    }

    /// Returns whether a wanted line of Node may load the addon.
    pub(crate) fn may_load(self, is_wanted: impl Fn(Version) -> bool) -> bool {
        match self {
            NodeBinding::All | NodeBinding::Unknown => true,
            NodeBinding::Abi(abi) => node_abi::node(abi).is_some_and(is_wanted),
            NodeBinding::Electron(_) | NodeBinding::NwJs => false,
        }
    }

    /// Returns the lines of Electron that load the addon; None for a binding to another program or to all lines.
    fn electron(self) -> Option<Vec<Version>> {
        match self {
            // Without a tag, the number is a Node ABI if Node has such an ABI.
            NodeBinding::Abi(abi) if node_abi::node(abi).is_none() => Some(node_abi::electron(abi)),
            NodeBinding::Electron(Some(abi)) => Some(node_abi::electron(abi)),
            _ => None,
        }
    }

    /// Returns whether a release of Electron that is still in wide use loads the addon: one with Node 18 or later.
    pub(crate) fn is_for_current_electron(self) -> bool {
        let is_current = |line: &Version| line.major >= OLDEST_ELECTRON;
        self == NodeBinding::Electron(None)
            || self.electron().is_some_and(|lines| lines.iter().any(is_current))
    }
}

/// Returns the releases of several bindings as text: `Node 12 to 17`, `Electron 15`, `releases with ABI 200`. None if the
/// ABI of a binding is unknown.
///
/// The text names other programs and numbers only if it names no release of Node.
pub(crate) fn releases(bindings: &[NodeBinding]) -> Option<String> {
    if bindings.iter().any(|binding| matches!(binding, NodeBinding::All | NodeBinding::Unknown)) {
        return None;
    }
    let abis = || {
        bindings.iter().filter_map(|binding| match binding {
            NodeBinding::Abi(abi) => Some(*abi),
            _ => None,
        })
    };
    let node: BTreeSet<Version> = abis().filter_map(node_abi::node).collect();
    if !node.is_empty() {
        let steps: Vec<Version> =
            node_abi::node_lines().into_iter().filter(|line| node_abi::is_long_term(*line)).collect();
        return Some(format!("Node {}", ranges(&node, &steps)));
    }
    let mut names = Vec::new();
    let electron: BTreeSet<Version> =
        bindings.iter().filter_map(|binding| binding.electron()).flatten().collect();
    if bindings.contains(&NodeBinding::Electron(None)) {
        names.push("Electron".to_owned());
    } else if !electron.is_empty() {
        names.push(format!("Electron {}", ranges(&electron, &node_abi::electron_lines())));
    }
    names.extend(bindings.contains(&NodeBinding::NwJs).then(|| "NW.js".to_owned()));
    let unknown: BTreeSet<u32> = abis().filter(|abi| node_abi::release(&abi.to_string()).is_none()).collect();
    names.extend(unknown.iter().map(|abi| format!("releases with ABI {abi}")));
    (!names.is_empty()).then(|| listed(&names))
}

/// Returns lines as text: `8 and 12 to 17`. A range contains only consecutive lines of `steps`.
fn ranges(lines: &BTreeSet<Version>, steps: &[Version]) -> String {
    let mut runs: Vec<Vec<Version>> = Vec::new();
    for line in lines {
        let follows = |last: &Version| !steps.iter().any(|step| last < step && step < line);
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(follows) => run.push(*line),
            _ => runs.push(vec![*line]),
        }
    }
    let texts = runs.iter().flat_map(|run| match run.as_slice() {
        [first, .., last] if run.len() > 2 => vec![format!("{} to {}", name(*first), name(*last))],
        few => few.iter().map(|line| name(*line)).collect(),
    });
    listed(&texts.collect::<Vec<_>>())
}

/// Returns `20` of 20.0, and `0.12` of 0.12.
fn name(line: Version) -> String {
    if line.minor == 0 { line.major.to_string() } else { line.to_string() }
}

/// Returns the items as `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [start @ .., last] if !start.is_empty() => format!("{} and {last}", start.join(", ")),
        names => names.concat(),
    }
}

/// Returns the ABI of a part's entry point, or of the module that its constructor registers.
fn abi(facts: &Facts) -> Option<u32> {
    let exported = facts.exports.iter().find_map(|name| name.strip_prefix(ENTRY_PREFIX)?.parse().ok());
    exported.or_else(|| Some(facts.registration?.abi))
}

fn registers_node_api(facts: &Facts) -> bool {
    facts.constructors && facts.imports.iter().any(|name| name == "napi_module_register")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Details, ElfFacts, Registration};

    fn facts(exports: &[&str], imports: &[&str]) -> Facts {
        Facts {
            exports: exports.iter().map(|name| (*name).to_owned()).collect(),
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
            constructors: true,
            ..Facts::empty(Details::Elf(ElfFacts::default()))
        }
    }

    #[test]
    fn the_entry_point_takes_precedence_over_the_name() {
        let none = AbiClaim::default();
        let tag = AbiClaim { abi: Some(115), runtime: Some(Runtime::Node), is_exact: true };
        let folder = AbiClaim { abi: Some(127), ..none };
        let electron = AbiClaim { runtime: Some(Runtime::Electron), ..none };
        let napi = facts(&["napi_register_module_v1"], &[]);
        let v8 = facts(&["node_register_module_v93"], &[]);
        let old = facts(&[], &["napi_module_register"]);
        let registered =
            Facts { registration: Some(Registration { abi: 50, context_aware: false }), ..facts(&[], &[]) };
        for (facts, claim, expected) in [
            (&napi, none, NodeBinding::All),
            (&old, none, NodeBinding::All),
            (&v8, none, NodeBinding::Abi(93)),
            (&registered, none, NodeBinding::Abi(50)),
            // A loader that looks for the tag opens the file only for this ABI.
            (&napi, tag, NodeBinding::Abi(115)),
            (&napi, folder, NodeBinding::All),
            (&facts(&[], &[]), folder, NodeBinding::Abi(127)),
            (&facts(&[], &[]), none, NodeBinding::Unknown),
            (&napi, electron, NodeBinding::Electron(None)),
            (&v8, electron, NodeBinding::Electron(Some(93))),
        ] {
            let facts = std::slice::from_ref(facts);
            assert_eq!(NodeBinding::of(facts, claim), expected, "{:?} {claim:?}", facts[0].exports);
        }
        assert_eq!(NodeBinding::of(&[], tag), NodeBinding::Abi(115), "a file that cannot be read");
        assert_eq!(NodeBinding::of(&[], none), NodeBinding::Unknown);
    }

    #[test]
    fn releases_are_listed_by_program() {
        let text =
            |abis: &[u32]| releases(&abis.iter().map(|abi| NodeBinding::Abi(*abi)).collect::<Vec<_>>());
        for (abis, expected) in [
            (&[72, 83, 88, 93, 102][..], "Node 12 to 17"),
            (&[83, 93, 102], "Node 14 to 17"),
            (&[46, 47, 48, 51, 57, 59], "Node 4 to 9"),
            (&[93, 108], "Node 16 and 18"),
            (&[57, 72, 83, 93], "Node 8 and 12 to 16"),
            (&[115, 137], "Node 20 and 24"),
            (&[11, 14, 46], "Node 0.10 to 4"),
            (&[48], "Node 6"),
            (&[50], "Electron 1.4"),
            (&[116], "Electron 25 and 26"),
            (&[140, 143, 145], "Electron 39 to 41"),
            (&[98, 102], "Node 17"),
            (&[999], "releases with ABI 999"),
            (&[50, 999], "Electron 1.4 and releases with ABI 999"),
        ] {
            assert_eq!(text(abis).as_deref(), Some(expected), "{abis:?}");
        }
        assert_eq!(text(&[]), None);
        assert_eq!(releases(&[NodeBinding::Abi(72), NodeBinding::All]), None);
        assert_eq!(releases(&[NodeBinding::Abi(72), NodeBinding::Unknown]), None);
        let others = [NodeBinding::NwJs, NodeBinding::Electron(Some(57))];
        assert_eq!(releases(&others).as_deref(), Some("Electron 1.8 and 2 and NW.js"));
        assert_eq!(releases(&[NodeBinding::Electron(None)]).as_deref(), Some("Electron"));
    }
}
