//! The module that a constructor registers with Node.

use serde::Serialize;

/// The `node_module` that a constructor of the addon passes to `node_module_register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// The Node ABI that the module was compiled for (nm_version).
    pub abi: u32,
    /// `true` if the module has an initializer for any context (nm_context_register_func), not only for the first context
    /// (nm_register_func).
    pub context_aware: bool,
}
