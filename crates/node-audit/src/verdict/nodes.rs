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
        let imports = |name: &str| facts.imports.iter().any(|import| import == name);
        let enters = || facts.exports.iter().any(|export| export == node_api::ENTRY);
        match node_api::needed(facts) {
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
    texts.extend(newest.max().map(node_api::releases));
    if is_unknown(needs) {
        texts.push("an unknown range of Node releases".to_owned());
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

/// Returns whether the releases are unknown, because the addons look up Node-API at run time.
pub(super) fn is_unknown(needs: &BTreeSet<NodeNeed>) -> bool {
    needs.contains(&NodeNeed::RunTime) && !needs.iter().any(|need| matches!(need, NodeNeed::Api(_)))
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
        assert_eq!(text(&[NodeNeed::RunTime]).unwrap(), "an unknown range of Node releases");
        assert_eq!(text(&[NodeNeed::RunTime, NodeNeed::Api(9)]).unwrap(), "Node 18.17, 20.3 and later");
        assert_eq!(text(&[NodeNeed::OneAbi]).unwrap(), "only the Node that the addon was compiled for");
    }
}
