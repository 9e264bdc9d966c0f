//! A partial claim: a system without a processor, a processor without a system, or only a C library.

use crate::claim::Claim;
use crate::facts::{Details, Facts};
use crate::platform::{Cpu, Libc, Os};

/// A claim that lacks the system or the processor. The file itself gives the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartialClaim {
    /// The system: `linux` of `bcrypt.linux.node`.
    pub(crate) os: Option<Os>,
    /// `true` if the word for the system has other meanings, so that the claim includes the system only if the file is
    /// for that system: `x-windows.node`.
    pub(crate) is_ambiguous: bool,
    /// The processors: `x64` of `crypt32-x64.node`.
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) libc: Option<Libc>,
}

impl PartialClaim {
    /// Returns the claim with the file's own processors, or with its own system; None if the names claim nothing.
    pub(crate) fn completed(&self, facts: &[Facts]) -> Option<Claim> {
        let PartialClaim { os, is_ambiguous, ref cpus, libc } = *self;
        let own = own_system(facts);
        let os = os.filter(|os| !is_ambiguous || own == Some(*os));
        if let Some(os) = os {
            let own: Vec<Cpu> = facts.iter().filter_map(|part| part.cpu).collect();
            let cpus = if cpus.is_empty() { &own } else { cpus };
            let claim = Claim::new(os, cpus, libc.filter(|_| os == Os::Linux))?;
            return Some(if self.cpus.is_empty() { claim.without_named_processor() } else { claim });
        }
        match (own?, cpus.as_slice(), libc) {
            // prebuildify gives glibc as the C library of macOS and Windows as well.
            (os @ Os::Linux, [], Some(libc)) => {
                let own: Vec<Cpu> = facts.iter().filter_map(|part| part.cpu).collect();
                Claim::new(os, &own, Some(libc)).map(Claim::without_named_processor)
            }
            (_, [], _) => None,
            (os, cpus, libc) => Claim::new(os, cpus, libc.filter(|_| os == Os::Linux)),
        }
    }
}

/// Returns the system that a file is for, if the content alone determines it.
///
/// The function takes an ELF file without a C library for a Linux addon: Linux loads the file, and most addons are for
/// Linux.
fn own_system(facts: &[Facts]) -> Option<Os> {
    let facts = facts.first()?;
    match &facts.details {
        Details::Elf(elf) => match elf.libc {
            Some(Libc::Glibc | Libc::Musl) => Some(Os::Linux),
            Some(Libc::Bionic) => Some(Os::Android),
            // FreeBSD's `libc.so.7`, and the C libraries of other systems.
            None => {
                let has_other = facts.libraries.iter().any(|library| library.starts_with("libc."));
                let is_freebsd = elf.version_needs.iter().any(|need| need.version.starts_with("FBSD_"));
                if is_freebsd { Some(Os::Freebsd) } else { (!has_other).then_some(Os::Linux) }
            }
        },
        Details::MachO(_) => Some(Os::Darwin),
        Details::Pe(_) => Some(Os::Win32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ElfFacts, PeFacts};

    fn facts(details: Details) -> Vec<Facts> {
        vec![Facts { cpu: Some(Cpu::X64), ..Facts::empty(details) }]
    }

    #[test]
    fn the_file_completes_the_claim_of_its_name() {
        let elf = |libc| facts(Details::Elf(ElfFacts { libc, ..ElfFacts::default() }));
        let glibc = elf(Some(Libc::Glibc));
        let mut netbsd = elf(None);
        netbsd[0].libraries = vec!["libc.so.12".to_owned()];
        let pe = facts(Details::Pe(PeFacts::default()));
        let claim = |os, is_ambiguous, cpus: &[Cpu], libc| PartialClaim {
            os,
            is_ambiguous,
            cpus: cpus.to_vec(),
            libc,
        };
        let linux = Some(Os::Linux);
        for (claim, facts, expected) in [
            (claim(linux, false, &[], None), &glibc, "linux-x64"),
            (claim(linux, false, &[], Some(Libc::Musl)), &glibc, "linux-x64-musl"),
            (claim(linux, false, &[], None), &pe, "linux-x64"),
            (claim(Some(Os::Win32), true, &[], None), &pe, "win32-x64-msvc"),
            (claim(Some(Os::Win32), true, &[], None), &glibc, "-"),
            (claim(None, false, &[Cpu::Arm64], None), &pe, "win32-arm64-msvc"),
            (claim(None, false, &[Cpu::Arm64], None), &elf(None), "linux-arm64"),
            (claim(None, false, &[Cpu::Arm64], None), &netbsd, "-"),
            (claim(None, false, &[], Some(Libc::Glibc)), &glibc, "linux-x64-gnu"),
            (claim(None, false, &[], Some(Libc::Glibc)), &pe, "-"),
            (claim(None, false, &[], None), &glibc, "-"),
            (claim(linux, false, &[], None), &Vec::new(), "-"),
        ] {
            let completed = claim.completed(facts).map_or_else(|| "-".to_owned(), |claim| claim.to_string());
            assert_eq!(completed, expected, "{claim:?}");
        }
    }
}
