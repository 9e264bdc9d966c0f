//! Checks that the protections of the linker and the compiler are on.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Details, ElfFacts, Facts, MachOFacts, PeFacts};
use crate::finding::Severity;
use crate::platform::Libc;
use crate::policy::Hardening;

pub(super) const RULE: Rule = Rule {
    id: "hardening",
    asks: "no memory is both writable and executable, and the protections of the linker and the compiler are on",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "These protections limit the damage of a memory error in an addon. glibc 2.41 and later, and SELinux, \
        refuse an addon with an executable stack: cannot enable executable stack as shared object requires: Invalid \
        argument. musl ignores the request. Code that was not compiled as position independent has text relocations: the \
        loader makes the code writable during relocation, which SELinux and hardened kernels refuse: cannot make segment \
        writable for relocation: Permission denied. RELRO with BIND_NOW makes the table of function addresses read-only \
        before the addon runs; otherwise one stray write redirects a call. On Windows, DYNAMIC_BASE and HIGH_ENTROPY_VA \
        let the system load the addon at an unpredictable address, and NX_COMPAT prevents the execution of its data. \
        Control Flow Guard has no effect in a DLL unless the program uses it, and node.exe does not. A policy can also \
        expect two protections of the C compiler, which an addon without C code lacks: the stack protector, which ends \
        the process when a buffer on the stack overflows, and the checked versions of memcpy and similar functions.\n\
        Link with -Wl,-z,relro,-z,now,-z,noexecstack and compile with -fPIC; on Windows with /DYNAMICBASE /HIGHENTROPYVA \
        /NXCOMPAT, the defaults of the linker. For the protections that a policy expects, compile with \
        -fstack-protector-strong -D_FORTIFY_SOURCE=2 and an optimization level.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    let mut problems = match &facts.details {
        Details::Elf(elf) => check_elf(subject.libc, elf),
        Details::MachO(macho) => check_macho(macho),
        Details::Pe(pe) => check_pe(facts, pe),
    };
    // MSVC's checks are functions in the DLL itself, so they leave no import.
    if !matches!(facts.details, Details::Pe(_)) {
        problems.extend(check_compiled(facts, subject.policy.hardening));
    }
    if !facts.writable_code.is_empty() {
        problems.push(warning(
            "the addon has memory that is both writable and executable",
            format!("writable and executable: {}", first_names(&facts.writable_code)),
            "link code and data into different segments; check linker scripts, and section flags in assembly",
        ));
    }
    problems
}

fn check_elf(libc: Option<Libc>, elf: &ElfFacts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if elf.executable_stack {
        let (severity, message) = match libc {
            Some(Libc::Musl) => {
                (Severity::Warning, "the addon asks for an executable stack, and musl ignores the request")
            }
            _ => {
                let message =
                    "the addon asks for an executable stack, and glibc 2.41 and later refuse to load it";
                (Severity::Error, message)
            }
        };
        problems.push(Problem {
            severity,
            message: message.to_owned(),
            evidence: "PT_GNU_STACK is executable or absent".to_owned(),
            remedy: "link with -Wl,-z,noexecstack, and end each assembly file with .section .note.GNU-stack,\"\",%progbits"
                .to_owned(),
        });
    }
    if elf.text_relocations {
        problems.push(Problem {
            severity: Severity::Error,
            message: "loading changes the addon's code (text relocations), which SELinux refuses".to_owned(),
            evidence: "DT_TEXTREL, or DF_TEXTREL in DT_FLAGS".to_owned(),
            remedy:
                "compile all of the code with -fPIC; with -Wl,-z,text, the linker reports the objects that were \
                 compiled without -fPIC"
                    .to_owned(),
        });
    }
    let lacking: &[&str] = match (elf.relro, elf.bind_now) {
        (true, true) => &[],
        (true, false) => &["neither DF_BIND_NOW nor DF_1_NOW"],
        (false, true) => &["no PT_GNU_RELRO"],
        (false, false) => &["no PT_GNU_RELRO", "neither DF_BIND_NOW nor DF_1_NOW"],
    };
    if !lacking.is_empty() {
        problems.push(warning(
            "the addon's table of function addresses stays writable: the addon is not linked with full RELRO",
            lacking.join(", "),
            "link with -Wl,-z,relro,-z,now",
        ));
    }
    problems
}

fn check_macho(macho: &MachOFacts) -> Vec<Problem> {
    if !macho.executable_stack {
        return Vec::new();
    }
    // macOS honours the flag only in programs, so the addon loads, and the stack does not change.
    vec![warning(
        "the addon asks for an executable stack, which macOS does not grant to a library",
        "MH_ALLOW_STACK_EXECUTION in the flags of the header".to_owned(),
        "link without -allow_stack_execute",
    )]
}

fn check_pe(facts: &Facts, pe: &PeFacts) -> Vec<Problem> {
    let mut lacking = Vec::new();
    if !pe.dynamic_base {
        lacking.push("DYNAMIC_BASE with relocations");
    }
    if facts.bits == 64 && !pe.high_entropy {
        lacking.push("HIGH_ENTROPY_VA");
    }
    let mut problems = Vec::new();
    if !lacking.is_empty() {
        problems.push(warning(
            "the addon is loaded at a predictable address",
            format!("the header lacks {}", lacking.join(" and ")),
            "link with /DYNAMICBASE and /HIGHENTROPYVA (--dynamicbase and --high-entropy-va in ld), without /FIXED",
        ));
    }
    if !pe.nx_compat {
        problems.push(warning(
            "the addon allows its data to be executed",
            "the header lacks NX_COMPAT".to_owned(),
            "link with /NXCOMPAT (--nxcompat in ld)",
        ));
    }
    problems
}

/// Checks the imports that the C compiler's protections add.
fn check_compiled(facts: &Facts, expected: Hardening) -> Vec<Problem> {
    let imports = |is_mark: fn(&str) -> bool| facts.imports.iter().any(|name| is_mark(name));
    let mut problems = Vec::new();
    if expected.stack_protector && !imports(|name| name == "__stack_chk_fail") {
        problems.push(warning(
            "the addon's C code is compiled without a stack protector, which the policy expects",
            "the addon does not import __stack_chk_fail".to_owned(),
            "compile all C code with -fstack-protector-strong",
        ));
    }
    if expected.fortify && !imports(|name| name.starts_with("__") && name.ends_with("_chk")) {
        problems.push(warning(
            "the addon's C code is compiled without _FORTIFY_SOURCE, which the policy expects",
            "the addon imports neither __memcpy_chk nor another __*_chk".to_owned(),
            "compile all C code with -D_FORTIFY_SOURCE=2 and an optimization level",
        ));
    }
    problems
}

fn warning(message: &str, evidence: String, remedy: &str) -> Problem {
    let (message, remedy) = (message.to_owned(), remedy.to_owned());
    Problem { severity: Severity::Warning, message, evidence, remedy }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::addon::Addon;
    use crate::policy::Policy;

    fn findings(facts: &Facts) -> Vec<(Severity, String)> {
        findings_by(&Policy::default(), facts)
    }

    fn findings_by(policy: &Policy, facts: &Facts) -> Vec<(Severity, String)> {
        let addon = Addon::unplaced(PathBuf::new(), vec![facts.clone()]);
        let problems = check(&Subject::new(&addon, &addon.facts[0], None, policy));
        problems.into_iter().map(|problem| (problem.severity, problem.evidence)).collect()
    }

    #[test]
    fn an_elf_file_must_have_full_relro_and_no_executable_data() {
        let good = ElfFacts { relro: true, bind_now: true, ..ElfFacts::default() };
        let found = |elf: ElfFacts| findings(&Facts::empty(Details::Elf(elf)));
        assert_eq!(found(good.clone()), []);
        let warning = |evidence: &str| vec![(Severity::Warning, evidence.to_owned())];
        assert_eq!(
            found(ElfFacts { bind_now: false, ..good.clone() }),
            warning("neither DF_BIND_NOW nor DF_1_NOW")
        );
        assert_eq!(found(ElfFacts { relro: false, ..good.clone() }), warning("no PT_GNU_RELRO"));
        for bad in [
            ElfFacts { executable_stack: true, ..good.clone() },
            ElfFacts { text_relocations: true, ..good.clone() },
        ] {
            let found = found(bad);
            assert_eq!((found.len(), found[0].0), (1, Severity::Error), "{found:?}");
        }
        let writable =
            Facts { writable_code: vec!["segment 2".to_owned()], ..Facts::empty(Details::Elf(good)) };
        assert_eq!(findings(&writable), warning("writable and executable: segment 2"));
    }

    #[test]
    fn a_macho_file_must_have_no_executable_data() {
        let good = Facts::empty(Details::MachO(MachOFacts::default()));
        assert_eq!(findings(&good), []);
        let writable = Facts { writable_code: vec!["__DATA".to_owned()], ..good };
        assert_eq!(findings(&writable), [(Severity::Warning, "writable and executable: __DATA".to_owned())]);
        let stack = MachOFacts { executable_stack: true, ..MachOFacts::default() };
        assert_eq!(findings(&Facts::empty(Details::MachO(stack)))[0].0, Severity::Warning);
    }

    #[test]
    fn a_policy_can_expect_the_compilers_protections() {
        let hardening = Hardening::of_flags(["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"]);
        assert_eq!(hardening, Hardening { stack_protector: true, fortify: true });
        assert_eq!(Hardening::of_flags(["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=0"]), Hardening::default());
        let policy = Policy { hardening, ..Policy::default() };
        let elf = Details::Elf(ElfFacts { relro: true, bind_now: true, ..ElfFacts::default() });
        for details in [elf, Details::MachO(MachOFacts::default())] {
            let with = |imports: &[&str]| Facts {
                imports: imports.iter().map(|&name| name.to_owned()).collect(),
                ..Facts::empty(details.clone())
            };
            assert_eq!(findings_by(&policy, &with(&["__stack_chk_fail", "__memcpy_chk"])), []);
            let protector = (Severity::Warning, "the addon does not import __stack_chk_fail".to_owned());
            assert_eq!(findings_by(&policy, &with(&["__memcpy_chk"])), [protector]);
            let fortify =
                (Severity::Warning, "the addon imports neither __memcpy_chk nor another __*_chk".to_owned());
            assert_eq!(findings_by(&policy, &with(&["__stack_chk_fail", "memcpy"])), [fortify]);
            assert_eq!(findings(&with(&[])), []);
        }
    }
}
