//! Reads policies from TOML files. A file overrides the parts of the default policy that it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::Severity;
use crate::limits::MAX_POLICY;
use crate::policy::{FirmFloors, Policy};
use crate::printable::{display_path, printable};
use crate::rules::RULES;
use crate::version::Version;

/// A policy file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The operating system cannot read the file, or the file is not UTF-8.
    #[error("{file}: the policy cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file is not TOML, or has a key or value that a policy does not have.
    #[error("{file}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// The problem and the known keys or values.
        message: String,
    },
}

impl Policy {
    /// Returns the default policy with the overrides in a TOML file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has an unknown rule, table or value.
    pub fn from_file(path: &Path) -> Result<Policy, PolicyError> {
        let unreadable = |source| PolicyError::Unreadable { file: display_path(path), source };
        let mut text = String::new();
        // The file may be a pipe, which has no length.
        let length = File::open(path).and_then(|open| open.take(MAX_POLICY + 1).read_to_string(&mut text));
        if length.map_err(unreadable)? as u64 > MAX_POLICY {
            let reason = format!(
                "the file is larger than {} KiB, the largest policy that node-audit reads",
                MAX_POLICY >> 10
            );
            return Err(unreadable(io::Error::other(reason)));
        }
        Policy::from_toml(path, &text)
    }

    /// Returns the default policy with the overrides in a TOML text; `path` names the text in errors.
    ///
    /// # Errors
    /// The text is not TOML, or has an unknown rule, table or value.
    pub fn from_toml(path: &Path, text: &str) -> Result<Policy, PolicyError> {
        let invalid = |span: Range<usize>, message: &str| {
            let (line, column) = position(text, span.start);
            // The parser puts each list of known names on a separate line.
            let message =
                message.lines().map(|line| printable(line.as_bytes())).collect::<Vec<_>>().join("; ");
            PolicyError::Invalid { file: display_path(path), line, column, message }
        };
        let file: Changes = toml::from_str(text)
            .map_err(|error| invalid(error.span().unwrap_or_default(), error.message().trim()))?;
        for id in file.severities.keys() {
            if !RULES.iter().any(|rule| rule.id == id.get_ref()) {
                let known = RULES.map(|rule| rule.id).join(", ");
                return Err(invalid(
                    id.span(),
                    &format!("unknown rule `{}`; known rules: {known}", id.get_ref()),
                ));
            }
        }
        Ok(file.policy())
    }
}

/// The whole file. An absent part overrides nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Changes {
    #[serde(default)]
    floors: FloorChanges,
    #[serde(default)]
    allow: Libraries,
    #[serde(default)]
    only: Libraries,
    #[serde(default)]
    budget: Budget,
    #[serde(default)]
    exports: Exports,
    #[serde(default)]
    hardening: HardeningChanges,
    #[serde(default)]
    severities: BTreeMap<Spanned<String>, Level>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FloorChanges {
    glibc: Option<Version>,
    glibcxx: Option<Version>,
    cxxabi: Option<Version>,
    gcc: Option<Version>,
    macos_x64: Option<Version>,
    macos_arm64: Option<Version>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Libraries {
    glibc: Option<Vec<String>>,
    musl: Option<Vec<String>>,
    macos: Option<Vec<String>>,
    windows: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    size: Option<Size>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exports {
    others: Option<Severity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HardeningChanges {
    stack_protector: Option<bool>,
    fortify: Option<bool>,
}

/// A severity, or `off`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Off,
    Info,
    Warning,
    Error,
}

/// A number of bytes: `8 MB`, `32 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Size(u64);

const UNITS: [(&str, u64); 6] =
    [("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_start_matches(|character: char| character.is_ascii_digit());
        let (number, unit) = text.split_at(text.len() - digits.len());
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let bytes =
            number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, unit))| number.checked_mul(*unit));
        let known = UNITS.map(|(name, _)| name).join(", ");
        bytes.map(Size).ok_or_else(|| {
            format!("`{text}` is not a size: expected a whole number and one of {known}, as in \"8 MB\"")
        })
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Changes {
    fn policy(self) -> Policy {
        let Changes { floors, allow, only, budget, exports, hardening, severities } = self;
        let firm = FirmFloors {
            glibc: floors.glibc.is_some(),
            compiler: floors.glibcxx.or(floors.cxxabi).or(floors.gcc).is_some(),
            macos: floors.macos_x64.or(floors.macos_arm64).is_some(),
        };
        let mut policy = Policy { firm, ..Policy::default() };
        let own = &mut policy.floors;
        for (floor, given) in [
            (&mut own.glibc, floors.glibc),
            (&mut own.glibcxx, floors.glibcxx),
            (&mut own.cxxabi, floors.cxxabi),
            (&mut own.gcc, floors.gcc),
            (&mut own.macos_x64, floors.macos_x64),
            (&mut own.macos_arm64, floors.macos_arm64),
        ] {
            *floor = given.unwrap_or(*floor);
        }
        let own = &mut policy.allowed;
        for (list, only, allow) in [
            (&mut own.glibc, only.glibc, allow.glibc),
            (&mut own.musl, only.musl, allow.musl),
            (&mut own.macos, only.macos, allow.macos),
            (&mut own.windows, only.windows, allow.windows),
        ] {
            if let Some(only) = only {
                *list = only;
            }
            list.extend(allow.unwrap_or_default());
        }
        if let Some(Size(bytes)) = budget.size {
            policy.size = bytes;
        }
        policy.other_exports = exports.others.unwrap_or(policy.other_exports);
        for (expected, given) in [
            (&mut policy.hardening.stack_protector, hardening.stack_protector),
            (&mut policy.hardening.fortify, hardening.fortify),
        ] {
            *expected = given.unwrap_or(*expected);
        }
        policy.severities = severities
            .into_iter()
            .map(|(id, level)| {
                let severity = match level {
                    Level::Off => None,
                    Level::Info => Some(Severity::Info),
                    Level::Warning => Some(Severity::Warning),
                    Level::Error => Some(Severity::Error),
                };
                (id.into_inner(), severity)
            })
            .collect();
        policy
    }
}

/// Returns the line and the column of a byte, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, expected) in
            [("8 MB", 8_000_000), ("8MB", 8_000_000), ("0 B", 0), ("1 KiB", 1024), ("2  GiB", 2 << 30)]
        {
            assert_eq!(text.parse(), Ok(Size(expected)), "{text}");
        }
        for text in
            ["", "8", "MB", "8 XB", "-8 MB", "8.5 MB", "8 mb", "99999999999999999999 B", "99999999999 GiB"]
        {
            let error = text.parse::<Size>().unwrap_err();
            assert!(
                error.starts_with(&format!("`{text}` is not a size")) && error.contains("KiB"),
                "{error}"
            );
        }
    }

    #[test]
    fn positions_count_lines_and_characters_from_1() {
        for (offset, expected) in [(0, (1, 1)), (2, (1, 2)), (4, (2, 1)), (5, (2, 2)), (99, (2, 3))] {
            assert_eq!(position("\u{e4}x\nyz", offset), expected, "{offset}");
        }
    }
}
