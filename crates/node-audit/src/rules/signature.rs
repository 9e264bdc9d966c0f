//! The file is signed where it must be, and was not changed since.

use super::{Check, Problem, Rule, Subject};
use crate::facts::Signature;
use crate::finding::Severity;
use crate::platform::Cpu;

pub(super) const RULE: Rule = Rule {
    id: "signature",
    asks: "the code signature, which arm64 demands, is that of the file as it is",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "macOS on arm64 runs no unsigned code: require() fails with code signature not valid for use in \
        process: mapped file has no cdhash, completely unsigned? Code has to be at least ad-hoc signed. A signature has \
        a hash of every page of the file. Where a file was changed after it was signed (by strip, install_name_tool, a \
        patch), the kernel ends the whole process when such a page is first touched: Killed: 9. The linker signs on its \
        own for arm64, and tools that edit a file often leave that signature as it was. On x64 code needs no signature, \
        but one that is there should be right. Whose it is, is not asked here: ad hoc is enough for Node.\n\
        Sign as the last step: codesign --force --sign - FILE, or rcodesign on other systems.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.macho() else { return Vec::new() };
    // Of the processors that macOS runs on, those of Intel are older than the demand.
    let demanded = !matches!(subject.facts.cpu, Some(Cpu::X64 | Cpu::Ia32 | Cpu::Ppc64));
    let (severity, message, evidence) = match &facts.signature {
        Signature::Valid { .. } => return Vec::new(),
        Signature::None if !demanded => return Vec::new(),
        Signature::None => {
            (Severity::Error, "it is not signed, and macOS on arm64 does not load it", "no LC_CODE_SIGNATURE")
        }
        Signature::Invalid { damage } if demanded => (
            Severity::Error,
            "it was changed after it was signed: macOS on arm64 ends the process that loads it",
            damage.as_str(),
        ),
        Signature::Invalid { damage } => {
            (Severity::Warning, "it was changed after it was signed", damage.as_str())
        }
    };
    vec![Problem {
        severity,
        message: message.to_owned(),
        evidence: evidence.to_owned(),
        remedy: "sign it as the last step: codesign --force --sign - FILE".to_owned(),
    }]
}
