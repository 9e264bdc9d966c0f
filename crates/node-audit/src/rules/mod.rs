//! The rules, a file each.
//!
//! A rule looks at one [`Subject`] and says what is wrong with it. To add one: a file here with a `RULE`, and a line in
//! [`RULES`].

mod arch;
mod build_path;
mod glibc_floor;
mod hardening;
mod imports;
mod install_name;
mod libstdcxx;
mod load_command;
mod min_os;
mod napi_entry;
mod napi_version;
mod needed;
mod nodelete;
mod package;
mod runpath;
mod signature;
mod size;
mod static_tls;
mod store_path;
mod stripped;
mod symbols;

pub(crate) use arch::not_of_musl;
pub(crate) use napi_entry::{NODE_API_VERSION, abi_of_node};
pub(crate) use package::concerns as concerns_addons;

use crate::beside::Beside;
use crate::facts::{ElfFacts, Facts, VersionNeed};
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::platform::{Claim, Libc, Os, Platform};
use crate::policy::Policy;

/// Each rule, in the order in which findings are shown.
pub const RULES: [Rule; 21] = [
    arch::RULE,
    napi_entry::RULE,
    napi_version::RULE,
    glibc_floor::RULE,
    libstdcxx::RULE,
    needed::RULE,
    runpath::RULE,
    static_tls::RULE,
    nodelete::RULE,
    load_command::RULE,
    install_name::RULE,
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
];

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its stable id: `glibc-floor`.
    pub id: &'static str,
    /// What it asks for, in a sentence.
    pub asks: &'static str,
    /// How bad it is when it is broken in the usual way.
    pub severity: Severity,
    /// Whether an addon that breaks it, as an error, does not load; else it is about what happens before or after.
    pub stops_loading: bool,
    /// Why it is asked, what happens otherwise, and what to do: a few sentences.
    pub explanation: &'static str,
    /// What is looked at, and how.
    pub(crate) check: Check,
}

impl Rule {
    /// By its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Rule> {
        RULES.into_iter().find(|rule| rule.id == id)
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// One addon, for one processor.
    Addon(fn(&Subject<'_>) -> Vec<Problem>),
    /// A package.json and the addons that come with it.
    Package(fn(&PackageSubject<'_>) -> Vec<Problem>),
}

/// What a rule found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What was seen in the file.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}

/// An addon, for one processor, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// What was read.
    pub(crate) facts: &'a Facts,
    /// The platform that it claims, or that the policy names.
    pub(crate) claimed: Option<Platform>,
    /// The C library that it must work with: the claimed one, or else the one that it is linked to.
    pub(crate) libc: Option<Libc>,
    /// The package that it belongs to, where one is known.
    pub(crate) package: Option<&'a Manifest>,
    /// The files that come with it.
    pub(crate) beside: Beside<'a>,
    /// The ABI of Node (NODE_MODULE_VERSION) that its name or directory claims.
    pub(crate) abi: Option<u32>,
    /// The limits.
    pub(crate) policy: &'a Policy,
}

/// A package, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackageSubject<'a> {
    /// Its package.json.
    pub(crate) manifest: &'a Manifest,
    /// The files that it holds, from the folder of its package.json.
    pub(crate) files: Beside<'a>,
    /// Its addons, by path.
    pub(crate) addons: &'a [PackageAddon],
    /// It lies in a node_modules, and not where it is published.
    pub(crate) installed: bool,
}

/// An addon as its package sees it.
#[derive(Debug, Clone)]
pub(crate) struct PackageAddon {
    /// Its path in the package.
    pub(crate) path: String,
    /// What it claims, or else what it is.
    pub(crate) claim: Option<Claim>,
    /// Names of it that contradict each other.
    pub(crate) conflicts: Vec<String>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(facts: &'a Facts, claimed: Option<Platform>, context: Context<'a>) -> Self {
        let Context { package, beside, abi, policy } = context;
        // Other systems have a C library of their own.
        let own = |facts: &Facts| facts.elf().and_then(|elf| elf.libc);
        let libc = match claimed {
            Some(platform) if platform.os != Os::Linux => None,
            Some(platform) => platform.libc.or(own(facts)),
            None => own(facts),
        };
        Subject { facts, claimed, libc, package, beside, abi, policy }
    }

    /// The facts of an ELF file for Linux: neither claimed for another system nor linked to Android's C library.
    fn linux(&self) -> Option<&'a ElfFacts> {
        let elsewhere = self.claimed.is_some_and(|platform| platform.os != Os::Linux);
        self.facts.elf().filter(|elf| !elsewhere && elf.libc != Some(Libc::Bionic))
    }
}

/// What is known of an addon beside its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) package: Option<&'a Manifest>,
    pub(crate) beside: Beside<'a>,
    pub(crate) abi: Option<u32>,
    pub(crate) policy: &'a Policy,
}

/// The first names of a list and how many more there are: `a, b, c and 12 more`.
fn few<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| shortened(name.as_ref())).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A needed version, the library that must have it, and the symbols behind it.
fn described(need: &VersionNeed) -> String {
    let symbols = if need.symbols.is_empty() { "no symbol".to_owned() } else { few(&need.symbols) };
    format!("{} of {} for {symbols}", need.version, need.library)
}

/// Mangled C++ names fill a page.
pub(crate) fn shortened(name: &str) -> String {
    const LONGEST: usize = 60;
    // A symbol may have no name at all, but evidence must show something.
    if name.is_empty() {
        return "\"\"".to_owned();
    }
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}
