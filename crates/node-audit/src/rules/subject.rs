//! The addon that a rule checks.

use super::musl_names::musl_has;
use crate::addon::Addon;
use crate::facts::{ElfFacts, Facts};
use crate::library::Library;
use crate::manifest::Manifest;
use crate::neighbours::Neighbours;
use crate::node_abi;
use crate::node_binding::NodeBinding;
use crate::platform::{Libc, Os, Platform};
use crate::policy::Policy;

/// An addon, for one processor, and the platform and policy that it is checked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) facts: &'a Facts,
    /// The platform that the addon claims, or that the policy names.
    pub(crate) claimed: Option<Platform>,
    /// `true` if a name gives the claimed processor. Otherwise the processor is the file's own.
    pub(crate) names_cpu: bool,
    /// The C library that the addon must work with: the claimed library, or else the linked library.
    pub(crate) libc: Option<Libc>,
    /// The package that the addon belongs to.
    pub(crate) package: Option<&'a Manifest>,
    /// The files that come with the addon.
    pub(crate) neighbours: &'a Neighbours,
    /// The Node ABI (NODE_MODULE_VERSION) that the addon's name claims.
    pub(crate) abi: Option<u32>,
    /// The releases of Node that can load the addon, judged by its ABI.
    pub(crate) binding: NodeBinding,
    /// The libraries that come with the addon and are loaded with it; empty for a library.
    pub(crate) libraries: &'a [Library],
    /// The libraries that come with the addon and are loaded with it; for a library, the libraries of its addon.
    pub(crate) loaded: &'a [Library],
    /// The library that is checked as if it were the addon; None for the addon itself.
    pub(crate) library: Option<&'a Library>,
    /// The files of the package that load the addon by its install name.
    pub(crate) linked_by: &'a [String],
    /// The newest Node-API version that an addon of the package needs.
    pub(crate) package_api: Option<usize>,
    pub(crate) policy: &'a Policy,
}

impl<'a> Subject<'a> {
    /// Returns the subject for one part of an addon.
    pub(crate) fn new(
        addon: &'a Addon,
        facts: &'a Facts,
        claimed: Option<Platform>,
        policy: &'a Policy,
    ) -> Subject<'a> {
        let linked = facts.elf().and_then(|elf| elf.libc);
        let libc = match claimed {
            // Other systems have their own C library.
            Some(platform) if platform.os != Os::Linux => None,
            Some(platform) => platform.libc.or(linked),
            None => linked,
        };
        let Addon { abi, binding, package, neighbours, linked_by, .. } = addon;
        let package = package.as_deref();
        let libraries = addon.libraries_of(facts);
        let abi = *abi;
        Subject {
            facts,
            claimed,
            names_cpu: true,
            libc,
            package,
            neighbours,
            abi,
            binding: *binding,
            libraries,
            loaded: libraries,
            library: None,
            linked_by,
            package_api: addon.package_api,
            policy,
        }
    }

    /// Returns the subjects of the libraries that can be loaded with the addon.
    pub(crate) fn of_libraries(&self) -> impl Iterator<Item = (&'a Library, Subject<'a>)> {
        let (addon, abi) = (*self, self.bound_abi());
        addon.libraries.iter().filter_map(move |library| {
            let facts = library.part(addon.facts.cpu)?;
            let neighbours = &library.neighbours;
            let library = Some(library);
            let subject =
                Subject { facts, neighbours, abi, libraries: &[], library, linked_by: &[], ..addon };
            Some((library?, subject))
        })
    }

    /// Returns whether the loader finds a library, according to the walk through all libraries.
    pub(super) fn finds(&self, library: &str) -> bool {
        self.library.is_some_and(|own| own.found.contains(library))
    }

    /// Returns the facts of an ELF file for Linux: a file that does not claim another system and is not linked to
    /// Android's C library.
    pub(super) fn linux(&self) -> Option<&'a ElfFacts> {
        let is_elsewhere = self.claimed.is_some_and(|platform| platform.os != Os::Linux);
        self.facts.elf().filter(|elf| !is_elsewhere && elf.libc != Some(Libc::Bionic))
    }

    /// Returns whether every system of the platform has a library.
    pub(super) fn system_has(&self, library: &str) -> bool {
        let has = |libc, library| match libc {
            Libc::Musl => musl_has(library, self.policy),
            libc => self.policy.allowed.on(libc, library),
        };
        match self.libc {
            Some(libc) => {
                // `arch` already reports the wrong C library.
                let other = if libc == Libc::Glibc { Libc::Musl } else { Libc::Glibc };
                let linked = self.facts.elf().and_then(|elf| elf.libc);
                has(libc, library) || (linked == Some(other) && has(other, library))
            }
            None => {
                let allowed = &self.policy.allowed;
                allowed.on(Libc::Glibc, library) || allowed.on(Libc::Musl, library)
            }
        }
    }

    /// Returns the Node ABI that the addon is bound to: the exported ABI, the registered ABI, or else the ABI in the
    /// addon's name.
    pub(super) fn bound_abi(&self) -> Option<u32> {
        let abi = |name: &String| name.strip_prefix(node_abi::ENTRY_PREFIX)?.parse().ok();
        let registered = self.facts.registration.map(|registration| registration.abi);
        self.facts.exports.iter().find_map(abi).or(registered).or(self.abi)
    }
}
