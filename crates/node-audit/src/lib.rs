//! Does this .node file load where its name says?
//!
//! ```no_run
//! use node_audit::{Policy, audit, table};
//!
//! let report = audit("bindings_node.linux-x64-gnu.node".as_ref(), &Policy::default())?;
//! print!("{}", table(&[report], 100));
//! # Ok::<(), node_audit::AuditError>(())
//! ```

#![forbid(unsafe_code)]

mod beside;
mod elf;
mod error;
mod facts;
mod finding;
mod macho;
mod manifest;
mod node_api;
mod paths;
mod pe;
mod platform;
mod policy;
mod report;
mod rules;
mod source;
mod strings;
mod summary;
mod version;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::AuditError;
pub use facts::{
    Details, DllImports, Dylib, DylibKind, ElfFacts, Facts, Leftover, MacPlatform, MachOFacts, PeFacts,
    Signature, StaticTls, VersionNeed,
};
pub use finding::{Finding, Severity};
pub use manifest::{Manifest, ManifestError};
pub use platform::{Claim, Cpu, Libc, Os, Platform, PlatformError};
pub use policy::{Allowed, Floors, Hardening, Policy, PolicyError};
pub use report::{
    Report, brief_table, explain, facts_json, facts_text, json, rule_list, sarif, summary_json,
    summary_table, table,
};
pub use rules::{Problem, RULES, Rule};
pub use source::{Audit, Audited, AuditedPackage, Progress, audit_paths};
pub use summary::{Row, SYSTEMS, Verdict, summarize};
pub use version::{Version, VersionError};

use beside::Beside;
use platform::Said;
use rules::Context;

/// The largest file that is read, in bytes: 512 MiB.
///
/// The largest addons that are published have some 150 MB.
pub const MAX_FILE: u64 = 512 << 20;

/// The most memory for the names in all files of an audit, in bytes: 1 GiB.
///
/// An addon of a hundred thousand names takes some 10 MB.
pub const MAX_NAMES: u64 = 1 << 30;

/// Reads a file and holds it against each rule.
///
/// The platform is the policy's where it names one, or else the one that the file's name, its directories and the
/// package.json that it belongs to claim.
///
/// # Errors
/// Where the file or its package.json cannot be read, or the file is no addon that can be made sense of.
pub fn audit(path: &Path, policy: &Policy) -> Result<Report, AuditError> {
    source::audit_file(path, policy).map(|audited| audited.report)
}

/// Holds the content of a file against each rule; `path` is what the file is called.
///
/// # Errors
/// Where the content is no addon that can be made sense of.
pub fn audit_bytes(path: &Path, content: &[u8], policy: &Policy) -> Result<Report, AuditError> {
    let facts = read_facts(path, content)?;
    let said = Said::new(&path.to_string_lossy(), None);
    let claim = policy.claim.as_ref().or(said.claim.as_ref());
    let context = Context { package: None, beside: Beside::Unknown, abi: said.abi, policy };
    Ok(Report::new(path, &facts, claim, context))
}

/// What a file says of itself, with no verdict: one element, or for a fat Mach-O file one for each processor.
///
/// # Errors
/// As [`audit_bytes`].
pub fn read_facts(path: &Path, content: &[u8]) -> Result<Vec<Facts>, AuditError> {
    error::check_format(path, content)?;
    let damaged = |format| move |damage| AuditError::Damaged { file: error::name(path), format, damage };
    if macho::begins(content) {
        return macho::read(content).map_err(damaged("Mach-O"));
    }
    if content.starts_with(b"MZ") {
        return Ok(vec![pe::read(content).map_err(damaged("PE"))?]);
    }
    Ok(vec![elf::read(content).map_err(damaged("ELF"))?])
}

fn read(path: &Path) -> Result<Vec<u8>, AuditError> {
    let file = || error::name(path);
    let unreadable = |source| AuditError::Unreadable { file: error::name(path), source };
    // Asked before opening: to open a named pipe waits for its other end.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(AuditError::Directory { file: file() });
    }
    if !metadata.is_file() {
        return Err(AuditError::Special { file: file() });
    }
    if metadata.len() > MAX_FILE {
        return Err(AuditError::TooLarge { file: file() });
    }
    let mut content = Vec::new();
    // As much as it says, and no more: a vector that grows by itself takes up to twice the memory.
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    content.try_reserve_exact(length).map_err(|error| unreadable(error.into()))?;
    // One byte more than is allowed: the file may have grown since it was asked for its size.
    File::open(path)
        .and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if content.len() as u64 > MAX_FILE {
        return Err(AuditError::TooLarge { file: file() });
    }
    Ok(content)
}
