//! An addon with its facts, its claims, its package and the libraries that it loads.

use std::path::PathBuf;
use std::sync::Arc;

use crate::claim::Claim;
use crate::damage::Damage;
use crate::facts::Facts;
use crate::library::Library;
use crate::manifest::Manifest;
use crate::name_abi::AbiClaim;
use crate::neighbours::Neighbours;
use crate::node_binding::NodeBinding;
use crate::version::Version;

/// An addon with its facts, its claims, its package and the libraries that it loads.
#[derive(Debug)]
pub struct Addon {
    /// The facts for each processor; empty for a damaged file.
    pub facts: Vec<Facts>,
    /// The damage, if the file is not a whole addon.
    pub damage: Option<Damage>,
    /// The platform that the addon's names and its package claim.
    pub claim: Option<Claim>,
    /// The Node ABI (NODE_MODULE_VERSION) that the addon's name claims.
    pub abi: Option<u32>,
    /// The releases of Node that can load the addon, judged by its ABI.
    pub(crate) binding: NodeBinding,
    /// The package that the addon belongs to.
    pub package: Option<Arc<Manifest>>,
    /// The path under which the addon is reported.
    pub(crate) path: PathBuf,
    /// The files that come with the addon.
    pub(crate) neighbours: Neighbours,
    /// The libraries that come with the addon and are loaded with it, for each element of `facts`.
    pub(crate) libraries: Vec<Vec<Library>>,
    /// The files of the package that load the addon by its install name.
    pub(crate) linked_by: Vec<String>,
    /// The newest Node-API version that an addon of the package needs.
    pub(crate) package_api: Option<usize>,
}

impl Addon {
    /// Returns the libraries that come with the addon and are loaded with one part of it.
    pub(crate) fn libraries_of(&self, facts: &Facts) -> &[Library] {
        let position = self.facts.iter().position(|part| std::ptr::eq(part, facts));
        let libraries = position.and_then(|position| self.libraries.get(position));
        libraries.map_or(&[], Vec::as_slice)
    }

    /// Returns whether a release of Node has the ABI that the addon is bound to. Returns false for a file for Electron or NW.js.
    #[must_use]
    pub fn has_abi_of(&self, node: Version) -> bool {
        self.binding.may_load(|line| line.major == node.major)
    }

    /// Returns an addon with a known content and nothing else.
    pub(crate) fn unplaced(path: PathBuf, facts: Vec<Facts>) -> Addon {
        let binding = NodeBinding::of(&facts, AbiClaim::default());
        Addon {
            facts,
            damage: None,
            claim: None,
            abi: None,
            binding,
            package: None,
            path,
            neighbours: Neighbours::Unknown,
            libraries: Vec::new(),
            linked_by: Vec::new(),
            package_api: None,
        }
    }
}
