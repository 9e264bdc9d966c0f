//! The damage of a file that has an addon's name but is not a whole addon.

use std::fmt;

/// The damage of a file that is not a whole addon.
///
/// Each message is a clause without a subject: `is empty`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// An empty file.
    Empty,
    /// A file of zeros, which an interrupted download or a crash leaves behind.
    Zeros {
        /// The number of bytes.
        length: u64,
    },
    /// A Git LFS pointer: Git LFS did not fetch the file.
    LfsPointer {
        /// The pointer in one line: `oid sha256:4d7a..., size 12345`.
        pointer: String,
    },
    /// An HTML page.
    Html {
        /// The page's title, or else its first line.
        title: String,
    },
    /// A file of another known kind.
    Other {
        /// The kind with its article: `a gzip archive`.
        kind: &'static str,
        /// The first line of a text, or the first bytes in hexadecimal.
        start: String,
        /// The remedy, as an instruction.
        remedy: &'static str,
    },
    /// A file of an unknown kind.
    Unknown {
        /// The first bytes in hexadecimal.
        start: String,
    },
    /// A file that is shorter than its headers say.
    CutShort {
        /// `ELF`, `Mach-O` or `PE`.
        format: &'static str,
        /// The number of bytes.
        length: u64,
        /// The number of bytes according to the headers.
        promised: u64,
        /// The part that is missing.
        detail: String,
    },
    /// A file that has contradictory tables, or that ends within its headers.
    Broken {
        /// `ELF`, `Mach-O` or `PE`.
        format: &'static str,
        /// The damage, as a clause.
        detail: String,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Empty => f.write_str("is empty"),
            Damage::Zeros { .. } => f.write_str("contains only zeros"),
            Damage::LfsPointer { .. } => f.write_str("is a Git LFS pointer, not the addon itself"),
            Damage::Html { .. } => {
                f.write_str("is an HTML page, not an addon: a download seems to have saved an error page")
            }
            Damage::Other { kind, .. } => write!(f, "is {kind}, not an addon"),
            Damage::Unknown { start } => {
                write!(f, "is not an addon: the file begins with {start}, which no addon format does")
            }
            Damage::CutShort { format, length, promised, .. } => {
                let missing = promised.saturating_sub(*length);
                let (bytes, are) = if missing == 1 { ("byte", "is") } else { ("bytes", "are") };
                write!(
                    f,
                    "is cut short: the {format} headers describe {promised} bytes, but the last {missing} {bytes} \
                     {are} missing"
                )
            }
            Damage::Broken { format, detail } => write!(f, "is a damaged {format} file: {detail}"),
        }
    }
}
