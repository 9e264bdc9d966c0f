//! The releases of Node in which an addon must load, limited to the releases with known exports.

use std::collections::{BTreeMap, BTreeSet};

use nodejs_semver::{Range, Version};

use super::Subject;
use crate::engines::{admits_every_release, range};
use crate::node_abi;
use crate::node_binding::{NodeBinding, listed};
use crate::symbol_tables::{self, Columns, NodeRelease};

/// The prefixes of mangled names in Node's and V8's namespaces, on Unix and on Windows.
const NODES_OWN: [&str; 6] = ["2v8", "4node", "5cppgc", "@v8@@", "@node@@", "@cppgc@@"];

/// The releases of Node in which an addon must load.
pub(super) struct Nodes {
    /// The releases, in order; at least one.
    releases: Vec<&'static NodeRelease>,
    /// The releases that must export the C++ names of Node and V8 that the addon uses: the releases with the addon's ABI,
    /// if a name gives the ABI.
    cpp: Vec<&'static NodeRelease>,
    /// `true` if the addon is for one release that neither the file nor its name gives. At least one release in `cpp`
    /// must then export the C++ names.
    is_for_one: bool,
    /// The known releases that engines.node and the ABI admit.
    known: Vec<&'static NodeRelease>,
    /// `true` if `known` includes the newest known release, and so all later releases are also admitted.
    is_open: bool,
}

/// The releases that lack a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lacking {
    /// Every release.
    All,
    /// Some releases.
    Some {
        /// The releases in which the addon must load: `20.0 and 22.0`.
        text: String,
        /// The known releases that lack the name.
        releases: Vec<(u32, u32, u32)>,
    },
}

impl Nodes {
    /// Returns the releases for a system (`linux`); None if no known release must load the addon.
    pub(super) fn new(subject: &Subject<'_>, os: &str) -> Option<Nodes> {
        let all: Vec<&NodeRelease> = symbol_tables::nodes(os).collect();
        let of_abi = |abi: u32| {
            all.iter()
                .copied()
                .filter(move |node| node_abi::of_node(&node.version.major.to_string()) == Some(abi))
        };
        let newest = all.last().copied();
        let every = all.clone();
        let is_for_one = subject.binding == NodeBinding::Unknown;
        let mut known = match subject.binding {
            NodeBinding::All | NodeBinding::Unknown => all.clone(),
            NodeBinding::Abi(abi) => of_abi(abi).collect(),
            NodeBinding::Electron(_) | NodeBinding::NwJs => return None,
        };
        let mut releases = known.clone();
        match promise(subject) {
            Some(promise) => {
                known.retain(|node| promise.satisfies(&semver(node)));
                releases.clone_from(&known);
            }
            None => releases.retain(|node| node.newest),
        }
        let cpp = match subject.abi {
            _ if is_for_one => every,
            // A loader opens the file in a folder `node-v115` only in this Node.
            Some(abi) => of_abi(abi).filter(|node| known.contains(node)).collect(),
            None => releases.clone(),
        };
        let is_open = newest.is_some_and(|newest| known.contains(&newest));
        (!releases.is_empty()).then_some(Nodes { releases, cpp, is_for_one, known, is_open })
    }

    /// Returns the releases that lack a name with these columns; None if every release has the name.
    ///
    /// The C++ names of Node and V8 are bound to one ABI, whatever the addon's entry point is.
    pub(super) fn lacking(&self, columns: Columns, name: &str) -> Option<Lacking> {
        let has = |node: &&&NodeRelease| node.column.meets(columns);
        let is_cpp = (name.starts_with("_Z") || name.starts_with('?'))
            && NODES_OWN.iter().any(|own| name.contains(own));
        if is_cpp && self.is_for_one {
            return (!self.cpp.iter().any(|node| has(&node))).then_some(Lacking::All);
        }
        let releases = if is_cpp { &self.cpp } else { &self.releases };
        let lacking: Vec<String> =
            releases.iter().filter(|node| !has(node)).map(|node| node.version.to_string()).collect();
        let text = match lacking.as_slice() {
            [] => return None,
            all if all.len() == releases.len() => return Some(Lacking::All),
            some => listed(some),
        };
        let releases = self.known.iter().filter(|node| !has(node)).map(|node| key(node)).collect();
        Some(Lacking::Some { text, releases })
    }

    /// Returns the releases that lack none of the names, as text: `Node 22 and later`. None if no such release exists.
    ///
    /// If every known release of a line has the names, the text gives the line; otherwise it gives the line's first
    /// release with the names.
    pub(super) fn without(&self, lacking: &BTreeSet<(u32, u32, u32)>) -> Option<String> {
        let mut lines: BTreeMap<u32, Vec<&NodeRelease>> = BTreeMap::new();
        for node in &self.known {
            lines.entry(node.version.major).or_default().push(node);
        }
        let has = |node: &&NodeRelease| !lacking.contains(&key(node));
        let names: Vec<String> = (lines.iter())
            .filter_map(|(line, nodes)| {
                let first = nodes.iter().copied().find(has)?;
                Some(if nodes.iter().all(has) { line.to_string() } else { first.version.to_string() })
            })
            .collect();
        let first = self.known.iter().position(has)?;
        let is_open = self.is_open;
        if is_open && self.known.iter().skip(first).all(has) {
            return Some(format!("Node {} and later", names.first()?));
        }
        Some(format!("Node {}", listed(&names)))
    }

    /// Returns the releases as text: `Node 20.20.2`, `Node 20.0 to 26.10`.
    pub(super) fn text(&self) -> String {
        match self.releases.as_slice() {
            [first, .., last] => format!("Node {} to {}", first.version, last.version),
            [one] => format!("Node {}", one.version),
            [] => "Node".to_owned(),
        }
    }
}

fn key(node: &NodeRelease) -> (u32, u32, u32) {
    (node.version.major, node.version.minor, node.version.patch)
}

fn semver(node: &NodeRelease) -> Version {
    let (major, minor, patch) = key(node);
    Version::from((u64::from(major), u64::from(minor), u64::from(patch)))
}

/// Returns the range of releases that package.json promises; None if the range admits every release.
fn promise(subject: &Subject<'_>) -> Option<Range> {
    let promise = range(subject.package?.node.as_deref()?)?;
    (!admits_every_release(&promise)).then_some(promise)
}
