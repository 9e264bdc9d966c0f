//! Determines the releases of Node that an addon loads in.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::node_binding::NodeBinding;
use crate::registration::REGISTER;
use crate::{node_abi, node_api, node_binding};

/// The needs of an addon from Node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeNeed {
    /// A version of Node-API.
    Api(usize),
    /// Node-API of an unknown version: the addon looks up its functions when it runs.
    RunTime,
    /// A known ABI.
    Abi(u32),
    /// An ABI that the addon does not name.
    OneAbi,
    /// The releases of Electron with this ABI, or all releases of Electron.
    Electron(Option<u32>),
    /// The releases that have all symbols, as text: `Node 22 and later`.
    Only(String),
}

impl NodeNeed {
    /// Returns whether all releases of Node from some release on load the addon.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, NodeNeed::Api(_) | NodeNeed::RunTime)
    }

    /// Returns the need of an addon.
    pub(super) fn of(facts: &Facts, binding: NodeBinding) -> Option<NodeNeed> {
        match binding {
            NodeBinding::Abi(abi) if is_of_electron(abi) => return Some(NodeNeed::Electron(Some(abi))),
            NodeBinding::Abi(abi) => return Some(NodeNeed::Abi(abi)),
            NodeBinding::Electron(abi) => return Some(NodeNeed::Electron(abi)),
            _ => {}
        }
        let functions = facts.imports.iter().filter(|name| node_api::is_function(name));
        let declared = facts.elf().and_then(|elf| usize::try_from(elf.node_api?).ok());
        // Older releases know the version, or ignore the declaration.
        let declared = declared.filter(|declared| !node_api::refusing(*declared).is_empty());
        let newest = functions.filter_map(|name| node_api::version(name)).chain(declared).max();
        let imports = |name: &str| facts.imports.iter().any(|import| import == name);
        let enters = || facts.exports.iter().any(|export| export == node_api::ENTRY);
        match newest {
            Some(newest) => Some(NodeNeed::Api(newest)),
            None if imports(REGISTER) => Some(NodeNeed::OneAbi),
            None => enters().then_some(NodeNeed::RunTime),
        }
    }
}

/// Returns the releases that the needs admit together, as text; None if nothing is known.
pub(super) fn releases(needs: &BTreeSet<NodeNeed>) -> Option<String> {
    let mut texts = Vec::new();
    let newest = needs.iter().filter_map(|need| match need {
        NodeNeed::Api(version) => Some(*version),
        _ => None,
    });
    let newest = newest.max();
    texts.extend(newest.map(node_api::releases));
    if newest.is_none() && needs.contains(&NodeNeed::RunTime) {
        texts.push("Node-API of an unknown version".to_owned());
    }
    let bound = needs.iter().filter_map(|need| match need {
        NodeNeed::Abi(abi) => Some(NodeBinding::Abi(*abi)),
        _ => None,
    });
    let mut only = Vec::from_iter(node_binding::releases(&bound.collect::<Vec<_>>()));
    only.extend(needs.iter().filter_map(|need| match need {
        NodeNeed::Only(nodes) => Some(nodes.clone()),
        _ => None,
    }));
    // Electron loads every addon that all releases of Node load.
    only.extend(electron(needs).filter(|_| !needs.iter().any(NodeNeed::is_open)));
    if !only.is_empty() {
        texts.push(format!("only {}", only.join(", ")));
    } else if needs.contains(&NodeNeed::OneAbi) {
        texts.push("only the Node that the addon was compiled for".to_owned());
    }
    (!texts.is_empty()).then(|| texts.join(", or "))
}

/// Returns the releases of Electron among the needs: `Electron 15`.
pub(super) fn electron(needs: &BTreeSet<NodeNeed>) -> Option<String> {
    let bindings = needs.iter().filter_map(|need| match need {
        NodeNeed::Electron(abi) => Some(NodeBinding::Electron(*abi)),
        _ => None,
    });
    node_binding::releases(&bindings.collect::<Vec<_>>())
}

/// Returns whether an ABI belongs only to Electron.
fn is_of_electron(abi: u32) -> bool {
    node_abi::node(abi).is_none() && !node_abi::electron(abi).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_gives_the_newest_needed_node_api_version() {
        let text = |needs: &[NodeNeed]| releases(&needs.iter().cloned().collect());
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[NodeNeed::Api(1), NodeNeed::Api(9)]).unwrap(), "Node 18.17, 20.3 and later");
        assert_eq!(
            text(&[NodeNeed::Api(9), NodeNeed::Abi(93)]).unwrap(),
            "Node 18.17, 20.3 and later, or only Node 16"
        );
        assert_eq!(text(&[NodeNeed::Abi(115), NodeNeed::Abi(999)]).unwrap(), "only Node 20");
        assert_eq!(text(&[NodeNeed::Abi(999)]).unwrap(), "only releases with ABI 999");
        assert_eq!(text(&[NodeNeed::OneAbi]).unwrap(), "only the Node that the addon was compiled for");
    }
}
