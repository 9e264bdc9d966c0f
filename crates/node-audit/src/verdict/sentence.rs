//! The clauses of a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::{NodeNeed, releases};
use super::part::Part;
use super::system::System;
use crate::limits::{MAX_VERDICT_PLATFORMS, MAX_VERDICT_REASONS};
use crate::platform::{Cpu, Os};
use crate::policy::Policy;

/// Returns the clauses about the addons of a package.
pub(super) fn clauses(parts: &[Part<'_>], policy: &Policy) -> Vec<String> {
    let (failing, loading): (Vec<&Part<'_>>, Vec<&Part<'_>>) =
        parts.iter().partition(|part| part.failure.is_some());
    let mut clauses = Vec::from_iter(loads(&loading));
    // The caller asks for one platform, and for no other.
    if policy.claim.is_none() {
        clauses.extend(other_libc(&loading, &failing));
    }
    clauses.extend(fails(&failing, &loading));
    clauses
}

/// Returns the clause about systems, processors and Node.
fn loads(parts: &[&Part<'_>]) -> Option<String> {
    let systems = systems(parts);
    let needs: BTreeSet<NodeNeed> = parts.iter().filter_map(|part| part.node).collect();
    let node = releases(&needs);
    if systems.is_empty() {
        return None;
    }
    let first = systems.first().map(|(_, cpus)| cpus);
    if systems.iter().all(|(_, cpus)| Some(cpus) == first) {
        let names = systems.iter().map(|(system, _)| system.to_string()).collect::<Vec<_>>().join(", ");
        let node = node.map_or_else(String::new, |node| format!(", {node}"));
        return Some(format!("loads on {names}{node}, {}", names_of(first.into_iter().flatten())));
    }
    let names = systems.iter().map(|(system, cpus)| format!("{system} ({})", names_of(cpus)));
    let names = names.collect::<Vec<_>>().join(", ");
    Some(format!("loads on {names}{}", node.map_or_else(String::new, |node| format!("; {node}"))))
}

/// Returns the systems with their processors. Processors of one system with another oldest release are another entry.
fn systems(parts: &[&Part<'_>]) -> Vec<(System, BTreeSet<Cpu>)> {
    // Several addons for one platform are for several releases of Node, or for several processors' features.
    let mut by_cpu: Vec<(Cpu, System)> = Vec::new();
    for part in parts {
        let (Some(system), Some(cpu)) = (part.system.clone(), part.cpu()) else { continue };
        match by_cpu.iter_mut().find(|(own, known)| *own == cpu && known.is_same(&system)) {
            Some((_, known)) => *known = known.clone().newest(system),
            None => by_cpu.push((cpu, system)),
        }
    }
    let mut systems: BTreeMap<System, BTreeSet<Cpu>> = BTreeMap::new();
    for (cpu, system) in by_cpu {
        systems.entry(system).or_default().insert(cpu);
    }
    systems.into_iter().collect()
}

fn names_of<'a>(cpus: impl IntoIterator<Item = &'a Cpu>) -> String {
    cpus.into_iter().map(|cpu| cpu.name()).collect::<Vec<_>>().join(", ")
}

/// Returns the clause about Linux systems with the C library that no addon is for.
fn other_libc(loading: &[&Part<'_>], failing: &[&Part<'_>]) -> Option<String> {
    let has = |wanted: &System| {
        loading.iter().any(|part| part.system.as_ref().is_some_and(|system| system.is_same(wanted)))
    };
    // The clause about failures names the platform.
    let claims = |libc: &str| {
        failing.iter().any(|part| part.platform.is_some_and(|platform| platform.to_string().contains(libc)))
    };
    let glibc = System::Glibc { oldest: None, with: None, newest: None };
    match (has(&glibc), has(&System::Musl), has(&System::Linux)) {
        (true, false, false) if !claims("-musl") => {
            let linux = loading.iter().filter(|part| part.platform.is_some_and(|own| own.os == Os::Linux));
            let perhaps = linux.into_iter().any(|part| part.may_load_on_musl);
            Some(
                if perhaps { "may fail on Alpine, since it is linked to glibc" } else { "not on Alpine" }
                    .to_owned(),
            )
        }
        (false, true, false) if !claims("-gnu") => Some("not on glibc".to_owned()),
        _ => None,
    }
}

/// Returns the clauses about the platforms that an addon is for and does not load on.
fn fails(failing: &[&Part<'_>], loading: &[&Part<'_>]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for part in failing {
        let reason = part.failure.as_deref().unwrap_or_default();
        // Another addon for the platform loads, so the file's name tells which does not.
        let others = part.platform.is_some() && loading.iter().any(|other| other.platform == part.platform);
        let place = if others { part.file.to_owned() } else { part.place() };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => reasons.push((reason, vec![place])),
        }
    }
    let clause = |(reason, places): &(&str, Vec<String>)| {
        let listed = places.iter().take(MAX_VERDICT_PLATFORMS).cloned().collect::<Vec<_>>().join(", ");
        let more = match places.len().saturating_sub(MAX_VERDICT_PLATFORMS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("fails on {listed}{more}: {reason}")
    };
    let mut clauses: Vec<String> = reasons.iter().take(MAX_VERDICT_REASONS).map(clause).collect();
    let more = reasons.len().saturating_sub(MAX_VERDICT_REASONS);
    if more > 0 {
        clauses.push(format!("fails for {more} more reasons"));
    }
    clauses
}
