//! Checks that the addon loads in workers, and a second time in a process.

use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::Registration;
use crate::finding::Severity;
use crate::registration::REGISTER;
use crate::{node_abi, node_api};

pub(super) const RULE: Rule = Rule {
    id: "context-aware",
    asks: "the addon loads in a worker, and a second time in one process",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "The macro NODE_MODULE registers the addon in a constructor, which runs once in a process. The first \
        require() succeeds. A worker that loads the same addon later fails: Module did not self-register. A second \
        require() fails in the same way if the module was removed from require.cache, as Jest does for each test file. \
        Node keeps a registration for later contexts only if the addon provides an initializer for any context \
        (NODE_MODULE_CONTEXT_AWARE, NODE_MODULE_INIT). These failures were seen in Node 20, 22 and 24 on glibc, and in \
        Node 22 on musl. On musl, a second worker also fails after the first worker has ended. Addons with an exported \
        entry point (node_register_module_v and an ABI, napi_register_module_v1) and Node-API's own constructor \
        (napi_module_register) load any number of times.\n\
        Declare the addon with NODE_MODULE_INIT() or NAN_MODULE_WORKER_ENABLED, and keep no state in globals, or port \
        the addon to Node-API.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    let is_entry = |name: &String| name.starts_with(node_abi::ENTRY_PREFIX) || name == node_api::ENTRY;
    let imports = |function: &str| facts.imports.iter().any(|import| import == function);
    // Without a constructor, the addon registers no module, which `napi-entry` reports.
    if !facts.constructors || !imports(REGISTER) || facts.exports.iter().any(is_entry) {
        return Vec::new();
    }
    let (message, evidence) = match facts.registration {
        Some(Registration { context_aware: true, .. }) => return Vec::new(),
        Some(Registration { abi, .. }) => {
            let module =
                format!("a module for ABI {abi} with nm_register_func and no nm_context_register_func");
            (
                "the addon is not context-aware: it loads only once in a process, so a worker cannot load it later",
                module,
            )
        }
        None => (
            "the addon is perhaps not context-aware; if so, it loads only once in a process, and a worker cannot load \
             it later",
            "the module that the constructor registers was not found".to_owned(),
        ),
    };
    vec![Problem {
        severity: Severity::Warning,
        message: message.to_owned(),
        evidence: format!("a constructor, the import {REGISTER}, and {evidence}"),
        remedy: "declare the addon with NODE_MODULE_INIT() or NAN_MODULE_WORKER_ENABLED instead of NODE_MODULE, or port it \
                 to Node-API"
            .to_owned(),
    }]
}
