//! The compiled-in table, and the lookup of its targets.

use std::sync::LazyLock;

use crate::parse::parse;
use crate::target::Target;

impl Target {
    /// Returns the target with this Rust triple.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known targets.
    pub fn by_triple(triple: &str) -> Result<&'static Target, UnknownTarget> {
        first(triple, |target| target.triple == triple)
    }

    /// Returns the target with this platform name.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known targets.
    pub fn by_platform(platform: &str) -> Result<&'static Target, UnknownTarget> {
        first(platform, |target| target.platform == platform)
    }

    /// Returns the target with this triple or platform name.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known targets.
    pub fn find(name: &str) -> Result<&'static Target, UnknownTarget> {
        first(name, |target| target.triple == name || target.platform == name)
    }
}

/// A triple or platform name that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{name}`; known targets: {}", known())]
pub struct UnknownTarget {
    /// The name that the caller passed.
    pub name: String,
}

/// Returns the whole table, in the order of `targets.json`.
#[must_use]
pub fn targets() -> &'static [Target] {
    static TABLE: LazyLock<Vec<Target>> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the table is compiled in, and this crate's tests parse it")]
        parse(include_str!("../../../../targets.json")).expect("the compiled-in table is valid")
    });
    &TABLE
}

/// Returns the target that this program was built for.
///
/// # Errors
/// [`UnknownTarget`] if that target is not in the table.
pub fn host() -> Result<&'static Target, UnknownTarget> {
    Target::by_triple(env!("NODE_TARGETS_HOST"))
}

fn first(name: &str, matches: impl Fn(&Target) -> bool) -> Result<&'static Target, UnknownTarget> {
    targets().iter().find(|target| matches(target)).ok_or_else(|| UnknownTarget { name: name.to_owned() })
}

fn known() -> String {
    let names = targets().iter().map(|target| format!("{} ({})", target.platform, target.triple));
    names.collect::<Vec<_>>().join(", ")
}
