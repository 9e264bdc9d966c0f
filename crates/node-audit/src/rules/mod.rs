//! The rules, one file each.
//!
//! A rule checks one [`Subject`] and reads no files: `source` collects all facts before the rules run. To add a rule, add
//! a file with a `RULE`, and a line in [`RULES`].

mod arch;
mod build_path;
mod context_aware;
mod damaged;
mod evidence;
mod floors;
mod glibc_floor;
mod hardening;
mod imports;
mod install_name;
mod install_script;
mod libc_field;
mod libstdcxx;
mod load_command;
mod min_os;
mod musl_names;
mod napi_entry;
mod napi_version;
mod needed;
mod needed_versions;
mod node_abi;
mod nodelete;
mod package;
mod page_size;
mod platform_lists;
mod rule;
mod runpath;
mod signature;
mod size;
mod static_tls;
mod store_path;
mod stripped;
mod subject;
mod symbols;
mod undefined_symbols;

pub(crate) use evidence::short_name;
pub(crate) use install_script::download;
pub(crate) use libc_field::lacks_libc;
pub(crate) use musl_names::library_that_musl_lacks;
pub(crate) use package::{allows_platform, breaks_promise, excluding_field};
pub(crate) use rule::Check;
pub use rule::{Problem, Rule};
pub(crate) use subject::Subject;

/// All rules, in the order of findings.
pub const RULES: [Rule; 26] = [
    damaged::RULE,
    arch::RULE,
    napi_entry::RULE,
    context_aware::RULE,
    napi_version::RULE,
    glibc_floor::RULE,
    libstdcxx::RULE,
    needed::RULE,
    undefined_symbols::RULE,
    runpath::RULE,
    static_tls::RULE,
    nodelete::RULE,
    load_command::RULE,
    install_name::RULE,
    page_size::RULE,
    min_os::RULE,
    signature::RULE,
    imports::RULE,
    symbols::RULE,
    store_path::RULE,
    build_path::RULE,
    hardening::RULE,
    stripped::RULE,
    size::RULE,
    package::RULE,
    node_abi::RULE,
];

impl Rule {
    /// Returns the rule with this id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Rule> {
        RULES.into_iter().find(|rule| rule.id == id)
    }
}
