//! Examines the recorded writes: each page must be sealed, and each checksum must cover a sealed page.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use strongroom_format::{HEADER_LENGTH, Header, MAGIC, PageSealer};

use crate::recorded::{NEEDLE, keys};
use crate::recording::{Kind, Written, log};
use crate::wal_checksum::{Order, big, checksum, frames, journal_checksum};

/// The number of writes of each kind that were examined.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) headers: usize,
    pub(crate) database_pages: usize,
    pub(crate) journal_pages: usize,
    pub(crate) wal_pages: usize,
    pub(crate) wal_checksums: usize,
    /// The number of states of the WAL index.
    pub(crate) shm: usize,
    pub(crate) super_journals: usize,
    /// The number of pieces of plaintext, and of checksums of plaintext, that no write contains.
    pub(crate) searched: [usize; 2],
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} headers, {} database pages, {} journal pages, {} WAL pages, {} WAL checksums, {} WAL index states, {} \
             super-journals; searched for {} pieces of plaintext and {} checksums of plaintext",
            self.headers,
            self.database_pages,
            self.journal_pages,
            self.wal_pages,
            self.wal_checksums,
            self.shm,
            self.super_journals,
            self.searched[0],
            self.searched[1]
        )
    }
}

/// The keys of every file that was written.
#[derive(Default)]
struct Sealers(Vec<(u32, PageSealer)>);

impl Sealers {
    fn add(&mut self, header: &[u8]) {
        let header = Header::read(header).unwrap();
        let unlocked = keys().iter().find_map(|key| header.unlock(key).ok()).expect("a known key");
        if self.0.iter().all(|(_, sealer)| sealer.file_id() != unlocked.file_id()) {
            self.0.push((unlocked.page_size(), unlocked.page_sealer().unwrap()));
        }
    }

    /// Returns the plaintext of a page, or `None` if no file's key opens the page.
    fn open(&mut self, page: &[u8], number: u32) -> Option<Vec<u8>> {
        let fits = |size: u32| size as usize == page.len();
        let found = self.0.iter_mut().rposition(|(size, sealer)| {
            fits(*size) && sealer.open_page(&mut page.to_vec(), number).unwrap()
        })?;
        // The next page is probably of the same file.
        let sealer = self.0.remove(found);
        self.0.push(sealer);
        let mut page = page.to_vec();
        self.0.last_mut()?.1.open_page(&mut page, number).unwrap().then_some(page)
    }
}

/// What the writes to one file have made of it.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
}

impl File {
    fn write(&mut self, written: &Written) {
        let (start, length) = (usize::try_from(written.offset).unwrap(), written.bytes.len());
        let end = (start + length).max(self.bytes.len());
        self.bytes.resize(end, 0);
        self.bytes[start..start + length].copy_from_slice(&written.bytes);
    }

    fn word_before(&self, offset: u64, back: u64) -> u32 {
        big(&self.bytes, usize::try_from(offset - back).unwrap())
    }
}

/// Searches the recorded writes, then forgets them.
pub(crate) fn assert_nothing_leaks() -> Found {
    let (mut log, mut found) = (log(), Found::default());
    let writes = std::mem::take(&mut log.writes);
    for (kind, path) in std::mem::take(&mut log.opened) {
        assert_ne!(kind, Kind::Temporary, "{}: temporary content is in memory only", path.display());
    }
    drop(log);
    let mut sealers = Sealers::default();
    for write in &writes {
        if write.kind == Kind::Database && write.bytes.starts_with(&MAGIC) {
            sealers.add(&write.bytes);
        }
    }
    let mut plain = Plain::default();
    TEXTS.iter().for_each(|text| plain.start(text.as_bytes()));
    let mut files: BTreeMap<&Path, File> = BTreeMap::new();
    for write in &writes {
        let file = files.entry(&write.path).or_default();
        if write.kind == Kind::Wal && write.offset == 0 {
            found.wal_checksums += examine_wal(&std::mem::take(file).bytes, &mut sealers, &mut plain);
        }
        file.write(write);
        examine(write, file, &mut sealers, &mut plain, &mut found);
    }
    for (path, file) in &files {
        if path.to_str().unwrap().ends_with("-wal") {
            found.wal_checksums += examine_wal(&file.bytes, &mut sealers, &mut plain);
        }
    }
    found.searched = [plain.pieces.len(), plain.checksums.len()];
    for write in &writes {
        plain.assert_absent(write);
    }
    found
}

fn examine(write: &Written, file: &File, sealers: &mut Sealers, plain: &mut Plain, found: &mut Found) {
    let (length, place) = (write.bytes.len(), || format!("{}+{}", write.path.display(), write.offset));
    let mut open = |number: u32| {
        let page = sealers.open(&write.bytes, number);
        plain.add_page(&page.unwrap_or_else(|| panic!("{} is not the sealed page {number}", place())));
    };
    match write.kind {
        Kind::Database if write.bytes.starts_with(&MAGIC) => found.headers += 1,
        Kind::Database => {
            let number = (write.offset - HEADER_LENGTH as u64) / length as u64 + 1;
            open(u32::try_from(number).unwrap());
            found.database_pages += 1;
        }
        // The log's header, the header of a frame, or the header's checksum, which follow from sealed pages: see below.
        Kind::Wal if [24, 32].contains(&length) => {}
        Kind::Wal => {
            open(file.word_before(write.offset, 24));
            found.wal_pages += 1;
        }
        Kind::Journal if length >= 1_024 && write.bytes.starts_with(JOURNAL_MAGIC) => {
            assert!(write.bytes[28..].iter().all(|byte| *byte == 0), "{}", place());
        }
        Kind::Journal if length >= 1_024 => {
            open(file.word_before(write.offset, 4));
            found.journal_pages += 1;
        }
        Kind::Journal => examine_journal(write, file),
        Kind::SuperJournal => {
            let names = String::from_utf8(write.bytes.clone()).unwrap();
            assert!(names.contains("-journal"), "{names:?}");
            found.super_journals += 1;
        }
        Kind::Shm => found.shm += 1,
        Kind::Temporary => panic!("{}: a temporary file", place()),
    }
}

/// The first bytes of a journal's header. Source: SQLite's file format, section 3.
const JOURNAL_MAGIC: &[u8] = &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Examines a short write to a journal: a header, a page's number, a page's checksum, or the name of a super-journal.
fn examine_journal(write: &Written, file: &File) {
    let bytes = &file.bytes;
    let offset = usize::try_from(write.offset).unwrap();
    // The header of the segment, of which there is one for each sync of a spilled transaction, holds the number at which
    // checksums start, and the page size.
    let header = (0..=offset / 512)
        .rev()
        .map(|sector| sector * 512)
        .find(|start| bytes[*start..].starts_with(JOURNAL_MAGIC) && big(bytes, start + 20) == 512);
    let Some(header) = header else { return };
    let page_size = big(bytes, header + 24) as usize;
    let record = page_size + 8;
    let is_checksum = offset >= header + 512 + record - 4 && (offset - header - 512) % record == record - 4;
    if write.bytes.len() == 4 && is_checksum {
        let expected = journal_checksum(big(bytes, header + 12), &bytes[offset - page_size..offset]);
        assert_eq!(big(&write.bytes, 0), expected, "{}+{offset}", write.path.display());
    }
}

/// Examines a whole log: SQLite's checksums must be those of the sealed pages. Returns the number of checksums.
fn examine_wal(wal: &[u8], sealers: &mut Sealers, plain: &mut Plain) -> usize {
    if wal.len() < 32 {
        return 0;
    }
    let order = Order::of(wal);
    let mut right = 0;
    // The checksums that SQLite would write if pages were encrypted below it.
    let mut chains = [Order::Little, Order::Big].map(|order| (order, (big(wal, 24), big(wal, 28))));
    for frame in frames(wal) {
        let head = checksum(order, frame.head, frame.before);
        right += usize::from(checksum(order, frame.page, head) == frame.checksum);
        let Some(page) = sealers.open(frame.page, frame.page_number) else { continue };
        for (order, chain) in &mut chains {
            *chain = checksum(*order, &page, checksum(*order, frame.head, *chain));
            let after_sealed = checksum(*order, &page, checksum(*order, frame.head, frame.before));
            let alone = checksum(*order, &page, (0, 0));
            plain.add_checksums(&[*chain, after_sealed, alone]);
        }
    }
    right
}

/// Plaintext, and checksums of plaintext, that no write may contain.
#[derive(Default)]
struct Plain {
    pieces: HashSet<[u8; PIECE]>,
    checksums: HashSet<[u8; 8]>,
    /// Whether a piece or a checksum starts with these two bytes.
    starts: Vec<bool>,
}

/// The length of a piece of plaintext in bytes.
const PIECE: usize = 12;

/// Texts of the workload, which are searched for even if no page holds them.
const TEXTS: [&str; 3] = [NEEDLE, "CREATE TABLE", "SQLite format 3"];

/// Returns the number of different bytes.
fn different(piece: &[u8; PIECE]) -> u32 {
    let mut seen = [0_u64; 4];
    for byte in piece {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|bits| bits.count_ones()).sum()
}

impl Plain {
    /// Adds the content of a decrypted page. A piece with few different bytes is not telling, such as a run of zeros.
    fn add_page(&mut self, page: &[u8]) {
        let content = &page[..page.len() - strongroom_format::RESERVED_LENGTH];
        for piece in content.as_chunks::<PIECE>().0 {
            if different(piece) >= 6 {
                self.pieces.insert(*piece);
                self.start(piece);
            }
        }
    }

    fn add_checksums(&mut self, checksums: &[(u32, u32)]) {
        for (first, second) in checksums {
            let (first, second) =
                ([first.to_be_bytes(), first.to_le_bytes()], [second.to_be_bytes(), second.to_le_bytes()]);
            for (first, second) in first.iter().zip(second) {
                let bytes: [u8; 8] = [*first, second].concat().try_into().unwrap();
                self.checksums.insert(bytes);
                self.start(&bytes);
            }
        }
    }

    fn start(&mut self, bytes: &[u8]) {
        self.starts.resize(1 << 16, false);
        self.starts[usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]))] = true;
    }

    fn assert_absent(&self, write: &Written) {
        let bytes = &write.bytes;
        let place = |offset: usize| -> (Kind, PathBuf, usize) { (write.kind, write.path.clone(), offset) };
        for offset in 0..bytes.len().saturating_sub(7) {
            let rest = &bytes[offset..];
            if !self.starts[usize::from(u16::from_ne_bytes([rest[0], rest[1]]))] {
                continue;
            }
            let is_checksum = rest.first_chunk().is_some_and(|bytes| self.checksums.contains(bytes));
            assert!(!is_checksum, "a checksum of plaintext: {:?}", place(offset));
            let is_plain = rest.first_chunk().is_some_and(|bytes| self.pieces.contains(bytes));
            assert!(!is_plain, "plaintext: {:?}", place(offset));
            let text = TEXTS.iter().find(|text| rest.starts_with(text.as_bytes()));
            assert_eq!(text, None, "{:?}", place(offset));
        }
    }
}
