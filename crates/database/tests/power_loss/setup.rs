//! The parameters of a workload, and their name.

use std::fmt;
use std::str::FromStr;

use crate::access::{FORMATS, FileFormat};
use crate::random::Random;

/// A journal mode with a level of `PRAGMA synchronous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Mode {
    pub(crate) journal: &'static str,
    pub(crate) synchronous: &'static str,
}

pub(crate) const WAL_FULL: Mode = Mode { journal: "wal", synchronous: "full" };
pub(crate) const WAL_NORMAL: Mode = Mode { journal: "wal", synchronous: "normal" };
pub(crate) const DELETE_EXTRA: Mode = Mode { journal: "delete", synchronous: "extra" };
pub(crate) const DELETE_FULL: Mode = Mode { journal: "delete", synchronous: "full" };
pub(crate) const TRUNCATE_FULL: Mode = Mode { journal: "truncate", synchronous: "full" };
pub(crate) const PERSIST_FULL: Mode = Mode { journal: "persist", synchronous: "full" };
/// Promises nothing. Only the tests of the harness itself use these modes.
pub(crate) const OFF: [Mode; 2] =
    [Mode { journal: "wal", synchronous: "off" }, Mode { journal: "delete", synchronous: "off" }];
/// The modes of the workloads. A workload also changes to other modes and back.
pub(crate) const MODES: [Mode; 4] = [WAL_FULL, WAL_NORMAL, DELETE_EXTRA, DELETE_FULL];

impl Mode {
    pub(crate) fn is_wal(self) -> bool {
        self.journal == "wal"
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.journal, self.synchronous)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) format: FileFormat,
    pub(crate) mode: Mode,
    /// One database, or two that one connection has attached.
    pub(crate) files: usize,
    pub(crate) page_size: u32,
    /// Whether the files shrink at each commit (`PRAGMA auto_vacuum = FULL`).
    pub(crate) auto_vacuum: bool,
    /// Whether a write never changes bytes outside its range, and SQLite relies on that.
    pub(crate) safe_overwrite: bool,
    pub(crate) seed: u64,
}

impl Setup {
    /// Draws the page size and the disk from the seed.
    pub(crate) fn draw(format: FileFormat, mode: Mode, files: usize, seed: u64) -> Self {
        let name = format!("{format}{mode}{files}");
        let mix = name.bytes().fold(seed, |mix, byte| mix.wrapping_mul(31).wrapping_add(byte.into()));
        let mut random = Random::new(mix);
        let page_size = match random.below(12) {
            0 => 65_536,
            1..=5 => 1_024,
            _ => 4_096,
        };
        let auto_vacuum = random.chance(25);
        // With WAL and NORMAL, SQLite does not fill up the sector at the end of a log that it has synced for a checkpoint. The
        // next frame may then destroy a frame of which pages are already in the database.
        let safe_overwrite = random.chance(75) || mode == WAL_NORMAL;
        Self { format, mode, files, page_size, auto_vacuum, safe_overwrite, seed }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mode { journal, synchronous } = self.mode;
        let format = self.format.to_string().to_lowercase();
        let overwrite = if self.safe_overwrite { "safe" } else { "unsafe" };
        let vacuum = if self.auto_vacuum { "auto_vacuum" } else { "none" };
        let Self { files, page_size, seed, .. } = self;
        write!(f, "{format}/{journal}/{synchronous}/{files}/{page_size}/{vacuum}/{overwrite}/{seed}")
    }
}

impl FromStr for Setup {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let parts: Vec<&str> = name.split('/').collect();
        let [format, journal, synchronous, files, page_size, vacuum, overwrite, seed] = parts.as_slice()
        else {
            return Err(name.to_owned());
        };
        let format = FORMATS.into_iter().find(|known| known.to_string().to_lowercase() == *format);
        let mode = MODES.into_iter().chain(OFF);
        let mode = mode.into_iter().find(|mode| (mode.journal, mode.synchronous) == (*journal, *synchronous));
        Ok(Self {
            format: format.ok_or("the format")?,
            mode: mode.ok_or("the mode")?,
            files: files.parse().map_err(|_| "the files")?,
            page_size: page_size.parse().map_err(|_| "the page size")?,
            auto_vacuum: *vacuum == "auto_vacuum",
            safe_overwrite: *overwrite == "safe",
            seed: seed.parse().map_err(|_| "the seed")?,
        })
    }
}
