//! Finds the libraries that come with an addon and that a loader opens with it: the libraries that the addon needs, the
//! libraries that these need, and so on.
//!
//! The walk imitates the loader: breadth first, each library once, and with the search path of the file format.

use std::collections::BTreeSet;
use std::path::Path;

use super::place::{LibraryPath, Place};
use crate::facts::{Details, Facts};
use crate::library::{Library, LibraryParts, part};
use crate::limits::MAX_LIBRARIES;
use crate::platform::Libc;
use crate::printable::printable;
use crate::search_path::{from_loader, in_entry, in_rpath, searched, system_folder};

/// Libraries that Node itself has loaded. The loader knows these libraries by name, and opens no other file with
/// the same name.
const LOADED: [&str; 8] = [
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libc.so",
    "ld-linux-x86-64.so.2",
];

/// Reads a library; None if the next pass over the archive will read it.
pub(super) type ReadLibrary<'a> = dyn FnMut(&LibraryPath) -> Option<LibraryParts> + 'a;

/// Returns the libraries of one part of an addon, in the order in which the loader opens them; `claimed` is the C library that
/// the addon's names claim.
pub(super) fn libraries(
    addon: &Path,
    place: &Place,
    facts: &Facts,
    claimed: Option<Libc>,
    read: &mut ReadLibrary<'_>,
) -> Vec<Library> {
    let name = addon.file_name().unwrap_or_default().to_string_lossy();
    // The path of an addon in an archive begins with the path of the archive.
    let name = name.rsplit(['/', ':']).next().unwrap_or_default();
    let name = printable(name.as_bytes());
    let own = Opened { opener: None, place: place.clone(), library: None, chain: name };
    let is_musl = claimed.or(facts.elf().and_then(|elf| elf.libc)) == Some(Libc::Musl);
    let mut walk = Walk { addon: facts, is_musl, opened: vec![own], ids: BTreeSet::new(), read };
    let mut next = 0;
    while next < walk.opened.len() {
        let found = walk.open_needs(next);
        if let Some(library) = &mut walk.opened[next].library {
            library.found = found;
        }
        next += 1;
    }
    walk.opened.into_iter().filter_map(|opened| opened.library).collect()
}

/// A file that the loader opened: the addon, or a library.
struct Opened {
    /// The position of the file that needs this file.
    opener: Option<usize>,
    /// The folder of the file.
    place: Place,
    /// The library; None for the addon.
    library: Option<Library>,
    chain: String,
}

struct Walk<'a, 'read> {
    addon: &'a Facts,
    /// `true` if the loader is musl's. An addon without a C library must also load on glibc.
    is_musl: bool,
    opened: Vec<Opened>,
    /// The ids of the opened files.
    ids: BTreeSet<String>,
    read: &'a mut ReadLibrary<'read>,
}

impl Walk<'_, '_> {
    /// Opens the libraries that a file needs. Returns the names of the libraries that it finds.
    fn open_needs(&mut self, position: usize) -> BTreeSet<String> {
        let Some(facts) = self.facts(position) else { return BTreeSet::new() };
        let needs = match &facts.details {
            Details::MachO(macho) => macho.dylibs.iter().map(|dylib| dylib.path.clone()).collect(),
            Details::Elf(_) | Details::Pe(_) => facts.libraries.clone(),
        };
        needs.into_iter().filter(|need| self.open(position, need)).collect()
    }

    /// Opens a library, unless it is already open. Returns whether the library was found.
    fn open(&mut self, position: usize, need: &str) -> bool {
        if LOADED.contains(&need) {
            return false;
        }
        if self.is_loaded_by_name(need) {
            return true;
        }
        let paths = self.locate(position, need);
        if paths.is_empty() {
            return false;
        }
        if paths.iter().any(|path| self.ids.contains(&path.id)) || self.opened.len() > MAX_LIBRARIES {
            return true;
        }
        let mut read = Vec::new();
        for path in paths {
            let Some(parts) = (self.read)(&path) else { return true };
            let fits = parts.as_ref().is_ok_and(|parts| part(parts, self.addon.cpu).is_some());
            read.push((path, parts));
            if fits {
                // The loader opens no other file.
                read.drain(..read.len() - 1);
                break;
            }
        }
        let Some((path, parts)) = read.into_iter().next() else { return false };
        let neighbours = match &parts {
            Ok(parts) => path.place.neighbours_of_addon(parts),
            Err(_) => path.place.neighbours_of_addon(&[]),
        };
        let chain = format!("{} -> {}", self.opened[position].chain, path.name);
        let LibraryPath { id, name, place } = path;
        self.ids.insert(id);
        let library = Library { name, chain: chain.clone(), parts, neighbours, found: BTreeSet::new() };
        self.opened.push(Opened { opener: Some(position), place, library: Some(library), chain });
        true
    }

    /// Returns the facts of a file for the addon's processor.
    fn facts(&self, position: usize) -> Option<&Facts> {
        match &self.opened.get(position)?.library {
            None => Some(self.addon),
            Some(library) => part(library.parts.as_ref().ok()?, self.addon.cpu),
        }
    }

    /// Returns whether an ELF loader has already loaded a library with this name.
    fn is_loaded_by_name(&self, need: &str) -> bool {
        self.addon.elf().is_some()
            && (1..self.opened.len()).any(|position| {
                let soname = self.facts(position).and_then(|facts| facts.elf()?.soname.as_deref());
                let name = self.opened[position].library.as_ref().map(|library| library.name.as_str());
                soname == Some(need) || name == Some(need)
            })
    }

    /// Returns the files that the loader tries, in order. glibc skips a file for another processor; other loaders take
    /// the first file.
    fn locate(&self, position: usize, need: &str) -> Vec<LibraryPath> {
        let Some(facts) = self.facts(position) else { return Vec::new() };
        let first = match &facts.details {
            Details::Elf(_) => {
                let mut paths = self.locate_elf(position, need).unwrap_or_default();
                paths.truncate(if self.is_musl { 1 } else { MAX_LIBRARIES });
                return paths;
            }
            Details::MachO(_) => self.locate_macho(position, need),
            // Windows searches the folder of the addon for all libraries that are loaded with it
            // (LOAD_WITH_ALTERED_SEARCH_PATH).
            Details::Pe(_) if need.contains(['/', '\\', ':']) => None,
            Details::Pe(_) => self.opened.first().and_then(|addon| addon.place.locate_ignoring_case(need)),
        };
        Vec::from_iter(first)
    }

    fn locate_elf(&self, position: usize, need: &str) -> Option<Vec<LibraryPath>> {
        if need.contains('/') {
            return None;
        }
        let mut found: Vec<LibraryPath> = Vec::new();
        let own = self.facts(position)?.elf()?;
        let mut next = Some(position);
        while let Some(opener) = next {
            let elf = self.facts(opener)?.elf()?;
            // musl searches the paths of the file and of all its openers. glibc searches the openers' RPATH unless the
            // file has a RUNPATH.
            let inherits = self.is_musl || (own.runpath.is_empty() && elf.runpath.is_empty());
            if opener == position || inherits {
                let place = &self.opened.get(opener)?.place;
                let entries = searched(elf);
                let is_ignored = self.is_musl && entries.iter().any(|entry| system_folder(entry).is_some());
                let entries = if is_ignored { &[] } else { entries };
                let paths = entries.iter().flat_map(|entry| in_entry(entry, need));
                found.extend(paths.filter_map(|path| place.locate(&path)));
            }
            next = self.opened.get(opener)?.opener;
        }
        Some(found)
    }

    fn locate_macho(&self, position: usize, need: &str) -> Option<LibraryPath> {
        let place = &self.opened.get(position)?.place;
        let Some(name) = need.strip_prefix("@rpath/") else { return place.locate(from_loader(need)?) };
        // The loader searches the LC_RPATH directories of all openers, each relative to its own file.
        let mut next = Some(position);
        while let Some(opener) = next {
            let rpaths = &self.facts(opener)?.macho()?.rpaths;
            let place = &self.opened.get(opener)?.place;
            let found = rpaths.iter().find_map(|rpath| place.locate(from_loader(&in_rpath(rpath, name))?));
            if found.is_some() {
                return found;
            }
            next = self.opened.get(opener)?.opener;
        }
        None
    }
}
