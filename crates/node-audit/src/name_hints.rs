//! Reads the claim of each name: the file's name, its folders, the package's name, and the fields of package.json.

use crate::claim::{Claim, at_the_end, of_folders, processor_at_the_end, system_at_the_end};
use crate::manifest::Manifest;
use crate::name_abi::bound;
use crate::platform::{Cpu, Libc, Os};
use crate::platform_words::System;
use crate::printable::printable;

/// The number of folders above an addon whose names may claim a part of a platform. The first is the addon's own
/// folder.
const MAX_DISTANCE: usize = 3;

/// The claim of one name.
#[derive(Default)]
pub(crate) struct Hint {
    /// The name, as text.
    pub(crate) place: String,
    pub(crate) os: Option<Os>,
    /// `true` if the word for the system has other meanings.
    pub(crate) is_ambiguous: bool,
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) libc: Option<Libc>,
}

/// Reads `addon.linux-x64-gnu.node`, `addon.linux.node`, and the tags of prebuildify: `node.napi.musl.node`.
pub(crate) fn of_file(file: &str) -> Hint {
    let stem = file.strip_suffix(".node").unwrap_or(file);
    let mut tags = stem.split('.');
    let tag = tags.clone().find_map(Libc::by_name);
    let place = format!("the file's name {}", printable(file.as_bytes()));
    let claim = |stem: &str| stem.split('.').rev().find_map(at_the_end);
    let whole = claim(stem)
        .or_else(|| claim(without_version(stem)?))
        .or_else(|| bound(stem)?.claim)
        // ftdi-d2xx.Linux.x86_64.node
        .or_else(|| at_the_end(&stem.replace('.', "-")));
    if let Some(claim) = whole {
        return Hint { libc: claim.libc.or(tag), ..hint(place, claim) };
    }
    // A word that is a whole tag is unambiguous: x.mac.node, x.windows.node.
    let name = tags.next().unwrap_or_default();
    let of_tag = tags.rev().find_map(|tag| {
        // The C library does not imply the system: prebuildify writes it for all systems.
        let system = system_at_the_end(tag).filter(|_| Libc::by_name(tag).is_none())?;
        Some(System { is_ambiguous: system.is_ambiguous && tag.contains(['-', '_']), ..system })
    });
    let system = of_tag.or_else(|| system_before_abi(name));
    match system {
        Some(system) => Hint { libc: system.libc.or(tag), ..hint_of_system(place, system) },
        None => {
            let cpus = stem.split('.').rev().find_map(processor_at_the_end);
            Hint { place, cpus: cpus.into_iter().collect(), libc: tag, ..Hint::default() }
        }
    }
}

/// Reads the system of `uws_linux` and `uws_linux_57`.
fn system_before_abi(name: &str) -> Option<System> {
    let without_abi = || {
        let (start, abi) = name.rsplit_once(['-', '_'])?;
        let is_number = abi.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| system_at_the_end(start)).flatten()
    };
    system_at_the_end(name).or_else(without_abi)
}

/// Returns `sharp-linux-x64` of `sharp-linux-x64-0.35.5`.
fn without_version(stem: &str) -> Option<&str> {
    let (name, version) = stem.rsplit_once('-')?;
    let numbers = version.split('.').all(|number| number.parse::<u32>().is_ok());
    (numbers && version.contains('.')).then_some(name)
}

/// Reads folders, the innermost first: `linux-x64`, `napi-v8-linux-glibc-x64`, `linux/x64`, `osx`, cmake-ts' `musl-127-Release`.
pub(crate) fn of_path(folders: &[&str]) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    // `true` if the folder inside this one is the second part of a pair.
    let mut is_paired = false;
    for (position, folder) in folders.iter().enumerate().rev() {
        let outer = position.checked_sub(1).and_then(|outer| folders.get(outer));
        let was_paired = std::mem::take(&mut is_paired);
        let own = folder.split('.').rev().find_map(at_the_end);
        if let Some(claim) = own.or_else(|| bound(folder)?.claim) {
            hints.push(hint(in_folder(folder), claim));
        } else if let Some((os, claim)) = outer.and_then(|os| Some((os, of_folders(os, folder)?))) {
            is_paired = true;
            hints.push(hint(format!("its folders {os}/{folder}"), claim));
        } else if was_paired {
            // The previous step already read this folder, as the first part of a pair.
        } else if let Some(libc) = folder.split(['-', '_']).next().and_then(Libc::by_name) {
            hints.push(Hint { place: in_folder(folder), libc: Some(libc), ..Hint::default() });
        } else if folders.len() - position > MAX_DISTANCE {
            // A folder above a package may have any name.
        } else if let Some(system) = system_at_the_end(folder) {
            hints.push(hint_of_system(in_folder(folder), system));
        } else if let Some(cpu) = processor_at_the_end(folder) {
            hints.push(Hint { place: in_folder(folder), cpus: vec![cpu], ..Hint::default() });
        }
    }
    hints
}

fn in_folder(folder: &str) -> String {
    format!("its folder {}", printable(folder.as_bytes()))
}

pub(crate) fn of_package_name(name: &str) -> Option<Hint> {
    let last = name.rsplit('/').next()?;
    Some(hint(format!("the package's name {name}"), at_the_end(last)?))
}

/// Reads os, cpu and libc of package.json; ignores a field without exactly one name.
pub(crate) fn of_fields(package: &Manifest) -> Hint {
    let one = |names: &[String]| match names {
        [name] => Some(name.clone()),
        _ => None,
    };
    Hint {
        place: "package.json".to_owned(),
        os: one(&package.os).and_then(|name| Os::by_name(&name)),
        cpus: one(&package.cpu).and_then(|name| Cpu::by_name(&name)).into_iter().collect(),
        libc: one(&package.libc).and_then(|name| Libc::by_name(&name)),
        is_ambiguous: false,
    }
}

fn hint(place: String, claim: Claim) -> Hint {
    Hint { place, os: Some(claim.os), libc: claim.libc, cpus: claim.cpus, is_ambiguous: false }
}

fn hint_of_system(place: String, system: System) -> Hint {
    let System { os, cpu, libc, is_ambiguous } = system;
    Hint { place, os: Some(os), cpus: cpu.into_iter().collect(), libc, is_ambiguous }
}
