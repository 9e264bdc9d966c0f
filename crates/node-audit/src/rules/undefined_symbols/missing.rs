//! Groups missing names by the consequence and by the releases of Node that lack them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::first_names;
use super::Problem;
use super::nodes::{Lacking, Nodes};
use crate::finding::Severity;
use crate::reason::LOADS_IN;

/// The time at which a missing name fails, which determines the severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fails {
    /// The name fails when the addon is loaded.
    AtOnce,
    /// The name fails at its first call.
    AtCall,
}

/// The missing names.
#[derive(Default)]
pub(super) struct Missing<'a> {
    names: BTreeMap<(Fails, Lacking), Vec<&'a str>>,
}

/// The wording of the problems for one file format.
pub(super) struct Wording<'a> {
    /// The places that lack a name: `not in Node 20.20.2`.
    pub(super) absent: &'a str,
    /// The consequence of a name that is missing when the addon is loaded, as a clause.
    pub(super) at_once: &'a dyn Fn(&str) -> String,
    /// The consequence of a function that is missing at its first call.
    pub(super) at_call: &'a dyn Fn(&str) -> String,
    /// The evidence before the names: for names that fail at once, and for names that fail at the first call.
    pub(super) evidence: [&'a str; 2],
    pub(super) remedy: &'a str,
}

impl<'a> Missing<'a> {
    pub(super) fn add(&mut self, fails: Fails, lacking: Lacking, name: &'a str) {
        let names = self.names.entry((fails, lacking)).or_default();
        // A file may repeat a name.
        if names.last() != Some(&name) {
            names.push(name);
        }
    }

    /// Returns a problem for each consequence and each set of releases.
    pub(super) fn problems(self, wording: &Wording<'_>, nodes: &Nodes) -> Vec<Problem> {
        let loads = self.loads_in(nodes).map_or_else(String::new, |nodes| format!("{LOADS_IN}{nodes}"));
        let problem = |((fails, lacking), names): ((Fails, Lacking), Vec<&str>)| {
            let first = names.first().copied().unwrap_or_default();
            let (severity, consequence, evidence) = match fails {
                Fails::AtOnce => (Severity::Error, (wording.at_once)(first), wording.evidence[0]),
                Fails::AtCall => (Severity::Warning, (wording.at_call)(first), wording.evidence[1]),
            };
            let listed = first_names(&names);
            let are = if names.len() == 1 { "is" } else { "are" };
            let message = match lacking {
                Lacking::All => format!("{listed} {are} {}: {consequence}", wording.absent),
                Lacking::Some { text, .. } => {
                    let loads = if fails == Fails::AtOnce { loads.as_str() } else { "" };
                    format!(
                        "{listed} {are} not in Node {text}, which the addon must support: {consequence}{loads}"
                    )
                }
            };
            Problem {
                severity,
                message,
                evidence: format!("{evidence} {listed}"),
                remedy: wording.remedy.to_owned(),
            }
        };
        self.names.into_iter().map(problem).collect()
    }

    /// Returns the releases that have all names that fail at once; None if no release has them all.
    fn loads_in(&self, nodes: &Nodes) -> Option<String> {
        let mut without = BTreeSet::new();
        for (_, lacking) in self.names.keys().filter(|(fails, _)| *fails == Fails::AtOnce) {
            match lacking {
                Lacking::All => return None,
                Lacking::Some { releases, .. } => without.extend(releases.iter().copied()),
            }
        }
        nodes.without(&without)
    }
}
