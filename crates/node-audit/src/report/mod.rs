//! Formats findings, facts and summaries as text.

mod explain;
mod facts;
mod github;
mod groups;
mod json;
mod sarif;
mod summary;
mod table;
mod wrap;

pub use explain::{explain, policy_list, policy_text, rule_list};
pub use facts::facts_text;
pub use github::github;
pub use json::{facts_json, json, summary_json};
pub use sarif::sarif;
pub use summary::summary_table;
pub use table::{findings_table, table, verdict_lines};
