//! The file is no larger than the budget.

use super::{Check, Problem, Rule, Subject};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "size",
    asks: "the file is no larger than the policy's budget",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "Every install downloads and unpacks the addon, serverless platforms limit what is deployed, and a cold \
        start reads it from disk. An addon that grows all at once often ships debug information, or a library that was \
        linked in by mistake. The budget is the policy's: 32 MB unless a policy file says otherwise.\n\
        Strip it, drop what is not used (-Wl,--gc-sections, lto), or raise the budget in the policy if the size is \
        meant.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let (size, budget) = (subject.facts.size, subject.policy.size);
    if size <= budget {
        return Vec::new();
    }
    vec![Problem {
        severity: Severity::Warning,
        message: format!("it is {}; the budget is {}", readable(size), readable(budget)),
        evidence: format!("{size} bytes, {} more than {budget}", size - budget),
        remedy: "strip it, drop what is not used (-Wl,--gc-sections, lto), or raise the policy's size"
            .to_owned(),
    }]
}

/// A length as people read it: `1.2 MB`, `350.0 kB`, `12 bytes`.
pub(super) fn readable(bytes: u64) -> String {
    // Tenths, rounded, in whole numbers.
    let tenths = |unit: u64| bytes / (unit / 10) + u64::from(bytes % (unit / 10) >= unit / 20);
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..999_950 => (1_000, "kB"),
        999_950..999_950_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", tenths(unit) / 10, tenths(unit) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_to_a_tenth() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_049, "1.0 kB"),
            (1_050, "1.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (32_000_000, "32.0 MB"),
            (8_000_000, "8.0 MB"),
            (999_950_000, "1.0 GB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(readable(bytes), text, "{bytes}");
        }
    }
}
