//! The releases of Node in which an addon must load, as far as their exports are known.

use nodejs_semver::{Range, Version};

use super::super::napi_version::range;
use super::Subject;
use crate::node_abi;
use crate::node_binding::NodeBinding;
use crate::symbol_tables::{self, Columns, NodeRelease};

/// The starts of the names in Node's and V8's namespaces, as compilers for Unix and Windows write these.
const NODES_OWN: [&str; 6] = ["2v8", "4node", "5cppgc", "@v8@@", "@node@@", "@cppgc@@"];

/// The releases of Node in which an addon must load.
pub(super) struct Nodes {
    /// At least one, in order.
    releases: Vec<&'static NodeRelease>,
    /// Whether the addon is bound to an ABI that these releases have.
    is_bound: bool,
}

/// The releases that lack a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lacking {
    /// Each release.
    All,
    /// Some releases, as text: `20.0 and 22.0`.
    Some(String),
}

impl Nodes {
    /// Returns the releases for a system (`linux`); None if no release is known that the addon must load in.
    pub(super) fn new(subject: &Subject<'_>, os: &str) -> Option<Nodes> {
        let mut nodes: Vec<&NodeRelease> = symbol_tables::nodes(os).collect();
        let abi = match subject.binding {
            NodeBinding::All | NodeBinding::Unknown => None,
            NodeBinding::Abi(abi) => Some(abi),
            NodeBinding::Electron(_) | NodeBinding::NwJs => return None,
        };
        if let Some(abi) = abi {
            nodes.retain(|node| node_abi::of_node(&node.version.major.to_string()) == Some(abi));
        }
        match promise(subject) {
            Some(promise) => nodes.retain(|node| {
                let version = node.version;
                promise.satisfies(&Version::from((
                    u64::from(version.major),
                    u64::from(version.minor),
                    u64::from(version.patch),
                )))
            }),
            None => nodes.retain(|node| node.newest),
        }
        (!nodes.is_empty()).then_some(Nodes { releases: nodes, is_bound: abi.is_some() })
    }

    /// Returns the releases that lack a name with these columns; None if each release has the name.
    ///
    /// C++ of Node and V8 fits one ABI. If the ABI is unknown, so are the releases that must have such a name.
    pub(super) fn lacking(&self, columns: Columns, name: &str) -> Option<Lacking> {
        let is_cpp = name.starts_with("_Z") || name.starts_with('?');
        if is_cpp && !self.is_bound && NODES_OWN.iter().any(|own| name.contains(own)) {
            return None;
        }
        let lacking: Vec<String> = (self.releases.iter())
            .filter(|node| !node.column.meets(columns))
            .map(|node| node.version.to_string())
            .collect();
        match lacking.as_slice() {
            [] => None,
            all if all.len() == self.releases.len() => Some(Lacking::All),
            [one] => Some(Lacking::Some(one.clone())),
            [first @ .., last] => Some(Lacking::Some(format!("{} and {last}", first.join(", ")))),
        }
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

/// Returns the range of releases that package.json promises; None if the range admits every release.
fn promise(subject: &Subject<'_>) -> Option<Range> {
    let promise = range(subject.package?.node.as_deref()?)?;
    let is_all = Range::parse(">=0.0.0").is_ok_and(|all| promise.allows_all(&all));
    (!is_all).then_some(promise)
}
