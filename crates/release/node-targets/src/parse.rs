//! Parses and validates `targets.json`.

use serde::Deserialize;
use serde_json::Value;

use crate::names::{Libc, Os, rust_cpu};
use crate::target::Target;

/// The first mistake in a target table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetsError {
    /// The text isn't JSON.
    #[error("targets.json is not valid JSON: {source}")]
    Json {
        /// The parser's error, with line and column.
        source: serde_json::Error,
    },
    /// The text is JSON, but not a table.
    #[error(
        "targets.json must be an object with exactly the arrays `targets`, `cFlags` and `rustFlags`; `targets` must \
         not be empty"
    )]
    NoTable,
    /// A target lacks a field, or a field has an invalid value.
    #[error("targets.json, {target}: {source}")]
    Field {
        /// Position and, if present, triple of the target.
        target: String,
        /// The parser's error, which names the field and the allowed values.
        source: serde_json::Error,
    },
    /// A target's name contradicts its fields.
    #[error("targets.json, {target}: {field} is `{actual}`, but os, cpu and libc require `{expected}`")]
    Name {
        /// Position and triple of the target.
        target: String,
        /// `triple` or `platform`.
        field: &'static str,
        /// The name in the table.
        actual: String,
        /// The name that follows from os, cpu and libc.
        expected: String,
    },
    /// The processor has no known Rust name.
    #[error(
        "targets.json, {target}: no Rust triple is known for the processor `{cpu}`; add it to `rust_cpu` in \
         crates/release/node-targets/src/names.rs"
    )]
    Processor {
        /// Position and triple of the target.
        target: String,
        /// The processor.
        cpu: &'static str,
    },
    /// `libc` is null on Linux, or set on another system.
    #[error("targets.json, {target}: libc must be `glibc` or `musl` on linux, and null elsewhere")]
    Libc {
        /// Position and triple of the target.
        target: String,
    },
    /// A target has no build host.
    #[error("targets.json, {target}: buildHosts is empty; name the system that builds the release")]
    NoBuildHost {
        /// Position and triple of the target.
        target: String,
    },
    /// A flag lacks a field, or a field has a value of the wrong type.
    #[error("targets.json, {list}: {source}")]
    FlagField {
        /// `cFlags` or `rustFlags`.
        list: &'static str,
        /// The parser's error, which names the field and the allowed values.
        source: serde_json::Error,
    },
    /// A flag is malformed, has no reason, or names a platform that isn't in the table.
    #[error("targets.json, {list}, `{flag}`: {problem}")]
    Flag {
        /// `cFlags` or `rustFlags`.
        list: &'static str,
        /// The flag.
        flag: String,
        /// The mistake and its correction.
        problem: String,
    },
    /// Two targets have the same name.
    #[error("targets.json, {target}: an earlier target has the same triple and platform; remove one of them")]
    Duplicate {
        /// Position and triple of the second target.
        target: String,
    },
}

/// Parses a target table.
///
/// # Errors
/// [`TargetsError`] for the first mistake. The message is one line that names the target and the field.
pub fn parse(text: &str) -> Result<Vec<Target>, TargetsError> {
    let mut table: Value = serde_json::from_str(text).map_err(|source| TargetsError::Json { source })?;
    let mut take = |name: &str| match table.get_mut(name).map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(TargetsError::NoTable),
    };
    let rows = take("targets")?;
    let flags = FlagList::ALL.map(|list| Ok((list, take(list.name())?)));
    let only_keys = table.as_object().is_some_and(|object| object.len() == 1 + FlagList::ALL.len());
    if rows.is_empty() || !only_keys {
        return Err(TargetsError::NoTable);
    }
    let mut targets: Vec<Target> = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        let triple = row.get("triple").and_then(Value::as_str).unwrap_or("no triple").to_owned();
        let label = format!("target {} ({triple})", index + 1);
        let target: Target = match serde_json::from_value(row) {
            Ok(target) => target,
            Err(source) => return Err(TargetsError::Field { target: label, source }),
        };
        check_names(&target, &label)?;
        if target.build_hosts.is_empty() {
            return Err(TargetsError::NoBuildHost { target: label });
        }
        // `check_names` derives both names from the same fields, so equal triples mean equal platforms.
        if targets.iter().any(|earlier| earlier.triple == target.triple) {
            return Err(TargetsError::Duplicate { target: label });
        }
        targets.push(target);
    }
    for list in flags {
        let (list, entries) = list?;
        for entry in entries {
            add_flag(&mut targets, list, entry)?;
        }
    }
    Ok(targets)
}

/// A list of compiler flags in the table.
#[derive(Clone, Copy)]
enum FlagList {
    C,
    Rust,
}

impl FlagList {
    const ALL: [Self; 2] = [Self::C, Self::Rust];

    fn name(self) -> &'static str {
        match self {
            Self::C => "cFlags",
            Self::Rust => "rustFlags",
        }
    }

    fn of(self, target: &mut Target) -> &mut Vec<String> {
        match self {
            Self::C => &mut target.c_flags,
            Self::Rust => &mut target.rust_flags,
        }
    }
}

/// A flag, the platforms that get it, and the reason for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flag {
    flag: String,
    platforms: Vec<String>,
    why: String,
}

fn add_flag(targets: &mut [Target], list: FlagList, entry: Value) -> Result<(), TargetsError> {
    let name = list.name();
    let Flag { flag, platforms, why } =
        serde_json::from_value(entry).map_err(|source| TargetsError::FlagField { list: name, source })?;
    let wrong = |problem: String| TargetsError::Flag { list: name, flag: flag.clone(), problem };
    if why.trim().is_empty() {
        return Err(wrong("`why` is empty; state in a sentence why the flag is needed".to_owned()));
    }
    if flag.contains(char::is_whitespace) || flag.is_empty() {
        return Err(wrong("a flag must be one word; add one entry per flag".to_owned()));
    }
    for platform in platforms {
        let Some(target) = targets.iter_mut().find(|target| target.platform == platform) else {
            return Err(wrong(format!("`platforms` names `{platform}`, which is not in `targets`")));
        };
        list.of(target).push(flag.clone());
    }
    Ok(())
}

fn check_names(target: &Target, label: &str) -> Result<(), TargetsError> {
    let (node_os, rust_os, suffix) = match (target.os, target.libc) {
        (Os::Linux, Some(Libc::Glibc)) => ("linux", "unknown-linux-gnu", "-gnu"),
        (Os::Linux, Some(Libc::Musl)) => ("linux", "unknown-linux-musl", "-musl"),
        (Os::Darwin, None) => ("darwin", "apple-darwin", ""),
        (Os::Win32, None) => ("win32", "pc-windows-msvc", "-msvc"),
        _ => return Err(TargetsError::Libc { target: label.to_owned() }),
    };
    let node_cpu = target.cpu.name();
    let Some(rust_cpu) = rust_cpu(target.cpu) else {
        return Err(TargetsError::Processor { target: label.to_owned(), cpu: node_cpu });
    };
    let names = [
        ("triple", &target.triple, format!("{rust_cpu}-{rust_os}")),
        ("platform", &target.platform, format!("{node_os}-{node_cpu}{suffix}")),
    ];
    for (field, actual, expected) in names {
        if *actual != expected {
            return Err(TargetsError::Name {
                target: label.to_owned(),
                field,
                actual: actual.clone(),
                expected,
            });
        }
    }
    Ok(())
}
