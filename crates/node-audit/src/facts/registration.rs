//! The module that a constructor registers with Node.

use serde::Serialize;

/// The `node_module` that a constructor of the addon hands to `node_module_register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// The ABI of Node for which the module was compiled (nm_version).
    pub abi: u32,
    /// The module has an initializer for any number of contexts (nm_context_register_func), not only one for the first
    /// (nm_register_func).
    pub context_aware: bool,
}
