//! Compares Nix' addons with those of `cargo xtask dist`, and reads their debug information.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use node_audit::read_facts;
use node_targets::{Os, Target};
use serde_json::Value;

use crate::paths::{Workspace, program};
use crate::process;

/// The addon's entry point, whose address is looked up.
const ENTRY: &str = "napi_register_module_v1";

/// Two addons for one target.
pub(crate) struct Pair<'a> {
    pub(crate) nix: &'a Path,
    pub(crate) dist: &'a Path,
}

/// Fails if the facts of the two addons differ: exports, imports, libraries, load commands, floor, hardening. Only the size may.
pub(crate) fn same_facts(workspace: &Workspace, addons: &Pair<'_>) -> Result<()> {
    let (nix, dist) = (facts(addons.nix)?, facts(addons.dist)?);
    let fields: BTreeSet<&String> = nix.keys().chain(dist.keys()).collect();
    let differences: Vec<String> = fields
        .into_iter()
        .filter(|field| nix.get(*field) != dist.get(*field))
        .map(|field| difference(field, &Values { nix: nix.get(field), dist: dist.get(field) }))
        .collect();
    ensure!(
        differences.is_empty(),
        "Nix' addon differs from {}, which `cargo xtask dist` built: {}",
        workspace.shown(addons.dist),
        differences.join("; ")
    );
    Ok(())
}

/// The facts of an addon by field.
fn facts(addon: &Path) -> Result<BTreeMap<String, Value>> {
    let content = fs::read(addon).with_context(|| format!("cannot read {}", addon.display()))?;
    let facts = serde_json::to_value(read_facts(addon, &content)?)?;
    let mut fields = BTreeMap::new();
    flatten("", facts, &mut fields);
    fields.retain(|field, _| !field.ends_with(".size"));
    Ok(fields)
}

/// Objects and the elements of the outermost list become fields of their own; `0.details.nodelete`.
fn flatten(name: &str, value: Value, fields: &mut BTreeMap<String, Value>) {
    let join = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(object) => {
            object.into_iter().for_each(|(key, value)| flatten(&join(&key), value, fields));
        }
        Value::Array(list) if name.is_empty() => {
            list.into_iter()
                .enumerate()
                .for_each(|(index, value)| flatten(&index.to_string(), value, fields));
        }
        value => drop(fields.insert(name.to_owned(), value)),
    }
}

/// A field of both addons.
struct Values<'a> {
    nix: Option<&'a Value>,
    dist: Option<&'a Value>,
}

fn difference(field: &str, values: &Values<'_>) -> String {
    let only = |one: &[Value], other: &[Value]| {
        let only: Vec<String> =
            one.iter().filter(|value| !other.contains(value)).map(Value::to_string).take(5).collect();
        if only.is_empty() { "nothing".to_owned() } else { only.join(", ") }
    };
    if let (Some(Value::Array(nix)), Some(Value::Array(dist))) = (values.nix, values.dist) {
        return format!("{field}: only Nix' has {}, only dist's has {}", only(nix, dist), only(dist, nix));
    }
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("{field}: {} by Nix, {} by dist", text(values.nix), text(values.dist))
}

/// An addon, and the folder with its debug information.
pub(crate) struct Built<'a> {
    pub(crate) addon: &'a Path,
    pub(crate) debug: &'a Path,
}

/// The source line that the debug information has for the addon's entry point, such as `module_register.rs:120`.
///
/// # Errors
/// If it has none, or belongs to another build of the addon. `Ok(Err(why))` if LLVM's programs are not installed.
pub(crate) fn entry_line(target: &Target, built: &Built<'_>) -> Result<Result<String, String>> {
    let Built { addon, debug } = *built;
    for name in ["llvm-nm", "llvm-symbolizer", "llvm-dwarfdump"] {
        if program(name).is_none() {
            return Ok(Err(format!("{name} is not installed: cargo xtask setup")));
        }
    }
    let file = target.artifact_file();
    let information = match target.os {
        Os::Darwin => debug.join(format!("{file}.dSYM/Contents/Resources/DWARF")),
        _ => debug.to_owned(),
    };
    let information = only_file(&information)?;
    if target.os == Os::Darwin {
        let (own, its) = (uuid(addon)?, uuid(&information)?);
        ensure!(own == its, "{} has the UUID {its}, and {file} has {own}", information.display());
    }
    let mut symbols = process::command("llvm-nm");
    symbols.args(["--defined-only", "--extern-only"]).arg(addon);
    if target.os == Os::Linux {
        // A stripped ELF file keeps only this table.
        symbols.arg("--dynamic");
    }
    let symbols = process::capture(symbols)?;
    let is_entry = |line: &&str| {
        line.split_whitespace().next_back().map(|name| name.trim_start_matches('_')) == Some(ENTRY)
    };
    let address = symbols.lines().find(is_entry).and_then(|line| line.split_whitespace().next());
    let address = address.with_context(|| format!("{file} exports no {ENTRY}"))?;
    let mut resolve = process::command("llvm-symbolizer");
    resolve.arg(format!("--obj={}", information.display())).arg(format!("0x{address}"));
    let answer = process::capture(resolve)?;
    // The function, then `path/file.rs:LINE:COLUMN`, which is `??:0:0` without debug information.
    let place = answer.lines().nth(1).unwrap_or_default();
    let mut parts = place.rsplitn(3, ':');
    let (_, line, path) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let source = path.rsplit('/').next().unwrap_or_default();
    if !source.ends_with(".rs") || line.parse::<u32>().unwrap_or_default() == 0 {
        bail!("{} resolves {ENTRY} to `{place}`, which is not a line of Rust", information.display());
    }
    Ok(Ok(format!("{source}:{line}")))
}

/// The identifier that ties a dSYM to its library.
fn uuid(file: &Path) -> Result<String> {
    let mut dump = process::command("llvm-dwarfdump");
    dump.arg("--uuid").arg(file);
    let answer = process::capture(dump)?;
    let uuid = answer.split_whitespace().nth(1);
    uuid.map(str::to_owned).with_context(|| format!("{} has no UUID", file.display()))
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    match files.as_slice() {
        [file] => Ok(file.clone()),
        _ => bail!("{} holds {} files where one was expected", folder.display(), files.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_field_and_what_only_one_has() {
        let list = |names: &[&str]| serde_json::json!(names);
        let (nix, dist) = (list(&["a", "b"]), list(&["b"]));
        let lists = Values { nix: Some(&nix), dist: Some(&dist) };
        assert_eq!(
            difference("0.imports", &lists),
            "0.imports: only Nix' has \"a\", only dist's has nothing"
        );
        let flag = serde_json::json!(true);
        let one = Values { nix: Some(&flag), dist: None };
        assert_eq!(difference("0.relro", &one), "0.relro: true by Nix, nothing by dist");
    }

    #[test]
    fn facts_are_fields_and_keep_their_lists() {
        let mut fields = BTreeMap::new();
        flatten("", serde_json::json!([{ "exports": ["x"], "details": { "relro": true } }]), &mut fields);
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["0.details.relro", "0.exports"]);
    }
}
