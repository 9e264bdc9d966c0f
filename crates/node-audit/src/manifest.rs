//! What a package.json says that matters to an addon.

use serde_json::Value;

use crate::error::printable;

/// More systems, processors or C libraries are nobody's promise. Each one is held against each of the others.
const MOST_PLATFORMS: usize = 64;

/// The parts of a package.json that promise something.
///
/// Read leniently: a field of another shape than npm documents counts as absent, since npm does the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `name`
    pub name: Option<String>,
    /// `version`
    pub version: Option<String>,
    /// `os`: names of systems, or `!` and a name.
    pub os: Vec<String>,
    /// `cpu`, in the same way.
    pub cpu: Vec<String>,
    /// `libc`, in the same way.
    pub libc: Vec<String>,
    /// `engines.node`: a range of versions.
    pub node: Option<String>,
    /// `main`
    pub main: Option<String>,
    /// `files`: what npm packs, by name or pattern.
    pub files: Vec<String>,
    /// `scripts`, by name.
    pub scripts: Vec<(String, String)>,
    /// `gypfile` is false: npm does not compile a binding.gyp.
    pub no_gyp: bool,
    /// `optionalDependencies`, the names.
    pub optional_dependencies: Vec<String>,
}

/// A package.json that is no JSON object, or one that nobody means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no package.json: {reason}")]
pub struct ManifestError {
    reason: String,
}

impl Manifest {
    /// Reads the text of a package.json.
    ///
    /// # Errors
    /// Where it is no JSON, or no object, or names more systems than there could be.
    pub fn parse(content: &[u8]) -> Result<Manifest, ManifestError> {
        // npm accepts a byte-order mark, too.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let value: Value =
            serde_json::from_slice(content).map_err(|error| ManifestError { reason: error.to_string() })?;
        if !value.is_object() {
            return Err(ManifestError { reason: "it holds no object".to_owned() });
        }
        let text = |value: &Value| value.as_str().map(|text| printable(text.as_bytes()));
        // npm takes a single text for a list of one.
        let list = |value: &Value| match value {
            Value::Array(items) => items.iter().filter_map(text).collect(),
            single => text(single).into_iter().collect::<Vec<_>>(),
        };
        for field in ["os", "cpu", "libc"] {
            if value[field].as_array().is_some_and(|names| names.len() > MOST_PLATFORMS) {
                return Err(ManifestError {
                    reason: format!("its {field} has more than {MOST_PLATFORMS} names"),
                });
            }
        }
        let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
        Ok(Manifest {
            name: text(&value["name"]),
            version: text(&value["version"]),
            os: list(&value["os"]),
            cpu: list(&value["cpu"]),
            libc: list(&value["libc"]),
            node: text(&value["engines"]["node"]),
            main: text(&value["main"]),
            files: list(&value["files"]),
            scripts: entries(&value["scripts"])
                .iter()
                .filter_map(|(name, script)| Some((printable(name.as_bytes()), text(script)?)))
                .collect(),
            no_gyp: value["gypfile"] == Value::Bool(false),
            optional_dependencies: entries(&value["optionalDependencies"])
                .keys()
                .map(|name| printable(name.as_bytes()))
                .collect(),
        })
    }

    /// `name@version`, or what of it there is.
    #[must_use]
    pub fn title(&self) -> String {
        let name = self.name.as_deref().unwrap_or("a package without a name");
        self.version.as_ref().map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_another_shape_are_absent() {
        let manifest = Manifest::parse(
            br#"{"name": 1, "version": "1.0.0", "os": "linux", "cpu": ["x64", 3], "libc": {}, "engines": "x",
                "scripts": {"install": "node-gyp-build", "test": null}, "gypfile": false,
                "optionalDependencies": {"a": "1"}}"#,
        )
        .unwrap();
        assert_eq!(manifest.title(), "a package without a name@1.0.0");
        assert_eq!((manifest.os, manifest.cpu), (vec!["linux".to_owned()], vec!["x64".to_owned()]));
        assert_eq!((manifest.libc, manifest.node, manifest.no_gyp), (vec![], None, true));
        assert_eq!(manifest.scripts, [("install".to_owned(), "node-gyp-build".to_owned())]);
        assert_eq!(manifest.optional_dependencies, ["a"]);
    }

    /// Three lists of 20,000 names made 8 * 10^12 promised platforms.
    #[test]
    fn lists_of_platforms_are_bounded() {
        let list = |count| format!(r#"{{"os": [{}"linux"]}}"#, r#""linux","#.repeat(count));
        assert_eq!(Manifest::parse(list(MOST_PLATFORMS - 1).as_bytes()).unwrap().os.len(), MOST_PLATFORMS);
        let error = Manifest::parse(list(MOST_PLATFORMS).as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "is no package.json: its os has more than 64 names");
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for text in ["", "[]", "{", "null", "\"x\""] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Manifest::parse(&[b'['; 100_000]).is_err(), "deep nesting");
        assert!(Manifest::parse("{\"a\":".repeat(100_000).as_bytes()).is_err(), "deep nesting");
        assert!(Manifest::parse(b"\xef\xbb\xbf{}").is_ok());
    }
}
