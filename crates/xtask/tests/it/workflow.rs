//! `.github/workflows`, parsed; and what GitHub makes of an expression, as far as ours go.

#![expect(clippy::unwrap_used, reason = "a workflow that cannot be read fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    crate::folder().join("../..")
}

/// A workflow file.
pub(crate) struct Workflow {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) yaml: Value,
}

impl Workflow {
    /// All of them, by the names of their files.
    pub(crate) fn all() -> Vec<Self> {
        let folder = fs::read_dir(root().join(".github/workflows")).unwrap();
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    /// One of them.
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

/// A job's steps.
pub(crate) fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().unwrap()
}

/// A list of texts, or one, or none.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text.as_str()],
        other => other.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

/// What the expressions of a run mean: `matrix.platform` and the like, by their whole text.
#[derive(Clone, Default)]
pub(crate) struct Expressions(pub(crate) BTreeMap<String, String>);

impl Expressions {
    /// A text with its expressions replaced.
    ///
    /// # Panics
    /// Where one is not known: the test would run something else than GitHub.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("${{") {
            let (expression, after) = from.split_once("}}").unwrap();
            let value = self.0.get(expression.trim());
            filled += before;
            filled += value.unwrap_or_else(|| panic!("what is `{}` here?", expression.trim()));
            rest = after;
        }
        filled + rest
    }

    /// Whether a condition holds: comparisons with a text, joined by `&&`.
    pub(crate) fn holds(&self, condition: &str) -> bool {
        condition.split("&&").all(|comparison| {
            let (name, text, equal) = match comparison.split_once("!=") {
                Some((name, text)) => (name, text, false),
                None => {
                    let (name, text) = comparison.split_once("==").unwrap_or_else(|| panic!("{condition}"));
                    (name, text, true)
                }
            };
            let value = self.0.get(name.trim()).unwrap_or_else(|| panic!("what is `{}` here?", name.trim()));
            (value == text.trim().trim_matches('\'')) == equal
        })
    }
}
