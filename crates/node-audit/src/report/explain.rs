//! Formats the explanations of rules.

use super::wrap::{prose, wrap};
use crate::named_policy::NamedPolicy;
use crate::rules::{RULES, Rule};

/// Formats a rule's severity, requirement, reason and remedy for a terminal of `width` columns.
#[must_use]
pub fn explain(rule: &Rule, width: u16) -> String {
    let width = prose(width);
    let mut text = format!("{} ({})\n{}\n", rule.id, rule.severity, wrap(rule.asks, width).join("\n"));
    for paragraph in rule.explanation.lines() {
        text += &format!("\n{}\n", wrap(paragraph, width).join("\n"));
    }
    text
}

/// Formats a named policy, with its comments in lines of at most `width` columns. The output is still a valid policy
/// file.
#[must_use]
pub fn policy_text(policy: &NamedPolicy, width: u16) -> String {
    let mut text = String::new();
    for line in policy.text.lines() {
        let comment = line.strip_prefix("# ").filter(|_| line.chars().count() > prose(width));
        match comment {
            Some(comment) => text += &format!("# {}\n", wrap(comment, prose(width) - 2).join("\n# ")),
            None => text += &format!("{line}\n"),
        }
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
        let summary = wrap(policy.summary(), prose(width).saturating_sub(indent));
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
        let asks = wrap(rule.asks, prose(width).saturating_sub(indent));
        let asks = asks.join(&format!("\n{:indent$}", ""));
        text += &format!("{:names$}  {:7}  {asks}\n", rule.id, rule.severity);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_fit_a_narrow_terminal() {
        for rule in RULES {
            for line in explain(&rule, 40).lines() {
                assert!(line.chars().count() <= 40 || !line.contains(' '), "{line}");
            }
        }
        for policy in NamedPolicy::ALL {
            let text = policy_text(&policy, 40);
            let comments: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
            for line in comments {
                assert!(line.chars().count() <= 40 || line.matches(' ').count() == 1, "{line}");
            }
            assert_eq!(
                policy.text.split_whitespace().filter(|word| *word != "#").count(),
                text.split_whitespace().filter(|word| *word != "#").count()
            );
        }
    }
}
