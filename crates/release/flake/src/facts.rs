//! Compares the facts of two builds of an addon.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use node_audit::read_facts;
use serde_json::Value;

/// A build of an addon.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The name of the build in an error, such as `Nix's addon`.
    pub name: &'a str,
    /// The path of the addon.
    pub addon: &'a Path,
}

/// The value of one field in each of two builds.
struct Pair<T> {
    first: T,
    second: T,
}

/// Fails if the facts of two builds for one target differ, such as exports, imports, libraries, load commands, floors and
/// hardening. Sizes may differ, and so may the addresses and offsets of segments, which depend on sizes.
pub fn same_facts(builds: [Build<'_>; 2]) -> Result<()> {
    let [one, other] = builds;
    let (first, second) = (facts(one.addon)?, facts(other.addon)?);
    let fields: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let pairs =
        fields.into_iter().map(|field| (field, Pair { first: first.get(field), second: second.get(field) }));
    let differences: Vec<String> = pairs
        .filter(|(_, values)| values.first != values.second)
        .map(|(field, values)| difference(field, &values, builds.map(|build| build.name)))
        .collect();
    ensure!(
        differences.is_empty(),
        "{} and {} have different facts: {}",
        one.name,
        other.name,
        differences.join("; ")
    );
    Ok(())
}

/// Returns the facts of an addon by field.
fn facts(addon: &Path) -> Result<BTreeMap<String, Value>> {
    let content = fs::read(addon).with_context(|| format!("cannot read {}", addon.display()))?;
    let mut facts = serde_json::to_value(read_facts(addon, &content)?)?;
    remove_places(&mut facts);
    let mut fields = BTreeMap::new();
    flatten("", facts, &mut fields);
    fields.retain(|field, _| !field.ends_with(".size"));
    Ok(fields)
}

/// Removes the addresses and offsets of segments.
fn remove_places(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(remove_places),
        Value::Object(object) => {
            object.retain(|field, _| !["address", "offset"].contains(&field.as_str()));
            object.values_mut().for_each(remove_places);
        }
        _ => {}
    }
}

/// Splits objects and the outermost list into fields, such as `0.details.nodelete`. Sorts the other lists, because their order
/// only reflects the order in which the linker reads the object files.
fn flatten(name: &str, value: Value, fields: &mut BTreeMap<String, Value>) {
    let join = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                flatten(&join(&key), value, fields);
            }
        }
        Value::Array(list) if name.is_empty() => {
            for (index, value) in list.into_iter().enumerate() {
                flatten(&index.to_string(), value, fields);
            }
        }
        mut value => {
            sort(&mut value);
            fields.insert(name.to_owned(), value);
        }
    }
}

/// Sorts every list in `value`.
fn sort(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(sort);
            list.sort_by_cached_key(Value::to_string);
        }
        Value::Object(object) => object.values_mut().for_each(sort),
        _ => {}
    }
}

fn difference(field: &str, values: &Pair<Option<&Value>>, [one, other]: [&str; 2]) -> String {
    let only = |one: &[Value], other: &[Value]| {
        let only: Vec<String> =
            one.iter().filter(|value| !other.contains(value)).map(Value::to_string).take(5).collect();
        if only.is_empty() { "nothing".to_owned() } else { only.join(", ") }
    };
    if let (Some(Value::Array(first)), Some(Value::Array(second))) = (values.first, values.second) {
        let (first, second) = (only(first, second), only(second, first));
        return format!("{field}: only in {one}: {first}; only in {other}: {second}");
    }
    let text = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
    format!("{field}: {} in {one}, {} in {other}", text(values.first), text(values.second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_field_and_the_values_of_each_addon() {
        let list = |names: &[&str]| serde_json::json!(names);
        let (nix, dist) = (list(&["a", "b"]), list(&["b"]));
        let names = ["Nix's addon", "dist's addon"];
        let lists = Pair { first: Some(&nix), second: Some(&dist) };
        assert_eq!(
            difference("0.imports", &lists, names),
            "0.imports: only in Nix's addon: \"a\"; only in dist's addon: nothing"
        );
        let flag = serde_json::json!(true);
        let one = Pair { first: Some(&flag), second: None };
        assert_eq!(
            difference("0.relro", &one, names),
            "0.relro: true in Nix's addon, absent in dist's addon"
        );
    }

    #[test]
    fn the_order_of_a_list_does_not_matter() {
        let fields = |first: &str, second: &str| {
            let mut fields = BTreeMap::new();
            let needs = serde_json::json!([{ "needs": [{ "version": "1", "symbols": [first, second] }] }]);
            flatten("", needs, &mut fields);
            fields
        };
        assert_eq!(fields("read", "write"), fields("write", "read"));
        assert_ne!(fields("read", "write"), fields("read", "close"));
    }

    /// The address of a segment once differed by a page between two builds, because the code of one build was a few bytes
    /// longer.
    #[test]
    fn the_address_and_offset_of_a_segment_do_not_matter() {
        let segment = |place: u64, align: u64| {
            let segment =
                serde_json::json!({ "name": "PT_LOAD 1", "address": place, "offset": place, "align": align });
            let mut facts = serde_json::json!([{ "segments": [segment] }]);
            remove_places(&mut facts);
            facts
        };
        assert_eq!(segment(4096, 4096), segment(8192, 4096));
        assert_ne!(segment(4096, 4096), segment(4096, 65_536));
    }

    #[test]
    fn facts_become_fields_and_keep_their_lists() {
        let mut fields = BTreeMap::new();
        flatten("", serde_json::json!([{ "exports": ["x"], "details": { "relro": true } }]), &mut fields);
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["0.details.relro", "0.exports"]);
    }
}
