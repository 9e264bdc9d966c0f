//! SQLite's checksums, and the frames of a write-ahead log. Source: SQLite's file format, sections 3 and 4.2.

/// The length of the log's header in bytes.
pub(crate) const WAL_HEADER: usize = 32;
/// The length of a frame's header in bytes.
pub(crate) const FRAME_HEADER: usize = 24;

/// The order of the bytes in the words that the log's checksum adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

impl Order {
    /// Returns the order that the magic number of a log states.
    pub(crate) fn of(wal: &[u8]) -> Self {
        if wal[3] & 1 == 1 { Self::Big } else { Self::Little }
    }

    fn word(self, bytes: &[u8]) -> u32 {
        let bytes = bytes.try_into().unwrap();
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }
}

/// Continues the log's checksum over bytes.
pub(crate) fn checksum(order: Order, bytes: &[u8], (mut a, mut b): (u32, u32)) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(order.word(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(order.word(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}

/// Returns the checksum of a page in a rollback journal, which starts with the journal's number.
pub(crate) fn journal_checksum(start: u32, page: &[u8]) -> u32 {
    let offsets = (1..).map(|step| page.len().checked_sub(200 * step)).map_while(|offset| offset);
    offsets.filter(|offset| *offset > 0).fold(start, |sum, offset| sum.wrapping_add(page[offset].into()))
}

pub(crate) fn big(bytes: &[u8], offset: usize) -> u32 {
    u32::from_be_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

/// A frame of a log.
pub(crate) struct Frame<'w> {
    pub(crate) page_number: u32,
    /// The first 8 bytes of the frame's header, which the checksum covers.
    pub(crate) head: &'w [u8],
    pub(crate) page: &'w [u8],
    /// The checksum of the frame before, or of the log's header.
    pub(crate) before: (u32, u32),
    pub(crate) checksum: (u32, u32),
}

/// Returns the frames that belong to the log's header, right or wrong.
pub(crate) fn frames(wal: &[u8]) -> Vec<Frame<'_>> {
    if wal.len() < WAL_HEADER {
        return Vec::new();
    }
    let page_size = big(wal, 8) as usize;
    let mut before = (big(wal, 24), big(wal, 28));
    let mut frames = Vec::new();
    for frame in wal[WAL_HEADER..].chunks_exact(FRAME_HEADER + page_size) {
        if frame[8..16] != wal[16..24] {
            break;
        }
        let checksum = (big(frame, 16), big(frame, 20));
        frames.push(Frame {
            page_number: big(frame, 0),
            head: &frame[..8],
            page: &frame[FRAME_HEADER..],
            before,
            checksum,
        });
        before = checksum;
    }
    frames
}
