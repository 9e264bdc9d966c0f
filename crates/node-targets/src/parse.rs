//! From the text of `targets.json` to [`Target`]s that agree with themselves.

use serde::Deserialize;
use serde_json::Value;

use crate::{Cpu, Libc, Os, Target};

/// What is wrong with a target table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetsError {
    /// The text is no JSON.
    #[error("targets.json is no valid JSON: {source}")]
    Json {
        /// The parser's own words, with line and column.
        source: serde_json::Error,
    },
    /// The text is JSON, but not a table.
    #[error(
        "targets.json must be an object with the arrays `targets`, `cFlags` and `rustFlags`, `targets` not empty"
    )]
    NoTable,
    /// A target lacks a field, or a field holds what it cannot.
    #[error("targets.json, {target}: {source}")]
    Field {
        /// Its position and, where it has one, its triple.
        target: String,
        /// Which field, and what is allowed there.
        source: serde_json::Error,
    },
    /// A target's name says something else than its fields.
    #[error("targets.json, {target}: {field} is `{actual}`, but os, cpu and libc make it `{expected}`")]
    Name {
        /// Its position and triple.
        target: String,
        /// `triple` or `platform`.
        field: &'static str,
        /// The name as written.
        actual: String,
        /// The name that the fields make.
        expected: String,
    },
    /// `libc` is missing on Linux, or given elsewhere.
    #[error("targets.json, {target}: libc must be `glibc` or `musl` on linux, and null elsewhere")]
    Libc {
        /// Its position and triple.
        target: String,
    },
    /// No system builds a target.
    #[error("targets.json, {target}: buildHosts is empty; name the system that builds the release")]
    NoBuildHost {
        /// Its position and triple.
        target: String,
    },
    /// A flag lacks a field, or a field has a value of the wrong type.
    #[error("targets.json, {list}: {source}")]
    FlagField {
        /// `cFlags` or `rustFlags`.
        list: &'static str,
        /// The field, and what it may hold.
        source: serde_json::Error,
    },
    /// A flag has no reason, or is for a platform that the table lacks.
    #[error("targets.json, {list}, `{flag}`: {problem}")]
    Flag {
        /// `cFlags` or `rustFlags`.
        list: &'static str,
        /// The flag.
        flag: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// Two targets have the same name.
    #[error("targets.json, {target}: an earlier target has the same triple and platform")]
    Duplicate {
        /// Position and triple of the second one.
        target: String,
    },
}

/// Reads a target table.
///
/// # Errors
/// The first thing that is wrong, in one line that names the target and the field.
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
        // The checked names follow from the same fields, so equal triples mean equal platforms and the reverse.
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

/// One of the table's lists of compiler flags.
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

/// A flag, the platforms that it is for, and the reason for a reader.
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
        return Err(wrong("`why` is empty; say in a sentence what the flag is for".to_owned()));
    }
    if flag.contains(char::is_whitespace) || flag.is_empty() {
        return Err(wrong("a flag is one word; write an entry for each".to_owned()));
    }
    for platform in platforms {
        let Some(target) = targets.iter_mut().find(|target| target.platform == platform) else {
            return Err(wrong(format!("`platforms` has `{platform}`, which no row is named")));
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
    let (node_cpu, rust_cpu) = match target.cpu {
        Cpu::X64 => ("x64", "x86_64"),
        Cpu::Arm64 => ("arm64", "aarch64"),
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
