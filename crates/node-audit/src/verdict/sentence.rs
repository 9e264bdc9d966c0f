//! Composes the clauses of a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::{NodeNeed, electron, is_unknown, releases};
use super::part::Part;
use super::system::System;
use crate::limits::{MAX_VERDICT_PLATFORMS, MAX_VERDICT_REASONS};
use crate::platform::{Cpu, Libc, Os};
use crate::policy::Policy;
use crate::reason::MAY_FAIL_LATER;

/// Returns the clauses about the addons of a package; `libc` is the C library that the name before the verdict claims.
pub(super) fn clauses(parts: &[Part<'_>], libc: Option<Libc>, policy: &Policy) -> Vec<String> {
    let (failing, loading): (Vec<&Part<'_>>, Vec<&Part<'_>>) =
        parts.iter().partition(|part| part.failure.is_some());
    let mut clauses = loads(&loading);
    // The caller asks for this platform only, or the name excludes the other C library.
    if policy.claim.is_none() && libc.is_none() {
        clauses.extend(other_libc(&loading, &failing));
    }
    if loading.iter().any(|part| part.fits_one_glibc) {
        clauses.push(format!("{MAY_FAIL_LATER}, since an addon calls glibc's internal functions"));
    }
    clauses.extend(fails(&failing, &loading));
    clauses
}

/// Returns the clauses about systems, processors and Node: one for each set of releases, with Node's releases first.
fn loads(parts: &[&Part<'_>]) -> Vec<String> {
    let mut groups = groups(parts);
    // The sort is stable.
    groups.sort_by_key(|group| is_for_electron(&needs(group)));
    groups.iter().filter_map(|group| of_group(group)).collect()
}

/// Groups the parts by the releases that load them. Parts with different Node-API versions share a group, which needs
/// the newest of these versions.
fn groups<'a, 'b>(parts: &[&'b Part<'a>]) -> Vec<Vec<&'b Part<'a>>> {
    let is_together = |one: &Part<'_>, other: &Part<'_>| {
        let systems = one.system.as_ref().zip(other.system.as_ref());
        one.cpu() == other.cpu() && systems.is_none_or(|(one, other)| one.is_same(other))
    };
    let mut groups: Vec<(BTreeSet<NodeNeed>, Vec<&Part<'_>>)> = Vec::new();
    for part in parts {
        let beside: Vec<&Part<'_>> = parts.iter().copied().filter(|other| is_together(part, other)).collect();
        let needs = needs(&beside);
        let is_open = needs.iter().any(NodeNeed::is_open);
        let mut bound: BTreeSet<NodeNeed> = needs.into_iter().filter(|need| !need.is_open()).collect();
        if is_open {
            bound.retain(|need| !matches!(need, NodeNeed::Electron(_)));
            bound.insert(NodeNeed::RunTime);
        }
        // The releases that load such an addon are unknown.
        let key = if bound.is_empty() { groups.first().map(|(key, _)| key.clone()) } else { Some(bound) };
        let key = key.unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == key || known.is_empty()) {
            Some((known, group)) => {
                *known = key;
                group.push(part);
            }
            None => groups.push((key, vec![part])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn needs(parts: &[&Part<'_>]) -> BTreeSet<NodeNeed> {
    parts.iter().filter_map(|part| part.node.clone()).collect()
}

/// Returns whether Electron loads the addons and Node loads none of them.
fn is_for_electron(needs: &BTreeSet<NodeNeed>) -> bool {
    !needs.is_empty() && needs.iter().all(|need| matches!(need, NodeNeed::Electron(_)))
}

/// Returns the clause about parts that the same releases load.
fn of_group(parts: &[&Part<'_>]) -> Option<String> {
    let systems = systems(parts);
    let needs = needs(parts);
    let first = systems.first().map(|(_, cpus)| cpus)?;
    let is_unknown = is_unknown(&needs);
    // A reason at the end of the clause leaves no place for the processors there.
    let is_shared = !is_unknown && systems.iter().all(|(_, cpus)| cpus == first);
    let names = systems.iter().map(|(system, cpus)| match is_shared {
        true => system.to_string(),
        false => format!("{system} ({})", names_of(cpus)),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let shared = if is_shared { format!(", {}", names_of(first)) } else { String::new() };
    if let Some(electron) = electron(&needs).filter(|_| is_for_electron(&needs)) {
        return Some(format!("loads only in {electron}, on {names}{shared}"));
    }
    let separator = match (is_unknown, is_shared) {
        (true, _) => ", in ",
        (false, true) => ", ",
        (false, false) => "; ",
    };
    let node = releases(&needs).map_or_else(String::new, |node| format!("{separator}{node}"));
    let reason = if is_unknown { ": the addon looks up Node-API at run time" } else { "" };
    Some(format!("loads on {names}{node}{shared}{reason}"))
}

/// Returns the systems with their processors. Processors with a different oldest release form a separate entry.
fn systems(parts: &[&Part<'_>]) -> Vec<(System, BTreeSet<Cpu>)> {
    // Several addons for one platform are for different releases of Node, or for different processor features.
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

/// Returns the clause about Linux systems for whose C library the package has no addon.
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
                if perhaps {
                    "may fail on Alpine, since the addon is linked to glibc"
                } else {
                    "not on Alpine"
                }
                .to_owned(),
            )
        }
        (false, true, false) if !claims("-gnu") => Some("not on glibc".to_owned()),
        _ => None,
    }
}

/// Returns the clauses about the platforms that an addon claims but does not load on.
fn fails(failing: &[&Part<'_>], loading: &[&Part<'_>]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for part in failing {
        let reason = part.failure.as_deref().unwrap_or_default();
        // Another addon for the platform loads, so the clause names the file that does not.
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
