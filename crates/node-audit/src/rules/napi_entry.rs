//! Node finds a way in.

use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "napi-entry",
    asks: "the addon exports an entry point, or registers itself when it is loaded",
    severity: Severity::Error,
    stops_loading: true,
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
pub(crate) const NODE_API_VERSION: &str = "node_api_module_get_api_version_v1";
/// The entry point of an addon that uses V8 itself; the ABI's number follows.
pub(super) const V8_PREFIX: &str = "node_register_module_v";

/// NODE_MODULE_VERSION of releases, by the registry that Node and Electron share.
const ABIS: [(&str, &str); 60] = [
    ("11", "Node 0.10"),
    ("14", "Node 0.12"),
    ("46", "Node 4"),
    ("47", "Node 5"),
    ("48", "Node 6"),
    ("51", "Node 7"),
    ("57", "Node 8"),
    ("59", "Node 9"),
    ("64", "Node 10"),
    ("67", "Node 11"),
    ("72", "Node 12"),
    ("79", "Node 13"),
    ("82", "Electron 10"),
    ("83", "Node 14"),
    ("85", "Electron 11"),
    ("87", "Electron 12"),
    ("88", "Node 15"),
    ("89", "Electron 13"),
    ("93", "Node 16"),
    ("97", "Electron 14"),
    ("98", "Electron 15"),
    ("99", "Electron 16"),
    ("101", "Electron 17"),
    ("102", "Node 17"),
    ("103", "Electron 18"),
    ("106", "Electron 19"),
    ("107", "Electron 20"),
    ("108", "Node 18"),
    ("109", "Electron 21"),
    ("110", "Electron 22"),
    ("111", "Node 19"),
    ("113", "Electron 23"),
    ("114", "Electron 24"),
    ("115", "Node 20"),
    ("116", "Electron 25 and 26"),
    ("118", "Electron 27"),
    ("119", "Electron 28"),
    ("120", "Node 21"),
    ("121", "Electron 29"),
    ("123", "Electron 30"),
    ("125", "Electron 31"),
    ("127", "Node 22"),
    ("128", "Electron 32"),
    ("130", "Electron 33"),
    ("131", "Node 23"),
    ("132", "Electron 34"),
    ("133", "Electron 35"),
    ("135", "Electron 36"),
    ("136", "Electron 37"),
    ("137", "Node 24"),
    ("139", "Electron 38"),
    ("140", "Electron 39"),
    ("141", "Node 25"),
    ("143", "Electron 40"),
    ("145", "Electron 41"),
    ("146", "Electron 42"),
    ("147", "Node 26"),
    ("148", "Electron 43"),
    ("149", "Electron 44"),
    ("150", "Electron 45"),
];

/// Node 0.10's.
const FIRST_ABI: u32 = 11;

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
        let release = release.map_or_else(String::new, |(_, release)| format!(", which is {release}"));
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
    // It looked for the module's own name instead.
    if subject.abi == Some(FIRST_ABI) {
        let message = "it is an addon for Node 0.10, and no later release finds its entry point".to_owned();
        return problem(Severity::Info, message, "its name".to_owned(), TO_NODE_API);
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

/// The ABI of a release of Node, by its first number.
pub(crate) fn abi_of_node(release: &str) -> Option<u32> {
    let name = format!("Node {release}");
    ABIS.iter().find(|(_, known)| *known == name).and_then(|(abi, _)| abi.parse().ok())
}

/// The ABI of Node that an addon is bound to: what it exports, or else what its name says.
pub(super) fn bound(subject: &Subject<'_>) -> Option<u32> {
    let exported = subject.facts.exports.iter().find_map(|name| name.strip_prefix(V8_PREFIX)?.parse().ok());
    exported.or(subject.abi)
}

/// Mangled names of namespaces v8 and node, as Clang and GCC write them and as Visual C++ does.
fn is_v8(name: &str) -> bool {
    ["_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node"].iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with('?') && ["@v8@@", "@node@@"].iter().any(|namespace| name.contains(namespace))
}
