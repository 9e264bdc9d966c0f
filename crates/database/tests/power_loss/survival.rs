//! What survives of the unsynced operations on a file or a folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::disk::{Change, File, Folder, Kind, NameChange, apply_whole, rename_whole, write_at};
use crate::random::Random;
use crate::recorder::Inode;

/// How the unsynced operations fare. Drawn for each loss of power.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survival {
    data: Data,
    /// The number of bytes that the disk writes at once.
    sector: usize,
    /// Whether changes of names and lengths survive in their order, as in a file system with a journal, or each on its own.
    pub(super) ordered: bool,
    /// Whether the bytes of an interrupted write may become any bytes.
    garbage: bool,
    /// The share of operations that survive, in percent.
    rate: usize,
    /// Whether a write never changes a byte outside its range.
    pub(crate) safe_overwrite: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    /// Nothing survives but what was synced.
    Nothing,
    /// Everything survives: the program was killed.
    Everything,
    /// Each operation survives, is torn or is lost on its own, as in SQLite's own crash tests.
    Operations,
    /// Each sector has the bytes of some moment since the last sync, as a page cache writes it back.
    Sectors,
}

impl Survival {
    pub(crate) fn draw(random: &mut Random, safe_overwrite: bool) -> Self {
        let data = match random.below(20) {
            0 => Data::Nothing,
            1 => Data::Everything,
            2..=12 => Data::Operations,
            _ => Data::Sectors,
        };
        Self {
            data,
            sector: random.pick(&[512, 4096]),
            ordered: random.chance(50),
            garbage: random.chance(40),
            rate: random.pick(&[5, 30, 50, 70, 95]),
            safe_overwrite,
        }
    }
}

/// The length of SQLCipher's salt in bytes.
const SALT: usize = 16;

impl Folder {
    pub(super) fn crash(
        &self,
        survival: Survival,
        journal: Option<usize>,
        random: &mut Random,
    ) -> BTreeMap<PathBuf, Inode> {
        let mut names = self.durable.clone();
        if survival.data == Data::Everything {
            self.pending.iter().for_each(|(_, change)| rename_whole(&mut names, change));
            return names;
        }
        if let Some(journal) = journal {
            let survivors = self.pending.iter().filter(|(time, _)| *time <= journal);
            survivors.for_each(|(_, change)| rename_whole(&mut names, change));
            return names;
        }
        // The changes of one name keep their order: after the first that is lost, the later ones are lost too.
        let mut lost: HashSet<&Path> = HashSet::new();
        for (_, change) in &self.pending {
            let survives = random.chance(survival.rate);
            match change {
                NameChange::Set(name, _) | NameChange::Remove(name) => {
                    match survives && !lost.contains(name.as_path()) {
                        true => rename_whole(&mut names, change),
                        false => drop(lost.insert(name)),
                    }
                }
                NameChange::Rename { from, to, inode } => {
                    // A rename loses no file: the old name may survive beside the new one, but never neither.
                    let is_free = !lost.contains(from.as_path()) && !lost.contains(to.as_path());
                    match survives && is_free {
                        true if random.chance(50) => rename_whole(&mut names, change),
                        true => {
                            names.insert(to.clone(), *inode);
                            lost.insert(from);
                        }
                        false => lost.extend([from.as_path(), to.as_path()]),
                    }
                }
            }
        }
        names
    }
}

impl File {
    pub(super) fn crash(&self, survival: Survival, journal: Option<usize>, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        match survival.data {
            _ if self.kind == Kind::Index => {
                self.pending.iter().for_each(|change| apply_whole(&mut bytes, change));
                return random.bytes(bytes.len());
            }
            Data::Nothing => {}
            Data::Everything => self.pending.iter().for_each(|change| apply_whole(&mut bytes, change)),
            Data::Operations => self.crash_operations(&mut bytes, survival, journal, random),
            Data::Sectors => self.crash_sectors(&mut bytes, survival, journal, random),
        }
        if !survival.safe_overwrite && survival.data != Data::Everything {
            self.destroy_sectors(&mut bytes, survival, random);
        }
        self.keep_salt(&mut bytes);
        bytes
    }

    /// Restores the salt at the start of a file in SQLCipher's format, which every write of the first page repeats.
    ///
    /// The salt is nowhere else: neither SQLCipher nor the engine opens a file without it. A disk that turns these bytes into
    /// garbage, instead of leaving the same bytes before and after the write, loses the file.
    fn keep_salt(&self, bytes: &mut [u8]) {
        let starts = [b"SQLite format 3\0".as_slice(), b"\x89Strongroom\r\n\x1a\n"];
        if let (Some(now), Some(salt)) = (bytes.get_mut(..SALT), self.durable.get(..SALT))
            && self.kind == Kind::Database
            && !starts.iter().any(|start| salt.starts_with(start))
        {
            now.copy_from_slice(salt);
        }
    }

    fn crash_operations(
        &self,
        bytes: &mut Vec<u8>,
        survival: Survival,
        journal: Option<usize>,
        random: &mut Random,
    ) {
        for (change, time) in self.pending.iter().zip(&self.times) {
            let survives = match (change, journal) {
                (Change::Truncate(_), Some(journal)) => *time <= journal,
                _ => random.chance(survival.rate),
            };
            match change {
                _ if survives => apply_whole(bytes, change),
                Change::Write { offset, bytes: written } => match random.below(3) {
                    // Torn.
                    0 | 1 => {
                        for (offset, part) in sectors(*offset, written, survival.sector) {
                            match random.below(if survival.garbage { 5 } else { 4 }) {
                                0 | 1 => write_at(bytes, offset, part),
                                2 | 3 => {}
                                _ => write_at(bytes, offset, &random.bytes(part.len())),
                            }
                        }
                    }
                    // The length survives without the bytes.
                    _ if random.chance(30) => {
                        let end = *offset as usize + written.len();
                        let grown = end.saturating_sub(bytes.len());
                        match survival.garbage {
                            true => bytes.extend(random.bytes(grown)),
                            false => bytes.resize(bytes.len().max(end), 0),
                        }
                    }
                    _ => {}
                },
                Change::Truncate(_) | Change::Extend(_) => {}
            }
        }
    }

    fn crash_sectors(
        &self,
        bytes: &mut Vec<u8>,
        survival: Survival,
        journal: Option<usize>,
        random: &mut Random,
    ) {
        // The number of operations that a sector, or the length of the file, has seen.
        let seen = |random: &mut Random| match random.chance(survival.rate) {
            true => self.pending.len(),
            false => random.below(self.pending.len() + 1),
        };
        let length = match journal {
            Some(journal) => self.times.iter().filter(|time| **time <= journal).count(),
            None => seen(random),
        };
        let mut by_sector: HashMap<usize, usize> = HashMap::new();
        for (number, change) in self.pending.iter().enumerate() {
            match change {
                Change::Write { offset, bytes: written } => {
                    for (offset, part) in sectors(*offset, written, survival.sector) {
                        let seen = by_sector.entry(offset / survival.sector).or_insert_with(|| seen(random));
                        if number < *seen {
                            write_at(bytes, offset, part);
                        }
                    }
                }
                _ if number < length => apply_whole(bytes, change),
                Change::Truncate(_) | Change::Extend(_) => {}
            }
        }
    }

    /// Fills some sectors with garbage that the disk was writing, with the bytes around the written ones.
    fn destroy_sectors(&self, bytes: &mut [u8], survival: Survival, random: &mut Random) {
        let mut touched = HashSet::new();
        for change in &self.pending {
            let Change::Write { offset, bytes: written } = change else { continue };
            for (offset, _) in sectors(*offset, written, survival.sector) {
                let start = offset / survival.sector * survival.sector;
                if touched.insert(start) && random.chance(15) {
                    let end = bytes.len().min(start + survival.sector);
                    if let Some(sector) = bytes.get_mut(start..end) {
                        sector.copy_from_slice(&random.bytes(sector.len()));
                    }
                }
            }
        }
    }
}

/// Splits the bytes of a write at the bounds of sectors.
fn sectors(offset: u64, bytes: &[u8], sector: usize) -> Vec<(usize, &[u8])> {
    let (mut offset, mut rest) = (offset as usize, bytes);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, later) = rest.split_at(rest.len().min(sector - offset % sector));
        parts.push((offset, part));
        (offset, rest) = (offset + part.len(), later);
    }
    parts
}
