//! A disk that loses power: which bytes and which names are there afterwards.
//!
//! What survives for certain: the bytes of a file up to its last sync, and the names in a folder up to the folder's last
//! sync. Of everything later, a seed decides.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::random::Random;
use crate::recorder::{Inode, Op};
use crate::survival::Survival;

/// The files of a disk, by their names relative to the recorded folder.
pub(crate) type Image = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write {
        offset: u64,
        bytes: Rc<[u8]>,
    },
    Truncate(u64),
    /// The bytes of a write were lost for good, but not the length that it gave the file.
    Extend(u64),
}

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Set(PathBuf, Inode),
    Remove(PathBuf),
    Rename { from: PathBuf, to: PathBuf, inode: Inode },
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Database,
    /// A journal or a log.
    Journal,
    /// The index of a log, which SQLite writes through mapped memory, so that the record lacks the writes.
    Index,
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<Change>,
    /// For each pending change, the number of the operation.
    pub(super) times: Vec<usize>,
    /// The number of the operation that lost bytes of the file for good.
    lost: Option<usize>,
    pub(super) kind: Kind,
}

#[derive(Clone, Default)]
pub(super) struct Folder {
    pub(super) durable: BTreeMap<PathBuf, Inode>,
    /// The changes, each with the number of its operation.
    pub(super) pending: Vec<(usize, NameChange)>,
}

#[derive(Clone, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    folders: HashMap<PathBuf, Folder>,
    /// The names that the running program sees.
    names: HashMap<PathBuf, Inode>,
    /// The number of operations so far.
    time: usize,
}

fn folder_of(name: &Path) -> PathBuf {
    name.parent().unwrap_or(Path::new("")).to_owned()
}

impl Disk {
    /// A disk that holds these files for certain. Their positions are their numbers.
    pub(crate) fn new(image: &Image) -> Self {
        let mut this = Self::default();
        for (inode, (name, bytes)) in image.iter().enumerate() {
            this.files.push(File { durable: bytes.clone(), kind: kind_of(name), ..File::default() });
            this.names.insert(name.clone(), inode);
            this.folders.entry(folder_of(name)).or_default().durable.insert(name.clone(), inode);
        }
        this
    }

    fn change_name(&mut self, name: &Path, change: NameChange) {
        self.folders.entry(folder_of(name)).or_default().pending.push((self.time, change));
    }

    fn change(&mut self, inode: Inode, change: Change) {
        let file = &mut self.files[inode];
        file.pending.push(change);
        file.times.push(self.time);
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        if matches!(op, Op::Expect(_)) {
            return;
        }
        self.time += 1;
        match op {
            Op::Create { name, inode } => {
                assert_eq!(*inode, self.files.len());
                self.files.push(File { kind: kind_of(name), ..File::default() });
                self.names.insert(name.clone(), *inode);
                self.change_name(name, NameChange::Set(name.clone(), *inode));
            }
            Op::Write { inode, offset, bytes } => {
                self.change(*inode, Change::Write { offset: *offset, bytes: Rc::clone(bytes) });
            }
            Op::Truncate { inode, length } => self.change(*inode, Change::Truncate(*length)),
            Op::Sync { inode } => {
                let file = &mut self.files[*inode];
                file.times.clear();
                for change in std::mem::take(&mut file.pending) {
                    apply_whole(&mut file.durable, &change);
                }
            }
            Op::FailedSync { lost: false, .. } | Op::FailedSyncFolder { .. } | Op::Expect(_) => {}
            Op::FailedSync { inode, lost: true } => {
                self.files[*inode].lost = Some(self.time);
                for change in &mut self.files[*inode].pending {
                    if let Change::Write { offset, bytes } = change {
                        *change = Change::Extend(*offset + bytes.len() as u64);
                    }
                }
            }
            Op::SyncFolder { folder } => {
                let folder = self.folders.entry(folder.clone()).or_default();
                for (_, change) in std::mem::take(&mut folder.pending) {
                    rename_whole(&mut folder.durable, &change);
                }
            }
            Op::Remove { name } => {
                self.names.remove(name);
                self.change_name(name, NameChange::Remove(name.clone()));
            }
            Op::Rename { from, to } => {
                let Some(inode) = self.names.remove(from) else { return };
                self.names.insert(to.clone(), inode);
                let change = NameChange::Rename { from: from.clone(), to: to.clone(), inode };
                self.change_name(to, change);
            }
            Op::Link { from, to } => {
                let Some(inode) = self.names.get(from).copied() else { return };
                self.names.insert(to.clone(), inode);
                self.change_name(to, NameChange::Set(to.clone(), inode));
            }
        }
    }

    /// Returns whether a file that may still be there has lost bytes that the program believes to be written.
    ///
    /// A failed sync reports the loss. Nothing can be promised once the program has gone on.
    pub(crate) fn has_lost_bytes(&self) -> bool {
        let named = self.folders.values().flat_map(|folder| {
            let pending = folder.pending.iter().filter_map(|(_, change)| match change {
                NameChange::Set(_, inode) | NameChange::Rename { inode, .. } => Some(inode),
                NameChange::Remove(_) => None,
            });
            folder.durable.values().chain(pending)
        });
        named.into_iter().any(|inode| self.files[*inode].lost.is_some_and(|time| time < self.time))
    }

    /// Returns the files that are there after a loss of power.
    pub(crate) fn crash(&self, survival: Survival, random: &mut Random) -> Image {
        let mut folders: Vec<_> = self.folders.iter().collect();
        folders.sort_by_key(|(name, _)| *name);
        let mut contents: HashMap<Inode, Vec<u8>> = HashMap::new();
        let mut image = Image::new();
        let journal = survival.ordered.then(|| self.journaled(random));
        for (_, folder) in folders {
            for (name, inode) in folder.crash(survival, journal, random) {
                let content = contents
                    .entry(inode)
                    .or_insert_with(|| self.files[inode].crash(survival, journal, random));
                image.insert(name, content.clone());
            }
        }
        image
    }

    /// Returns the moment up to which a file system's journal is on the disk: one of those of the pending changes.
    fn journaled(&self, random: &mut Random) -> usize {
        let names = self.folders.values().flat_map(|folder| folder.pending.iter().map(|(time, _)| *time));
        let is_length = |change: &Change| matches!(change, Change::Truncate(_));
        let lengths = self.files.iter().filter(|file| file.kind != Kind::Index).flat_map(|file| {
            let timed = file.pending.iter().zip(&file.times);
            timed.filter(move |(change, _)| is_length(change)).map(|(_, time)| *time)
        });
        let mut times: Vec<usize> = names.chain(lengths).chain([0]).collect();
        times.sort_unstable();
        times[random.below(times.len())]
    }

    /// Describes the operations that are not durable, for a person who repeats a point.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (name, folder) in &self.folders {
            text += &format!("folder {name:?}: durable {:?}; pending {:?}\n", folder.durable, folder.pending);
        }
        for (inode, file) in self.files.iter().enumerate().filter(|(_, file)| !file.pending.is_empty()) {
            let names: Vec<_> = self.names.iter().filter(|(_, number)| **number == inode).collect();
            text += &format!("file {inode} {names:?}: {} durable bytes; pending:", file.durable.len());
            for change in &file.pending {
                text += &match change {
                    Change::Write { offset, bytes } => format!(" write {offset}+{}", bytes.len()),
                    other => format!(" {other:?}"),
                };
            }
            text.push('\n');
        }
        text
    }

    /// Returns the files as the running program sees them.
    pub(crate) fn now(&self) -> Image {
        let content = |inode: &Inode| {
            let file = &self.files[*inode];
            let mut bytes = file.durable.clone();
            file.pending.iter().for_each(|change| apply_whole(&mut bytes, change));
            bytes
        };
        self.names.iter().map(|(name, inode)| (name.clone(), content(inode))).collect()
    }
}

fn kind_of(name: &Path) -> Kind {
    let name = name.to_string_lossy();
    match name.rsplit_once('-').map(|(_, ending)| ending) {
        Some("shm") => Kind::Index,
        Some("journal" | "wal") => Kind::Journal,
        // A super-journal's name has a random ending.
        Some(ending) if ending.starts_with("mj") => Kind::Journal,
        _ => Kind::Database,
    }
}

pub(super) fn apply_whole(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes: written } => write_at(bytes, *offset as usize, written),
        Change::Truncate(length) => bytes.resize(*length as usize, 0),
        Change::Extend(length) => bytes.resize(bytes.len().max(*length as usize), 0),
    }
}

pub(super) fn write_at(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}

pub(super) fn rename_whole(names: &mut BTreeMap<PathBuf, Inode>, change: &NameChange) {
    match change {
        NameChange::Set(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
        NameChange::Rename { from, to, inode } => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
    }
}
