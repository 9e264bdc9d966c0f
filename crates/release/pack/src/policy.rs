//! The policy that every addon of this project must pass.

use node_audit::{Cpu, FirmFloors, Hardening, Os, Platform, Policy};
use node_targets::Target;

/// Returns the policy for a target's addon: `own.toml`, with the target's floor and C flags from `targets.json`.
#[must_use]
pub fn policy(target: &Target) -> Policy {
    #[expect(clippy::expect_used, reason = "the text is compiled in, and a test in this module parses it")]
    let mut policy = Policy::from_toml("own.toml".as_ref(), include_str!("own.toml")).expect("own.toml");
    let platform = Platform::from(target);
    if let Some(floor) = target.floor {
        match (platform.os, platform.cpu) {
            (Os::Linux, _) => policy.floors.glibc = floor,
            (Os::Darwin, Cpu::X64) => policy.floors.macos_x64 = floor,
            (Os::Darwin, _) => policy.floors.macos_arm64 = floor,
            _ => {}
        }
    }
    policy.firm = FirmFloors::ALL;
    policy.hardening = Hardening::of_flags(target.c_flags.iter().map(String::as_str));
    policy.claim = Some(platform.into());
    policy
}

#[cfg(test)]
mod tests {
    use node_audit::{Libc, Severity};

    use super::*;

    #[test]
    fn the_policy_has_the_tables_floor_and_claim() {
        for target in node_targets::targets() {
            let policy = policy(target);
            assert_eq!(policy.claim.as_ref().map(ToString::to_string), Some(target.platform.clone()));
            let floor = match target.os {
                node_targets::Os::Linux => Some(policy.floors.glibc),
                node_targets::Os::Darwin => Some(policy.macos(Some(Platform::from(target).cpu))),
                node_targets::Os::Win32 => None,
            };
            assert!(target.floor.is_none() || floor == target.floor, "{target}: {floor:?}");
        }
    }

    #[test]
    fn our_addons_need_no_compiler_library_and_export_only_entry_points() {
        let policy = policy(Target::by_platform("linux-x64-gnu").unwrap());
        for libc in [Libc::Glibc, Libc::Musl] {
            assert!(!policy.allowed.on(libc, "libgcc_s.so.1"), "{libc}");
        }
        assert!(policy.allowed.on(Libc::Glibc, "libc.so.6"));
        assert_eq!(policy.other_exports, Severity::Error);
    }
}
