//! Formats SARIF 2.1.0, the OASIS standard for the results of static analysis, which code hosts and editors display.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::Audit;
use crate::audit_view::views;
use crate::finding::{Finding, Severity};
use crate::locations::{Location, Locations};
use crate::rules::{RULES, Rule};

/// The schema of the format; `version` and `$schema` must name the same version.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub's name for the base of relative paths.
const ROOT: &str = "%SRCROOT%";

/// The name of the fingerprint. Increase the number when the fingerprint covers other fields.
const FINGERPRINT: &str = "nodeAudit/v2";

/// Formats the findings of at least one severity as a SARIF log with one run, and each unreadable file as a notification.
///
/// # Errors
/// Returns the serializer's error. No input is known to cause one.
pub fn sarif(audit: &Audit, locations: &Locations, from: Severity) -> Result<String, serde_json::Error> {
    let mut seen = BTreeMap::new();
    let mut results = Vec::new();
    for view in views(audit) {
        for finding in view.findings().filter(|finding| finding.severity >= from) {
            results.push(result(finding, &locations.of(&finding.file), view.line(finding), &mut seen));
        }
    }
    let notifications: Vec<Value> = (audit.failures.iter())
        .map(|failure| json!({ "level": "error", "message": { "text": failure.to_string() } }))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(descriptor).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": audit.failures.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            // The base of relative paths. The reader of the log supplies the root.
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The root of the repository, or else the current folder." } },
            },
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn descriptor(rule: &Rule) -> Value {
    // The last paragraph is the remedy.
    let (why, help) = rule.explanation.rsplit_once('\n').unwrap_or((rule.explanation, rule.explanation));
    json!({
        "id": rule.id,
        "shortDescription": { "text": sentence(rule.asks) },
        "fullDescription": { "text": why },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(
    finding: &Finding,
    location: &Location,
    line: Option<usize>,
    seen: &mut BTreeMap<String, u64>,
) -> Value {
    let Finding { file, platform, rule, severity, message, evidence, remedy } = finding;
    let Location { path, is_outside, entry } = location;
    let mut artifact = json!({ "uri": uri(path) });
    if !is_outside {
        artifact["uriBaseId"] = json!(ROOT);
    }
    // GitHub requires a line even for a binary file. The line of an entry in an archive would point into the archive's bytes.
    let line = line.filter(|_| entry.is_none()).unwrap_or(1);
    let mut place =
        json!({ "physicalLocation": { "artifactLocation": artifact, "region": { "startLine": line } } });
    if let Some(entry) = entry {
        place["logicalLocations"] = json!([{ "name": entry, "fullyQualifiedName": file }]);
    }
    let mut properties = json!({ "evidence": evidence, "remedy": remedy });
    if let Some(platform) = platform {
        properties["platform"] = json!(platform);
    }
    let mut result = json!({
        "ruleId": rule,
        "level": level(*severity),
        "message": { "text": plain(&format!("{} Seen: {evidence}. Fix: {remedy}.", sentence(message))) },
        "locations": [place],
        "partialFingerprints": { FINGERPRINT: fingerprint(finding, location, seen) },
        "properties": properties,
    });
    if let Some(index) = RULES.iter().position(|known| known.id == *rule) {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Converts a clause to a sentence, with a capital and a full stop, as the format requires.
pub(super) fn sentence(text: &str) -> String {
    // The name node-audit stays in lower case.
    if text.starts_with("npm ") {
        return format!("{text}.");
    }
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect::<String>() + "."
}

/// Returns a message without links. SARIF reads `[text](target)` as a link, and an audited file must not be able to place
/// one.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

/// Returns a path as a URI reference: relative, or with the scheme `file`.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' | b'+' => {
                uri.push(char::from(byte));
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

/// Returns a fingerprint, which is the same in each run over the same files, and different for each result of a run.
fn fingerprint(finding: &Finding, location: &Location, seen: &mut BTreeMap<String, u64>) -> String {
    let platform = finding.platform.as_deref().unwrap_or_default();
    let entry = location.entry.as_deref().unwrap_or_default();
    let key = [finding.rule, &location.path, entry, platform, &finding.message].join("\n");
    let count = seen.entry(key.clone()).or_default();
    *count += 1;
    let digest = Sha256::digest(format!("{key}\n{count}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_of_a_uri_are_encoded() {
        for (file, expected) in [
            ("dir/x.node", "dir/x.node"),
            ("a b#c?d%e.node", "a%20b%23c%3Fd%25e.node"),
            ("a:b.node", "a%3Ab.node"),
            ("node_modules/@swc/core/\u{e4}.node", "node_modules/@swc/core/%C3%A4.node"),
            ("/dir/x.node", "file:///dir/x.node"),
        ] {
            assert_eq!(uri(file), expected, "{file}");
        }
    }

    #[test]
    fn a_message_contains_no_link() {
        assert_eq!(plain("see [here](0) and [x]"), "see [here] (0) and [x]");
    }
}
