//! Node finds a way in.

use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "napi-entry",
    asks: "the addon exports an entry point, or registers itself when it is loaded",
    severity: Severity::Error,
    explanation: "Node opens an addon and then looks for napi_register_module_v1, or for node_register_module_v and the \
        number of its own V8 ABI; an older way is a constructor that hands the module over while it is loaded. Without \
        any, require() fails: Module did not self-register. A Node-API addon loads in every later Node; one that calls \
        V8 (NAN, node.h) loads in the one release that it was compiled for.\n\
        Export napi_register_module_v1: NAPI_MODULE in C, napi-rs in Rust.",
    check: Check::Addon(check),
};

/// Node-API's entry point.
pub(super) const NODE_API: &str = "napi_register_module_v1";
/// Says which Node-API version the addon wants.
pub(super) const NODE_API_VERSION: &str = "node_api_module_get_api_version_v1";
/// The entry point of an addon that uses V8 itself; the ABI's number follows.
pub(super) const V8_PREFIX: &str = "node_register_module_v";

/// NODE_MODULE_VERSION of each release with long-term support.
const ABIS: [(&str, &str); 5] = [("93", "16"), ("108", "18"), ("115", "20"), ("127", "22"), ("137", "24")];

const TO_NODE_API: &str = "port it to Node-API, or ship one file for each Node release";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    let exports = |name: &str| facts.exports.iter().any(|export| export == name);
    // A constructor hands the module over by one of these two functions.
    let registers = |name: &str| facts.constructors && facts.imports.iter().any(|import| import == name);
    let problem = |severity, message: String, evidence: String, remedy: &str| {
        vec![Problem { severity, message, evidence, remedy: remedy.to_owned() }]
    };

    if exports(NODE_API) || registers("napi_module_register") {
        let v8: Vec<&String> = facts.imports.iter().filter(|name| is_v8(name)).collect();
        if v8.is_empty() {
            return Vec::new();
        }
        let message =
            "it enters by Node-API, but also calls V8 or Node in C++, whose ABI changes with each release";
        let remedy = "replace these calls by Node-API, or ship one file for each Node release";
        return problem(Severity::Warning, message.to_owned(), few(&v8), remedy);
    }
    if let Some(entry) = facts.exports.iter().find(|name| name.starts_with(V8_PREFIX)) {
        let abi = &entry[V8_PREFIX.len()..];
        let release = ABIS.iter().find(|(known, _)| *known == abi);
        let release = release.map_or_else(String::new, |(_, node)| format!(", which is Node {node}"));
        if let Some(claimed) = subject.abi.filter(|claimed| claimed.to_string() != abi) {
            let message = format!(
                "its name claims Node's ABI {claimed}, but it is a V8/NAN addon for ABI {abi}{release}"
            );
            let remedy = "ship the file that was built for this ABI, or rename it";
            return problem(Severity::Error, message, format!("exports {entry}"), remedy);
        }
        let message = format!("it is a V8/NAN addon for ABI {abi}{release}, and loads in no other");
        return problem(Severity::Info, message, format!("exports {entry}"), TO_NODE_API);
    }
    if registers("node_module_register") {
        let message = "it is a V8/NAN addon, and loads only in the Node release that it was compiled for";
        let evidence = "a constructor, and the import node_module_register".to_owned();
        return problem(Severity::Info, message.to_owned(), evidence, TO_NODE_API);
    }
    let message = "Node finds no entry point: require() fails with \"Module did not self-register\"";
    let evidence = match facts.exports.len() {
        0 => "it exports no symbol at all".to_owned(),
        count => format!("{count} exported, none of them an entry point: {}", few(&facts.exports)),
    };
    let remedy = "export napi_register_module_v1 (NAPI_MODULE in C, napi-rs in Rust); look at the linker's version \
                  script and -fvisibility if the source has it";
    problem(Severity::Error, message.to_owned(), evidence, remedy)
}

/// Mangled names of namespaces v8 and node.
fn is_v8(name: &str) -> bool {
    ["_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node"].iter().any(|prefix| name.starts_with(prefix))
}
