//! Parses `.github/workflows`, and evaluates the GitHub expressions that they use.

#![expect(clippy::unwrap_used, reason = "a workflow that cannot be read fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::checkout::root;

/// A workflow file.
pub(crate) struct Workflow {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) yaml: Value,
}

impl Workflow {
    /// Reads all workflows, sorted by file name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = fs::read_dir(root().join(".github/workflows")).unwrap();
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    /// Reads one workflow.
    pub(crate) fn named(file: &str) -> Self {
        Self::read(&root().join(".github/workflows").join(file))
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let yaml =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { file: path.file_name().unwrap().to_str().unwrap().to_owned(), text, yaml }
    }

    pub(crate) fn jobs(&self) -> &Map<String, Value> {
        self.yaml["jobs"].as_object().unwrap()
    }
}

/// A job's steps. A job that calls a workflow has none.
pub(crate) fn steps(job: &Value) -> &[Value] {
    if job["uses"].is_string() { &[] } else { job["steps"].as_array().unwrap() }
}

/// Returns the strings of a value that is a list, one string or null.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text.as_str()],
        other => other.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

/// The values of expressions in a run, keyed by the expression's text, such as `matrix.platform`.
#[derive(Clone, Default)]
pub(crate) struct Expressions(pub(crate) BTreeMap<String, String>);

impl Expressions {
    /// Replaces the expressions in a text with their values.
    ///
    /// # Panics
    /// Panics if an expression has no value; otherwise the test would run different commands from GitHub's.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("${{") {
            let (expression, after) = from.split_once("}}").unwrap();
            let value = self.0.get(expression.trim());
            filled += before;
            filled += value.unwrap_or_else(|| panic!("the expression `{}` has no value", expression.trim()));
            rest = after;
        }
        filled + rest
    }

    /// Returns whether a condition holds: comparisons with string literals, joined by `&&`.
    pub(crate) fn holds(&self, condition: &str) -> bool {
        condition.split("&&").all(|comparison| {
            let (name, text, equal) = match comparison.split_once("!=") {
                Some((name, text)) => (name, text, false),
                None => {
                    let (name, text) = comparison.split_once("==").unwrap_or_else(|| panic!("{condition}"));
                    (name, text, true)
                }
            };
            let name = name.trim();
            let value = self.0.get(name).unwrap_or_else(|| panic!("the expression `{name}` has no value"));
            (value == text.trim().trim_matches('\'')) == equal
        })
    }
}
