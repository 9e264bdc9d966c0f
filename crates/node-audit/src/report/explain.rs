//! Explanations of rules.

use super::wrap::{usable, wrap};
use crate::named_policy::NamedPolicy;
use crate::rules::{RULES, Rule};

/// Formats a rule's severity, requirement, reason and remedy for a terminal of `width` columns.
#[must_use]
pub fn explain(rule: &Rule, width: u16) -> String {
    let width = usize::from(usable(width));
    let mut text = format!("{} ({})\n{}\n", rule.id, rule.severity, wrap(rule.asks, width).join("\n"));
    for paragraph in rule.explanation.lines() {
        text += &format!("\n{}\n", wrap(paragraph, width).join("\n"));
    }
    text
}

/// Formats all named policies, one after the other.
#[must_use]
pub fn policy_list(width: u16) -> String {
    let names = NamedPolicy::ALL.iter().map(|policy| policy.name.len()).max().unwrap_or_default();
    let indent = names + "  ".len();
    let mut text = String::new();
    for policy in NamedPolicy::ALL {
        let summary = wrap(policy.summary(), usize::from(usable(width)).saturating_sub(indent));
        text += &format!("{:names$}  {}\n", policy.name, summary.join(&format!("\n{:indent$}", "")));
    }
    text
}

/// Formats all rules with severity and requirement, one after the other.
#[must_use]
pub fn rule_list(width: u16) -> String {
    let names = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let indent = names + "  warning  ".len();
    let mut text = String::new();
    for rule in RULES {
        let asks = wrap(rule.asks, usize::from(usable(width)).saturating_sub(indent));
        let asks = asks.join(&format!("\n{:indent$}", ""));
        text += &format!("{:names$}  {:7}  {asks}\n", rule.id, rule.severity);
    }
    text
}
