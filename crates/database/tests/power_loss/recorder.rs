//! The log of a thread's file operations below one folder, and the faults that the thread meets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The number of a file in the log. A name can refer to several files, one after the other.
pub(crate) type Inode = usize;

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Call {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    SyncFolder,
    Delete,
    /// A rename, or a second name.
    Rename,
    Size,
    Lock,
}

/// An operation that changes a file, a folder, or what survives a loss of power. Names are relative to the recorded folder.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create {
        name: PathBuf,
        inode: Inode,
    },
    Write {
        inode: Inode,
        offset: u64,
        bytes: Rc<[u8]>,
    },
    Truncate {
        inode: Inode,
        length: u64,
    },
    Sync {
        inode: Inode,
    },
    /// A sync that failed. If `lost`, the file's unsynced bytes are lost although later syncs succeed.
    FailedSync {
        inode: Inode,
        lost: bool,
    },
    SyncFolder {
        folder: PathBuf,
    },
    /// A folder that could not be opened or synced.
    FailedSyncFolder {
        folder: PathBuf,
    },
    Remove {
        name: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    /// The content that files may have after a loss of power, from here on: an index into the workload's list.
    Expect(usize),
}

/// A failure of some calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) call: Call,
    /// The number of calls of this kind that succeed before.
    pub(crate) after: usize,
    /// The number of calls of this kind that fail.
    pub(crate) count: usize,
    pub(crate) errno: i32,
    /// Whether the bytes of a failed sync are lost, and whether a write to a full disk writes its first half.
    pub(crate) lost: bool,
}

#[derive(Clone)]
enum Handle {
    File(Inode),
    Folder(PathBuf),
}

pub(crate) struct Recorder {
    root: PathBuf,
    pub(crate) ops: Vec<Op>,
    names: HashMap<PathBuf, Inode>,
    handles: HashMap<i32, Handle>,
    inodes: usize,
    /// The number of calls of each kind.
    pub(crate) calls: HashMap<Call, usize>,
    pub(crate) fault: Option<Fault>,
    /// The number of calls that have failed.
    pub(crate) failed: usize,
    /// The number of operations before the first call that failed.
    pub(crate) failed_at: Option<usize>,
}

impl Recorder {
    /// Starts with the files that exist in the folder, whose numbers are their positions in `files`.
    pub(crate) fn new(root: &Path, files: &[PathBuf]) -> Self {
        Self {
            root: root.to_owned(),
            ops: Vec::new(),
            names: files.iter().cloned().zip(0..).collect(),
            handles: HashMap::new(),
            inodes: files.len(),
            calls: HashMap::new(),
            fault: None,
            failed: 0,
            failed_at: None,
        }
    }

    /// Returns a path relative to the recorded folder, or `None` for a path elsewhere.
    fn name(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }

    fn inode(&self, descriptor: i32) -> Option<Inode> {
        match self.handles.get(&descriptor)? {
            Handle::File(inode) => Some(*inode),
            Handle::Folder(_) => None,
        }
    }

    /// Counts a call, and returns its error if it fails.
    fn meets(&mut self, call: Call) -> Option<i32> {
        let number = self.calls.entry(call).or_default();
        *number += 1;
        let fault = self.fault.filter(|fault| fault.call == call)?;
        let fails = (fault.after + 1..=fault.after + fault.count).contains(number);
        if fails {
            self.failed += 1;
            self.failed_at.get_or_insert(self.ops.len());
        }
        fails.then_some(fault.errno)
    }

    /// Returns whether the operations on a file are recorded.
    pub(crate) fn records(&self, descriptor: i32) -> bool {
        self.handles.contains_key(&descriptor)
    }

    /// Returns whether a write to a full disk writes its first half.
    pub(crate) fn writes_short(&self) -> bool {
        self.fault.is_some_and(|fault| fault.lost)
    }

    pub(crate) fn fault(&mut self, call: Call, descriptor: i32) -> Option<i32> {
        self.handles.contains_key(&descriptor).then(|| self.meets(call)).flatten()
    }

    pub(crate) fn fault_of_path(&mut self, call: Call, path: &Path) -> Option<i32> {
        let name = self.name(path)?;
        let errno = self.meets(call)?;
        if call == Call::Open && !self.names.contains_key(&name) && path.is_dir() {
            self.ops.push(Op::FailedSyncFolder { folder: name });
        }
        Some(errno)
    }

    pub(crate) fn opened(&mut self, path: &Path, flags: i32, descriptor: i32) {
        let Some(name) = self.name(path) else { return };
        if flags & libc::O_TMPFILE == libc::O_TMPFILE {
            return;
        }
        // A folder's number never becomes a file's, because the caller knows which of both it opens.
        let is_folder = !self.names.contains_key(&name) && path.is_dir();
        let handle = match self.names.get(&name) {
            _ if is_folder => Handle::Folder(name),
            Some(inode) => Handle::File(*inode),
            None => {
                let inode = self.inodes;
                self.inodes += 1;
                self.names.insert(name.clone(), inode);
                self.ops.push(Op::Create { name, inode });
                Handle::File(inode)
            }
        };
        if let Handle::File(inode) = handle
            && flags & libc::O_TRUNC != 0
        {
            self.ops.push(Op::Truncate { inode, length: 0 });
        }
        self.handles.insert(descriptor, handle);
    }

    pub(crate) fn closed(&mut self, descriptor: i32) {
        self.handles.remove(&descriptor);
    }

    pub(crate) fn wrote(&mut self, descriptor: i32, offset: u64, bytes: &[u8]) {
        if let Some(inode) = self.inode(descriptor) {
            self.ops.push(Op::Write { inode, offset, bytes: bytes.into() });
        }
    }

    pub(crate) fn truncated(&mut self, descriptor: i32, length: u64) {
        if let Some(inode) = self.inode(descriptor) {
            self.ops.push(Op::Truncate { inode, length });
        }
    }

    /// Returns the result of a sync, or `None` for a file elsewhere.
    pub(crate) fn sync(&mut self, descriptor: i32) -> Option<Result<(), i32>> {
        let handle = self.handles.get(&descriptor)?.clone();
        let call = if matches!(handle, Handle::File(_)) { Call::Sync } else { Call::SyncFolder };
        if let Some(errno) = self.meets(call) {
            let lost = self.fault.is_some_and(|fault| fault.lost);
            self.ops.push(match handle {
                Handle::File(inode) => Op::FailedSync { inode, lost },
                Handle::Folder(folder) => Op::FailedSyncFolder { folder },
            });
            return Some(Err(errno));
        }
        self.ops.push(match handle {
            Handle::File(inode) => Op::Sync { inode },
            Handle::Folder(folder) => Op::SyncFolder { folder },
        });
        Some(Ok(()))
    }

    pub(crate) fn removed(&mut self, path: &Path) {
        if let Some(name) = self.name(path) {
            self.names.remove(&name);
            self.ops.push(Op::Remove { name });
        }
    }

    pub(crate) fn renamed(&mut self, from: &Path, to: &Path) {
        if let (Some(from), Some(to)) = (self.name(from), self.name(to)) {
            if let Some(inode) = self.names.remove(&from) {
                self.names.insert(to.clone(), inode);
            }
            self.ops.push(Op::Rename { from, to });
        }
    }

    pub(crate) fn linked(&mut self, from: &Path, to: &Path) {
        if let (Some(from), Some(to)) = (self.name(from), self.name(to)) {
            if let Some(inode) = self.names.get(&from).copied() {
                self.names.insert(to.clone(), inode);
            }
            self.ops.push(Op::Link { from, to });
        }
    }
}
