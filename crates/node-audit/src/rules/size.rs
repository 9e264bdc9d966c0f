//! Checks that the file stays within the size budget.

use super::evidence::readable_size;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "size",
    asks: "the file is no larger than the policy's budget",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "Every install downloads and unpacks the addon, serverless platforms limit the size of a deployment, \
        and a cold start reads the addon from disk. The usual causes of a sudden increase are debug information, and a \
        library that was linked in by mistake. The policy sets the budget: 32 MB unless a policy file says otherwise.\n\
        Strip the file, drop unused code (-Wl,--gc-sections, lto), or raise the budget in the policy if the size is \
        intended.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let (size, budget) = (subject.facts.size, subject.policy.size);
    if size <= budget {
        return Vec::new();
    }
    vec![Problem {
        severity: Severity::Warning,
        message: format!(
            "the addon is {} large; the budget is {}",
            readable_size(size),
            readable_size(budget)
        ),
        evidence: format!("{size} bytes, {} more than {budget}", size - budget),
        remedy: "strip the file, drop unused code (-Wl,--gc-sections, lto), or raise the policy's budget"
            .to_owned(),
    }]
}
