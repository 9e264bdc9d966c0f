//! Determines the oldest systems that an addon must load on: the policy's systems, or newer systems if no promised Node
//! runs on the policy's systems.

use super::subject::Subject;
use crate::engines::{admits_every_release, range};
use crate::platform::Cpu;
use crate::policy::Floors;
use crate::version::Version;
use crate::{node_abi, node_floors};

/// The oldest systems, and the Node that determines them.
pub(super) struct LoadFloors {
    pub(super) floors: Floors,
    node: Option<OldestNode>,
}

/// The oldest Node that an addon is for.
struct OldestNode {
    /// The needs of this Node.
    floors: Floors,
    /// The release and its source: `Node 22, the oldest of engines.node ">=22"`.
    text: String,
}

impl LoadFloors {
    /// Returns the floors for an addon.
    ///
    /// The oldest promised Node does not start on older systems, so the addon may have the same floors as this Node.
    /// Floors that a policy file gives are fixed.
    pub(super) fn of(subject: &Subject<'_>) -> LoadFloors {
        let node = oldest_node(subject);
        let mut floors = subject.policy.floors.clone();
        if let Some(OldestNode { floors: own, .. }) = &node {
            let firm = subject.policy.firm;
            for (floor, own, firm) in [
                (&mut floors.glibc, own.glibc, firm.glibc),
                (&mut floors.glibcxx, own.glibcxx, firm.compiler),
                (&mut floors.cxxabi, own.cxxabi, firm.compiler),
                (&mut floors.gcc, own.gcc, firm.compiler),
                (&mut floors.macos_x64, own.macos_x64, firm.macos),
                (&mut floors.macos_arm64, own.macos_arm64, firm.macos),
            ] {
                if !firm {
                    *floor = own.max(*floor);
                }
            }
        }
        LoadFloors { floors, node }
    }

    /// Returns the oldest macOS for a processor.
    pub(super) fn macos(&self, cpu: Option<Cpu>) -> Version {
        self.floors.macos(cpu)
    }

    /// Returns the Node that needs a floor, as the end of evidence; an empty string if the floor is the policy's.
    pub(super) fn reason(&self, of: impl Fn(&Floors) -> Version, policy: &Floors, system: &str) -> String {
        let floor = of(&self.floors);
        match &self.node {
            Some(OldestNode { floors, text }) if of(floors) == floor && of(policy) < floor => {
                format!("; {text}, needs {system} {floor} itself")
            }
            _ => String::new(),
        }
    }
}

/// Returns the oldest Node: the release whose ABI the addon has, or else the oldest release that package.json's engines
/// promise.
fn oldest_node(subject: &Subject<'_>) -> Option<OldestNode> {
    if let Some(abi) = subject.bound_abi() {
        let release = node_abi::node(abi)?.major;
        let text = format!("Node {release}, whose ABI is {abi}");
        return Some(OldestNode { floors: node_floors::of_release(u64::from(release)), text });
    }
    let promise = subject.package?.node.as_deref()?;
    let range = range(promise)?;
    if admits_every_release(&range) {
        return None;
    }
    let release = range.min_version()?.major;
    let text = format!("Node {release}, the oldest of engines.node \"{promise}\"");
    Some(OldestNode { floors: node_floors::of_release(release), text })
}
