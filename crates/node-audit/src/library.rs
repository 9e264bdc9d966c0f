//! A library that comes with an addon, and that the loader opens with the addon.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::Facts;
use crate::neighbours::Neighbours;
use crate::platform::Cpu;

/// The words between a library's name and its problem in the message of a finding.
pub(crate) const LOADED: &str = ", which the addon loads, ";

/// A library that the loader opens with an addon. The source finds these libraries before the rules run.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    /// The file's name: `libvips-cpp.so.42`.
    pub(crate) name: String,
    /// The chain of needs from the addon: `x.node -> liba.so -> libb.so`.
    pub(crate) chain: String,
    /// The facts for each processor; or the reason why the file is not a library, as a clause without a subject.
    pub(crate) parts: LibraryParts,
    /// The files that come with the library.
    pub(crate) neighbours: Neighbours,
    /// The names of the needed libraries that the loader finds, wherever they are.
    pub(crate) found: BTreeSet<String>,
}

/// The facts of a library, shared by all addons that load it.
pub(crate) type LibraryParts = Result<Arc<Vec<Facts>>, String>;

impl Library {
    /// Returns the facts for a processor, if the library has code for it.
    pub(crate) fn part(&self, cpu: Option<Cpu>) -> Option<&Facts> {
        part(self.parts.as_ref().ok()?, cpu)
    }
}

/// Returns the part for a processor.
pub(crate) fn part(parts: &[Facts], cpu: Option<Cpu>) -> Option<&Facts> {
    parts.iter().find(|part| part.cpu == cpu && part.loadable)
}
