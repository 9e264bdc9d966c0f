//! One package of the survey: its addons, read by node-audit, and loaded in the Nodes that they are for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use node_audit::{Audited, Cpu, Libc, Os, Platform, Policy, Report};
use nodejs_semver::{Range, Version};

use crate::paths::Workspace;
use crate::runtimes::Runtime;
use crate::survey::loads::{self, Job};
use crate::survey::packages::{Installed, Package};
use crate::survey::verdict::Load;
use crate::survey::{Addon, Surveyed};

/// Audits the tarball as npm has it, and loads its addons from where npm would have put them.
pub(crate) fn survey(workspace: &Workspace, package: &Package) -> Result<Surveyed> {
    let installed = package.install(workspace)?;
    let audit = node_audit::audit_paths(std::slice::from_ref(&installed.tarball), &Policy::default(), &());
    let mut skipped = BTreeSet::new();
    let mut addons = Vec::new();
    for audited in audit.files {
        let file = file_in_package(&installed, &audited.report)?;
        let runtimes = runtimes(workspace, &audited, &mut skipped)?;
        addons.push((file, audited.report, runtimes));
    }
    let paths: Vec<PathBuf> = addons.iter().map(|(file, ..)| installed.root.join(file)).collect();
    let jobs: Vec<Job<'_>> = addons
        .iter()
        .zip(&paths)
        .flat_map(|((_, _, runtimes), addon)| runtimes.iter().map(move |runtime| Job { addon, runtime }))
        .collect();
    let mut outcomes = loads::run(workspace, &jobs, installed.scratch())?.into_iter();
    let addons = addons.into_iter().map(|(file, audit, runtimes)| {
        let loads = runtimes.iter().zip(outcomes.by_ref());
        let loads = loads.map(|(runtime, outcome)| Load { runtime: runtime.name(), outcome }).collect();
        Addon { audit: Report { file: file.display().to_string(), ..audit }, loads }
    });
    let addons = addons.collect();
    Ok(Surveyed {
        pin: package.pin.clone(),
        what: package.what.clone(),
        whole: audit.packages.into_iter().flat_map(|package| package.report.findings).collect(),
        addons,
        unread: audit.failures.iter().map(ToString::to_string).collect(),
        skipped: skipped.into_iter().collect(),
    })
}

/// The Nodes that an addon is for, of those that can be had here: by its platform, by the ABI in its name and by the
/// versions that its package promises.
fn runtimes(
    workspace: &Workspace,
    audited: &Audited,
    skipped: &mut BTreeSet<String>,
) -> Result<Vec<Runtime>> {
    let mut runtimes = Vec::new();
    for (cpu, libc) in systems(audited) {
        runtimes.extend(Runtime::pinned(workspace, cpu, libc)?);
    }
    let engines = audited.addon.package.as_ref().and_then(|package| package.node.as_deref());
    runtimes
        .retain(|runtime| is_promised(engines, &runtime.node) && has_abi(audited.addon.abi, &runtime.node));
    runtimes.retain(|runtime| match runtime.missing(workspace) {
        Some(why) => {
            skipped.insert(why);
            false
        }
        None => true,
    });
    Ok(runtimes)
}

/// The kinds of Linux that an addon is for, of those that there are Nodes of. What no name says, the file itself does:
/// its processor, and the C library that it is linked to.
fn systems(audited: &Audited) -> Vec<(node_targets::Cpu, node_targets::Libc)> {
    let linked = audited.addon.facts.iter().find_map(|facts| facts.elf()?.libc);
    let claimed: Vec<_> = match &audited.addon.claim {
        Some(claim) => claim.platforms().filter(|platform| platform.os == Os::Linux).collect(),
        None => {
            let elf = audited.addon.facts.iter().filter(|facts| facts.elf().is_some());
            elf.filter_map(|facts| Some(Platform { os: Os::Linux, cpu: facts.cpu?, libc: None })).collect()
        }
    };
    let system = |platform: Platform| {
        let cpu = match platform.cpu {
            Cpu::X64 => node_targets::Cpu::X64,
            Cpu::Arm64 => node_targets::Cpu::Arm64,
            _ => return None,
        };
        let libc = match platform.libc.or(linked) {
            Some(Libc::Musl) => node_targets::Libc::Musl,
            Some(Libc::Glibc) | None => node_targets::Libc::Glibc,
            // Android's, which no Node here has.
            Some(Libc::Bionic) => return None,
        };
        Some((cpu, libc))
    };
    claimed.into_iter().filter_map(system).collect()
}

/// Whether engines.node allows a version. A range that npm could not read promises every Node.
fn is_promised(engines: Option<&str>, node: &str) -> bool {
    let range = engines.and_then(|engines| Range::parse(engines).ok());
    let version = Version::parse(node).ok();
    range.zip(version).is_none_or(|(range, version)| range.satisfies(&version))
}

/// Whether a Node has the ABI (NODE_MODULE_VERSION) that an addon is for; of releases of which none is pinned, no.
fn has_abi(abi: Option<u32>, node: &str) -> bool {
    let major = node.split('.').next().unwrap_or_default();
    abi.is_none_or(|abi| matches!((abi, major), (115, "20") | (127, "22") | (137, "24")))
}

/// An addon's path from the package's folder. In the tarball, all is in one folder.
fn file_in_package(installed: &Installed, report: &Report) -> Result<PathBuf> {
    let tarball = format!("{}:", installed.tarball.display());
    let inside = report.file.strip_prefix(&tarball);
    let inside = inside.with_context(|| format!("{} is not in {tarball}", report.file))?;
    let file: PathBuf = Path::new(inside).components().skip(1).collect();
    ensure!(installed.root.join(&file).is_file(), "{} was not unpacked", file.display());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_and_abi_choose_the_nodes() {
        assert!(is_promised(None, "20.20.2") && is_promised(Some("no range"), "20.20.2"));
        assert!(is_promised(Some(">=16.17.0"), "20.20.2") && !is_promised(Some(">=22"), "20.20.2"));
        assert!(is_promised(Some(">= 12.22.0 < 13 || >= 16"), "24.1.0"));
        assert!(has_abi(None, "20.20.2") && has_abi(Some(115), "20.20.2"));
        assert!(!has_abi(Some(127), "20.20.2") && !has_abi(Some(108), "18.0.0"));
    }
}
