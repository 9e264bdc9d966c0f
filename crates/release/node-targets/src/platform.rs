//! Converts targets to node-audit's platforms. node-audit knows more systems than the table.

use node_audit::Platform;

use crate::names::{Libc, Os};
use crate::target::Target;

impl From<&Target> for Platform {
    fn from(target: &Target) -> Self {
        let os = match target.os {
            Os::Linux => node_audit::Os::Linux,
            Os::Darwin => node_audit::Os::Darwin,
            Os::Win32 => node_audit::Os::Win32,
        };
        Platform { os, cpu: target.cpu, libc: target.libc.map(node_audit::Libc::from) }
    }
}

impl From<Libc> for node_audit::Libc {
    fn from(libc: Libc) -> Self {
        match libc {
            Libc::Glibc => node_audit::Libc::Glibc,
            Libc::Musl => node_audit::Libc::Musl,
        }
    }
}
