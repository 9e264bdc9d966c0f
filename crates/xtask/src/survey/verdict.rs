//! Holds what node-audit says of an addon against what real Nodes did with it.

use node_audit::{Finding, Report, Rule, Severity};

use crate::survey::loads::Outcome;

/// A rule whose errors may be about a Node that is not here: one that package.json promises, however old.
const ELSEWHERE: &str = "napi-version";

/// One load of an addon, in a Node of the platform that it claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Load {
    /// `Node 22.23.3, glibc 2.31`
    pub(crate) runtime: String,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

impl Load {
    /// Whether it says anything of the addon: one for another Node does not.
    pub(crate) fn is_held(&self) -> bool {
        !matches!(self.outcome, Outcome::OtherNode(_))
    }
}

/// Why verdict and Nodes disagree, if they do. An addon with an error of a rule that stops loading must fail somewhere on the
/// platform that it claims, and one without any must load in every Node that it is for.
pub(crate) fn disagreement(report: &Report, loads: &[Load]) -> Option<String> {
    let held: Vec<&Load> = loads.iter().filter(|load| load.is_held()).collect();
    let failed = held.iter().find(|load| load.outcome.is_failure());
    let excused = error_of(report, |rule| rule.id == ELSEWHERE).is_some();
    match (error_of(report, |rule| rule.stops_loading), failed) {
        (Some(error), None) if !held.is_empty() => Some(format!(
            "{}: {} is an error ({}), and yet it loads in {}",
            report.file,
            error.rule,
            error.message,
            held.iter().map(|load| load.runtime.as_str()).collect::<Vec<_>>().join("; ")
        )),
        (None, Some(load)) if !excused => Some(format!(
            "{}: no rule says that it does not load, and yet in {}: {}",
            report.file,
            load.runtime,
            load.outcome.text()
        )),
        _ => None,
    }
}

fn error_of(report: &Report, decides: impl Fn(&Rule) -> bool) -> Option<&Finding> {
    report.findings.iter().find(|finding| {
        finding.severity == Severity::Error && Rule::by_id(finding.rule).is_some_and(|rule| decides(&rule))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rules: &[(&'static str, Severity)]) -> Report {
        let finding = |&(rule, severity): &(&'static str, Severity)| Finding {
            file: "x.node".to_owned(),
            platform: None,
            rule,
            severity,
            message: "it is so".to_owned(),
            evidence: String::new(),
            remedy: String::new(),
        };
        let findings = rules.iter().map(finding).collect();
        Report { file: "x.node".to_owned(), platform: None, findings }
    }

    fn loads(outcomes: &[Outcome]) -> Vec<Load> {
        let load = |outcome: &Outcome| Load { runtime: "Node 1".to_owned(), outcome: outcome.clone() };
        outcomes.iter().map(load).collect()
    }

    #[test]
    fn an_error_agrees_with_a_failure_and_none_with_loading_everywhere() {
        let (fails, other) = (Outcome::Fails("no".to_owned()), Outcome::OtherNode("other".to_owned()));
        let (floor, warning) = (("glibc-floor", Severity::Error), ("glibc-floor", Severity::Warning));
        let (elsewhere, runpath) = (("napi-version", Severity::Error), ("runpath", Severity::Error));
        let cases = [
            (vec![floor], vec![Outcome::Loads, fails.clone()], true),
            (vec![floor], vec![Outcome::Loads], false),
            (vec![floor], vec![other.clone()], true),
            (vec![floor], vec![], true),
            (vec![], vec![Outcome::Loads, other], true),
            (vec![], vec![Outcome::Loads, fails.clone()], false),
            (vec![], vec![Outcome::Hangs], false),
            (vec![warning], vec![Outcome::Loads], true),
            (vec![warning], vec![fails.clone()], false),
            (vec![runpath], vec![Outcome::Loads], true),
            (vec![elsewhere], vec![Outcome::Loads], true),
            (vec![elsewhere], vec![Outcome::Loads, fails], true),
        ];
        for (rules, outcomes, agrees) in cases {
            let found = disagreement(&report(&rules), &loads(&outcomes));
            assert_eq!(found.is_none(), agrees, "{rules:?} {outcomes:?} {found:?}");
        }
    }

    #[test]
    fn what_is_about_other_nodes_is_a_rule_and_stops_no_loading_here() {
        assert!(!Rule::by_id(ELSEWHERE).unwrap().stops_loading);
    }
}
