//! Checks that Node finds the addon's entry point.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::Facts;
use crate::finding::Severity;
use crate::registration::REGISTER;
use crate::{node_abi, node_api};

pub(super) const RULE: Rule = Rule {
    id: "napi-entry",
    asks: "the addon exports an entry point, or registers itself when it is loaded",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Node opens an addon and then looks for napi_register_module_v1, or for node_register_module_v \
        followed by the number of its own V8 ABI. Older addons register the module in a constructor, which runs during \
        loading. Without any of these, require() fails: Module did not self-register. On Linux and macOS, Node also \
        finds an entry point in a library that the addon needs. The process ends with a segmentation fault if the \
        entry point is a variable, or if the addon declares a Node-API version that no release has \
        (node_api_module_get_api_version_v1). A Node-API addon loads in every later Node; an addon that calls V8 (NAN, \
        node.h) loads only in releases with the ABI that it was compiled for.\n\
        Export napi_register_module_v1: NAPI_MODULE in C, napi-rs in Rust.",
    check: Check::Addon(check),
};

const TO_NODE_API: &str = "port the addon to Node-API, or ship one file for each Node release";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    // dlsym also searches the libraries that the addon needs; Windows does not.
    let libraries = subject.libraries.iter().filter(|_| facts.pe().is_none());
    let libraries = libraries.filter_map(|library| library.part(facts.cpu));
    let files: Vec<&Facts> = std::iter::once(facts).chain(libraries).collect();
    let all_exports = || files.iter().flat_map(|file| &file.exports);
    let exports = |name: &str| all_exports().any(|export| export == name);
    // A constructor registers the module by one of two functions.
    let registers = |name: &str| facts.constructors && facts.imports.iter().any(|import| import == name);
    let problem = |severity, message: String, evidence: String, remedy: &str| {
        vec![Problem { severity, message, evidence, remedy: remedy.to_owned() }]
    };

    if let Some(entry) = facts.elf().and_then(|elf| elf.variable_entry.as_ref()) {
        let message = "the addon's entry point is a variable: require() calls it, and the process ends with a segmentation fault";
        let evidence = format!("{entry} has the type STT_OBJECT, and is in no executable segment");
        let remedy = "export a function of this name: NAPI_MODULE in C, napi-rs in Rust";
        return problem(Severity::Error, message.to_owned(), evidence, remedy);
    }
    let declared = facts.elf().and_then(|elf| elf.node_api).filter(|_| exports(node_api::ENTRY));
    if let Some(declared) = declared.filter(|declared| node_api::is_unknown(*declared)) {
        let message = format!(
            "the addon declares Node-API {declared}, which no known release of Node has: require() ends the process with a \
             segmentation fault"
        );
        let evidence = format!("{} returns {declared}", node_api::DECLARED_VERSION);
        return problem(
            Severity::Error,
            message,
            evidence,
            "build with the lowest NAPI_VERSION that suffices",
        );
    }
    if exports(node_api::ENTRY) || registers("napi_module_register") {
        let v8: Vec<&String> = facts.imports.iter().filter(|name| is_v8(name)).collect();
        if v8.is_empty() {
            return Vec::new();
        }
        let message =
            "the addon uses Node-API, but also calls V8 or Node in C++, whose ABI changes with each release";
        let remedy = "replace these calls with Node-API, or ship one file for each Node release";
        return problem(Severity::Warning, message.to_owned(), first_names(&v8), remedy);
    }
    let entry = |name| Some((name, str::strip_prefix(name, node_abi::ENTRY_PREFIX)?));
    let exported = all_exports().find_map(|name| entry(name.as_str()));
    let registered = || Some(facts.registration.filter(|_| registers(REGISTER))?.abi.to_string());
    let bound = exported.map(|(entry, abi)| (abi.to_owned(), format!("exports {entry}")));
    let bound = bound.or_else(|| {
        let abi = registered()?;
        let evidence = format!("a constructor, the import {REGISTER}, and a module with nm_version {abi}");
        Some((abi, evidence))
    });
    if let Some((abi, evidence)) = bound {
        let release = node_abi::release(&abi);
        let release = release.map_or_else(String::new, |release| format!(", which is {release}"));
        if let Some(claimed) = subject.abi.filter(|claimed| claimed.to_string() != abi) {
            let message = format!(
                "the addon's name claims Node's ABI {claimed}, but the addon is a V8/NAN addon for ABI {abi}{release}"
            );
            let remedy = "ship the file that was built for this ABI, or rename this file";
            return problem(Severity::Error, message, evidence, remedy);
        }
        let message = format!(
            "the addon is a V8/NAN addon for ABI {abi}{release}, and loads only in releases with this ABI"
        );
        return problem(Severity::Info, message, evidence, TO_NODE_API);
    }
    if registers(REGISTER) {
        let message = "the addon is a V8/NAN addon, and loads only in Node releases with the ABI that it was \
                       compiled for";
        let evidence = format!("a constructor, and the import {REGISTER}");
        return problem(Severity::Info, message.to_owned(), evidence, TO_NODE_API);
    }
    // Node 0.10 looked for a symbol with the module's own name instead.
    if subject.abi == Some(node_abi::FIRST) {
        let message = "the addon is for Node 0.10, and no later release finds its entry point".to_owned();
        return problem(Severity::Info, message, "the addon's name".to_owned(), TO_NODE_API);
    }
    let message = "Node finds no entry point: require() fails with \"Module did not self-register\"";
    let evidence = match facts.exports.len() {
        0 => "the addon exports no symbol".to_owned(),
        count => {
            format!("{count} exported names, and no entry point among them: {}", first_names(&facts.exports))
        }
    };
    let remedy = "export napi_register_module_v1 (NAPI_MODULE in C, napi-rs in Rust); if the source \
                  exports it, check the linker's version script and -fvisibility";
    problem(Severity::Error, message.to_owned(), evidence, remedy)
}

/// Returns whether a name is a mangled name in the namespace v8 or node, in the form of Clang and GCC or of Visual C++.
fn is_v8(name: &str) -> bool {
    ["_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node"].iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with('?') && ["@v8@@", "@node@@"].iter().any(|namespace| name.contains(namespace))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::addon::Addon;
    use crate::facts::{Details, ElfFacts};
    use crate::policy::Policy;

    /// Every Node ends with a segmentation fault, and node-audit reported nothing.
    #[test]
    fn a_declared_version_that_no_node_has_is_an_error() {
        for (declared, is_error) in
            [(8, false), (10, false), (99, true), (0x7fff_ffff, false), (u32::MAX, true)]
        {
            let elf = ElfFacts { node_api: Some(declared), ..ElfFacts::default() };
            let facts = Facts {
                exports: vec![node_api::ENTRY.to_owned(), node_api::DECLARED_VERSION.to_owned()],
                ..Facts::empty(Details::Elf(elf))
            };
            let addon = Addon::unplaced(PathBuf::new(), vec![facts]);
            let found = check(&Subject::new(&addon, &addon.facts[0], None, &Policy::default()));
            assert_eq!(found.iter().any(|found| found.severity == Severity::Error), is_error, "{declared}");
        }
    }
}
