//! Checks that the file is a whole addon.

use super::evidence::short_name;
use super::rule::{Check, Problem, Rule};
use crate::damage::Damage;
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "damaged",
    asks: "the file is a whole addon, neither cut short nor another kind of file",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "A file with an addon's name may be something else: a Git LFS pointer that was never replaced by the \
        real file, an error page or an archive that a download saved, the start of a file whose download or copy was \
        interrupted, or an empty file. Node refuses such a file: file too short, invalid ELF header, is not a valid \
        Win32 application. The rule names the kind of file. If the file is cut short, the rule also reports how many \
        bytes are missing according to the file's headers.\n\
        Run git lfs pull before npm pack; make downloads fail on an error status (curl --fail) and compare a checksum; \
        build the file again.",
    check: Check::Damage(check),
};

fn check(damage: &Damage) -> Problem {
    let (evidence, remedy) = match damage {
        Damage::Empty => ("0 bytes".to_owned(), "build or download the file again"),
        Damage::Zeros { length } => (format!("{length} bytes, each 0"), "build or download the file again"),
        Damage::LfsPointer { pointer } => (
            pointer.clone(),
            "run `git lfs pull` before `npm pack`; in GitHub Actions, check out with lfs: true",
        ),
        Damage::Html { title } => (
            format!("the page \"{title}\""),
            "check the URL and the HTTP status of the download (curl --fail), then download the file again",
        ),
        Damage::Other { start, remedy, .. } => {
            (format!("the file begins with {}", short_name(start)), *remedy)
        }
        Damage::Unknown { start } => {
            (format!("the first bytes are {start}"), "build or download the file again")
        }
        Damage::CutShort { length, detail, .. } => {
            (format!("{length} bytes; {detail}"), "download or copy the file again, or build it again")
        }
        Damage::Broken { detail, .. } => {
            (detail.clone(), "download or copy the file again, or build it again")
        }
    };
    Problem {
        severity: Severity::Error,
        message: format!("the file {damage}"),
        evidence,
        remedy: remedy.to_owned(),
    }
}
