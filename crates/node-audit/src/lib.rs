//! Checks whether .node files load on the platforms that their names claim.
//!
//! ```no_run
//! use node_audit::{Policy, audit, table};
//!
//! let report = audit("bindings_node.linux-x64-gnu.node".as_ref(), &Policy::default())?;
//! print!("{}", table(&[report], 100));
//! # Ok::<(), node_audit::AuditError>(())
//! ```
//!
//! Each layer uses only the layers below it: `report` (text); `verdict` and `summary`; `audit`; `source` (files on disk
//! and in archives), and `check` with the `rules`; `readers` (`elf`, `macho`, `pe`); the data types, with `format` and
//! `limits`. Rules read no files, and neither the readers nor `source` know the rules. The crate serves any addon: it
//! knows nothing about this project's targets or policy.

#![forbid(unsafe_code)]

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod addon;
mod addon_signs;
mod audit;
mod audit_view;
mod build_paths;
mod check;
mod claim;
mod damage;
mod damage_kind;
mod elf;
mod engines;
mod error;
mod facts;
mod finding;
mod format;
mod install_program;
mod javascript;
mod library;
mod limits;
mod locations;
mod macho;
mod manifest;
mod manifest_lines;
mod name_abi;
mod name_claims;
mod name_hints;
mod named_policy;
mod napi_config;
mod neighbours;
mod node_abi;
mod node_api;
mod node_binding;
mod node_floors;
mod not_addon;
mod package_contents;
mod partial_claim;
mod pe;
mod platform;
mod platform_package;
mod platform_words;
mod policy;
mod policy_file;
mod printable;
mod readers;
mod reason;
mod registration;
mod report;
mod rules;
mod script_files;
mod search_path;
mod source;
mod strings;
mod summary;
mod symbol_tables;
mod unversioned;
mod verdict;
mod version;
mod wanted_nodes;

pub use addon::Addon;
pub use audit::{
    Audit, Audited, AuditedPackage, audit, audit_bytes, audit_content, audit_given, audit_paths,
};
pub use claim::{Claim, PlatformError};
pub use damage::Damage;
pub use error::AuditError;
pub use facts::{
    Binding, Details, DllImports, Dylib, DylibKind, ElfFacts, Facts, ImportedFrom, Leftover, LoadedSegment,
    MacPlatform, MachOFacts, PeFacts, References, Registration, Signature, StaticTls, VersionNeed,
};
pub use finding::{Finding, Report, Severity};
pub use limits::{MAX_FILE, MAX_NAMES, MIN_PROGRESS_ADDONS};
pub use locations::Locations;
pub use manifest::{Manifest, ManifestError};
pub use named_policy::NamedPolicy;
pub use platform::{Cpu, Libc, Os, Platform};
pub use policy::{Allowed, FirmFloors, Floors, Hardening, Policy};
pub use policy_file::PolicyError;
pub use readers::read_facts;
pub use report::{
    explain, facts_json, facts_text, findings_table, github, json, policy_list, policy_text, rule_list,
    sarif, summary_json, summary_table, table, verdict_lines,
};
pub use rules::{Problem, RULES, Rule};
pub use source::{Given, Progress};
pub use summary::{PackageSummary, SYSTEMS, Verdict, summarize};
pub use verdict::{PackageVerdict, verdicts};
pub use version::{Version, VersionError};
