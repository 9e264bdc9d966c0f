//! The fields of a package.json that matter to an addon.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::limits::{MAX_EXPORTED_PATHS, MAX_PLATFORM_NAMES};
use crate::manifest_lines::field_lines;
use crate::napi_config::NapiConfig;
use crate::printable::printable;

/// The scripts that npm runs while it installs a package from a registry, in this order.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// The fields of a package.json that matter to an addon.
///
/// As in npm, a field with an undocumented type is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `name`
    pub name: Option<String>,
    /// `version`
    pub version: Option<String>,
    /// `os`: names of systems, each possibly after a `!`.
    pub os: Vec<String>,
    /// `cpu`, in the same form.
    pub cpu: Vec<String>,
    /// `libc`, in the same form.
    pub libc: Vec<String>,
    /// `engines.node`: a range of versions.
    pub node: Option<String>,
    /// `main`
    pub main: Option<String>,
    /// `files`: the names and patterns of the files that npm packs.
    pub files: Vec<String>,
    /// `scripts`, by name.
    pub scripts: Vec<(String, String)>,
    /// `true` if `gypfile` is false, so that npm does not compile a binding.gyp.
    pub no_gyp: bool,
    /// The names in `optionalDependencies`.
    pub optional_dependencies: Vec<String>,
    /// The version ranges of these dependencies, in the same order; empty for a range that is not a string.
    pub optional_ranges: Vec<String>,
    /// The names in `dependencies`.
    pub dependencies: Vec<String>,
    /// The paths in `exports`, under any condition.
    pub exports: Vec<String>,
    /// `napi`, the configuration of napi-rs.
    pub(crate) napi: Option<NapiConfig>,
    /// The line on which each field begins, by name: `scripts.install`.
    pub(crate) lines: BTreeMap<String, usize>,
}

/// An invalid package.json.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid package.json: {reason}")]
pub struct ManifestError {
    reason: String,
}

impl Manifest {
    /// Parses the text of a package.json.
    ///
    /// # Errors
    /// The text is not a JSON object, or a list of platforms is too long.
    pub fn parse(content: &[u8]) -> Result<Manifest, ManifestError> {
        // npm accepts a byte-order mark.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let value: Value =
            serde_json::from_slice(content).map_err(|error| ManifestError { reason: error.to_string() })?;
        if !value.is_object() {
            return Err(ManifestError { reason: "the file does not contain a JSON object".to_owned() });
        }
        let text = |value: &Value| value.as_str().map(|text| printable(text.as_bytes()));
        // npm treats a single string as a list of one.
        let list = |value: &Value| match value {
            Value::Array(items) => items.iter().filter_map(text).collect(),
            single => text(single).into_iter().collect::<Vec<_>>(),
        };
        for field in ["os", "cpu", "libc"] {
            if value[field].as_array().is_some_and(|names| names.len() > MAX_PLATFORM_NAMES) {
                let reason = format!("`{field}` has more than {MAX_PLATFORM_NAMES} names");
                return Err(ManifestError { reason });
            }
        }
        let names = |value: &Value| {
            entries(value).into_iter().map(|(name, _)| printable(name.as_bytes())).collect::<Vec<_>>()
        };
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
                .into_iter()
                .filter_map(|(name, script)| Some((printable(name.as_bytes()), text(script)?)))
                .collect(),
            no_gyp: value["gypfile"] == Value::Bool(false),
            optional_dependencies: names(&value["optionalDependencies"]),
            optional_ranges: entries(&value["optionalDependencies"])
                .into_iter()
                .map(|(_, range)| text(range).unwrap_or_default())
                .collect(),
            dependencies: names(&value["dependencies"]),
            exports: exported_paths(&value["exports"]),
            napi: NapiConfig::parse(&value["napi"]),
            lines: field_lines(content),
        })
    }

    /// Returns `name@version`, without absent parts.
    #[must_use]
    pub fn title(&self) -> String {
        let name = self.name.as_deref().unwrap_or("a package without a name");
        self.version.as_ref().map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"))
    }

    /// Returns the line, from 1, of the first field that a text names, such as `scripts.install: node-gyp rebuild`; or
    /// else the line of `name`.
    pub(crate) fn line_of(&self, text: &str) -> usize {
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let words = text.split(|c: char| !is_in_name(c));
        let line = words.filter_map(|word| self.lines.get(word)).next();
        line.or_else(|| self.lines.get("name")).copied().unwrap_or(1)
    }

    /// Returns the names and commands of the scripts that npm runs on installation, in npm's order.
    pub(crate) fn install_scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        let script = |wanted: &&str| self.scripts.iter().find(|(name, _)| name == wanted);
        INSTALL_SCRIPTS.iter().filter_map(script).map(|(name, script)| (name.as_str(), script.as_str()))
    }

    /// Returns the addons that `main` and `files` name; ignores patterns.
    pub(crate) fn named_addons(&self) -> impl Iterator<Item = NamedAddon<'_>> {
        let main = self.main.iter().map(|path| ("main", path.as_str()));
        let files = self.files.iter().map(|path| ("files", path.as_str()));
        let is_pattern = |path: &str| path.contains(['*', '?', '[', '{']) || path.starts_with('!');
        main.chain(files)
            .filter(move |(_, path)| path.ends_with(".node") && !is_pattern(path))
            .map(|(field, path)| NamedAddon { field, path: path.trim_start_matches('/') })
    }
}

/// Returns the fields of an object, ordered by name. The order in serde_json's own objects depends on a feature that
/// another crate in the build may enable.
fn entries(value: &Value) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = value.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}

/// Returns the paths in `exports`; ignores patterns.
fn exported_paths(exports: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    let mut left = vec![exports];
    while let Some(value) = left.pop() {
        match value {
            Value::String(path) if !path.contains('*') && paths.len() < MAX_EXPORTED_PATHS => {
                paths.push(printable(path.as_bytes()));
            }
            Value::Array(items) => left.extend(items.iter().rev()),
            Value::Object(_) => left.extend(entries(value).into_iter().rev().map(|(_, value)| value)),
            _ => {}
        }
    }
    paths
}

/// An addon that a package.json names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamedAddon<'a> {
    /// `main` or `files`.
    pub(crate) field: &'static str,
    /// The path from the folder of the package.json.
    pub(crate) path: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_an_undocumented_type_are_ignored() {
        let manifest = Manifest::parse(
            br#"{"name": 1, "version": "1.0.0", "os": "linux", "cpu": ["x64", 3], "libc": {}, "engines": "x",
                "scripts": {"install": "node-gyp-build", "test": null}, "gypfile": false,
                "optionalDependencies": {"a": "1", "b": 2}, "dependencies": ["c"],
                "exports": {".": {"import": "./x.mjs", "default": ["./x.cjs", 1]}, "./*": "./*"}, "napi": "x"}"#,
        )
        .unwrap();
        assert_eq!(manifest.title(), "a package without a name@1.0.0");
        assert_eq!((manifest.os, manifest.cpu), (vec!["linux".to_owned()], vec!["x64".to_owned()]));
        assert_eq!((manifest.libc, manifest.node, manifest.no_gyp), (vec![], None, true));
        assert_eq!(manifest.scripts, [("install".to_owned(), "node-gyp-build".to_owned())]);
        assert_eq!(manifest.optional_dependencies, ["a", "b"]);
        assert_eq!(
            (manifest.optional_ranges, manifest.dependencies),
            (vec!["1".to_owned(), String::new()], vec![])
        );
        assert_eq!(
            (manifest.exports, manifest.napi),
            (vec!["./x.cjs".to_owned(), "./x.mjs".to_owned()], None)
        );
    }

    /// Three lists of 20,000 names produced 8 * 10^12 promised platforms.
    #[test]
    fn lists_of_platforms_are_bounded() {
        let list = |count| format!(r#"{{"os": [{}"linux"]}}"#, r#""linux","#.repeat(count));
        assert_eq!(
            Manifest::parse(list(MAX_PLATFORM_NAMES - 1).as_bytes()).unwrap().os.len(),
            MAX_PLATFORM_NAMES
        );
        let error = Manifest::parse(list(MAX_PLATFORM_NAMES).as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "is not a valid package.json: `os` has more than 64 names");
    }

    #[test]
    fn json_other_than_an_object_is_an_error() {
        for text in ["", "[]", "{", "null", "\"x\""] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Manifest::parse(&[b'['; 100_000]).is_err(), "deep nesting");
        assert!(Manifest::parse("{\"a\":".repeat(100_000).as_bytes()).is_err(), "deep nesting");
        assert!(Manifest::parse(b"\xef\xbb\xbf{}").is_ok());
    }
}
