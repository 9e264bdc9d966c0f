//! Checks that the file is signed if macOS requires a signature, and that it was not modified afterwards.

use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::Signature;
use crate::finding::Severity;
use crate::platform::Cpu;

pub(super) const RULE: Rule = Rule {
    id: "signature",
    asks: "the code signature, which arm64 requires, matches the file",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "macOS on arm64 runs no unsigned code; an ad-hoc signature suffices. Without one, require() fails: \
        code signature not valid for use in process: mapped file has no cdhash, completely unsigned? A signature \
        contains a hash of every page of the file. If the file was modified after it was signed (by strip, \
        install_name_tool or a patch), the kernel kills the process when it first touches a modified page: Killed: 9. \
        The linker signs files for arm64, and tools that edit a file often leave the old signature in place. On x64, \
        code needs no signature, but an existing signature should match. The rule does not check who signed.\n\
        Sign as the last step: codesign --force --sign - FILE, or rcodesign on other systems.",
    check: Check::Loaded(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.macho() else { return Vec::new() };
    // macOS does not require a signature on the older processors.
    let demanded = !matches!(subject.facts.cpu, Some(Cpu::X64 | Cpu::Ia32 | Cpu::Ppc64));
    let (severity, message, evidence) = match &facts.signature {
        Signature::Valid { .. } => return Vec::new(),
        Signature::None if !demanded => return Vec::new(),
        Signature::None => (
            Severity::Error,
            "the addon is not signed, and macOS on arm64 does not load it",
            "no LC_CODE_SIGNATURE",
        ),
        Signature::Invalid { damage } if demanded => (
            Severity::Error,
            "the addon was modified after it was signed: macOS on arm64 kills the process that loads it",
            damage.as_str(),
        ),
        Signature::Invalid { damage } => {
            (Severity::Warning, "the addon was modified after it was signed", damage.as_str())
        }
    };
    vec![Problem {
        severity,
        message: message.to_owned(),
        evidence: evidence.to_owned(),
        remedy: "sign as the last step: codesign --force --sign - FILE".to_owned(),
    }]
}
