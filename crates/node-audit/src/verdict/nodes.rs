//! The releases of Node that an addon loads in.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;
use crate::node_binding::NodeBinding;
use crate::registration::REGISTER;
use crate::{node_abi, node_api, node_binding};

/// The Node that an addon needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeNeed {
    /// A version of Node-API.
    Api(usize),
    /// Node-API of an unknown version: the addon looks up its functions when it runs.
    RunTime,
    /// One ABI.
    Abi(u32),
    /// One ABI that the addon does not name.
    OneAbi,
    /// Releases of Electron, those with an ABI or all.
    Electron(Option<u32>),
    /// The releases that have all symbols, as text: `Node 22 and later`.
    Only(String),
}

impl NodeNeed {
    /// Returns whether every release of Node from an oldest one on loads the addon.
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

/// Returns the releases that all these needs admit together, as text; None if nothing is known.
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
    let abis: Vec<u32> = needs
        .iter()
        .filter_map(|need| match need {
            NodeNeed::Abi(abi) => Some(*abi),
            _ => None,
        })
        .collect();
    let mut only = Vec::from_iter((!abis.is_empty()).then(|| of_abis(&abis)));
    only.extend(needs.iter().filter_map(|need| match need {
        NodeNeed::Only(nodes) => Some(nodes.clone()),
        _ => None,
    }));
    // Electron loads every addon that all releases of Node load.
    only.extend(electron(needs).filter(|_| !needs.iter().any(NodeNeed::is_open)));
    if !only.is_empty() {
        texts.push(format!("only {}", only.join(", ")));
    } else if needs.contains(&NodeNeed::OneAbi) {
        texts.push("only the Node it was compiled for".to_owned());
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

/// Returns whether an ABI is Electron's alone.
fn is_of_electron(abi: u32) -> bool {
    node_abi::node(abi).is_none() && !node_abi::electron(abi).is_empty()
}

/// Returns the releases with these ABIs: `Node 18 to 20, 22, Electron 33`.
fn of_abis(abis: &[u32]) -> String {
    // By runtime, in the order of Node, Electron, and ABIs that no list has.
    let mut releases: BTreeMap<(u8, &str), Vec<String>> = BTreeMap::new();
    for abi in abis {
        match node_abi::release(&abi.to_string()).and_then(|release| release.split_once(' ')) {
            Some((runtime, numbers)) => {
                let runtime = (u8::from(runtime != "Node"), runtime);
                releases.entry(runtime).or_default().extend(numbers.split(" and ").map(str::to_owned));
            }
            None => releases.entry((2, "ABI")).or_default().push(abi.to_string()),
        }
    }
    let texts = releases.iter().map(|((_, runtime), numbers)| format!("{runtime} {}", ranges(numbers)));
    texts.collect::<Vec<_>>().join(", ")
}

/// Returns ascending numbers with three or more in a row as a range: `18 to 20, 22`.
fn ranges(numbers: &[String]) -> String {
    let mut texts = Vec::new();
    let mut rest = numbers;
    while let Some(first) = rest.first() {
        let follows = |pair: &[String]| match pair {
            [one, next] => one.parse::<u32>().ok().map(|one| one + 1) == next.parse().ok(),
            _ => false,
        };
        // 0.10 does not parse as a whole number, so it never extends a range.
        let length =
            1 + rest.windows(2).take_while(|pair| pair[0].parse::<u32>().is_ok() && follows(pair)).count();
        match rest.get(length - 1).filter(|_| length > 2) {
            Some(last) => texts.push(format!("{first} to {last}")),
            None => texts.extend(rest.iter().take(length).cloned()),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_in_a_row_are_a_range() {
        for (abis, expected) in [
            (&[115][..], "Node 20"),
            (&[108, 115], "Node 18, 20"),
            (&[93, 108, 111, 115, 120, 127, 131, 137, 141, 147], "Node 16, 18 to 26"),
            (&[11, 14, 46], "Node 0.10, 0.12, 4"),
            (&[115, 116, 118, 119], "Node 20, Electron 25 to 28"),
            (&[115, 999], "Node 20, ABI 999"),
        ] {
            assert_eq!(of_abis(abis), expected);
        }
    }

    #[test]
    fn the_newest_node_api_counts() {
        let text = |needs: &[NodeNeed]| releases(&needs.iter().cloned().collect());
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[NodeNeed::Api(1), NodeNeed::Api(9)]).unwrap(), "Node 18.17, 20.3 and later");
        assert_eq!(
            text(&[NodeNeed::Api(9), NodeNeed::Abi(93)]).unwrap(),
            "Node 18.17, 20.3 and later, or only Node 16"
        );
        assert_eq!(text(&[NodeNeed::OneAbi]).unwrap(), "only the Node it was compiled for");
    }
}
