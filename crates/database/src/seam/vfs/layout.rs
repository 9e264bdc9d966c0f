//! The place of pages in a file of the Strongroom format.

use strongroom_format::HEADER_LENGTH;

use crate::page_layout::LOCK_BYTE;

/// The length of the header in bytes.
const HEADER: u64 = HEADER_LENGTH as u64;

/// Maps SQLite's offsets, which start at the first page, to offsets in the file.
///
/// The header precedes the first page. From the page on that would overlap SQLite's lock bytes, pages are one gap further
/// back: Windows forbids other connections to read or write locked bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The length of the gap in bytes.
    gap: u64,
}

impl Layout {
    pub(crate) fn new(page_size: u32) -> Self {
        Self { gap: u64::from(page_size).max(HEADER) }
    }

    /// Returns SQLite's offset of the first page behind the gap.
    pub(crate) fn bend(self) -> u64 {
        LOCK_BYTE - self.gap
    }

    /// Returns the offset in the file of SQLite's offset `logical`.
    pub(crate) fn place(self, logical: u64) -> u64 {
        match logical < self.bend() {
            true => logical + HEADER,
            false => logical + HEADER + self.gap,
        }
    }

    /// Returns the length in the file of a database of `logical` bytes.
    pub(crate) fn physical_length(self, logical: u64) -> u64 {
        match logical <= self.bend() {
            true => logical + HEADER,
            false => self.place(logical),
        }
    }

    /// Returns the length of the database in a file of `physical` bytes.
    pub(crate) fn logical_length(self, physical: u64) -> u64 {
        let behind = physical.saturating_sub(HEADER);
        match behind <= self.bend() {
            true => behind,
            false => behind.saturating_sub(self.gap).max(self.bend()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_SIZES: [u32; 7] = [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

    #[test]
    fn no_page_overlaps_the_header_or_the_lock_bytes() {
        for page_size in PAGE_SIZES {
            let (layout, size) = (Layout::new(page_size), u64::from(page_size));
            let around = LOCK_BYTE / size - 64 / (size / 1_024).max(1) - 10..LOCK_BYTE / size + 70;
            let mut end = HEADER;
            for page in (0..4).chain(around) {
                let start = layout.place(page * size);
                assert!(start >= end, "{page_size} {page}");
                end = start + size;
                assert!(end <= LOCK_BYTE || start >= LOCK_BYTE + 512, "{page_size} {page}");
                // A page is contiguous.
                assert_eq!(layout.place(page * size + size - 1), end - 1, "{page_size} {page}");
            }
        }
    }

    #[test]
    fn the_lengths_are_inverse() {
        for page_size in PAGE_SIZES {
            let (layout, size) = (Layout::new(page_size), u64::from(page_size));
            let bend = layout.bend() / size;
            for pages in [0, 1, 2, bend - 1, bend, bend + 1, bend + 2, LOCK_BYTE / size + 9] {
                let physical = layout.physical_length(pages * size);
                assert_eq!(layout.logical_length(physical), pages * size, "{page_size} {pages}");
                if pages > 0 {
                    assert_eq!(physical, layout.place((pages - 1) * size) + size, "{page_size} {pages}");
                }
            }
            assert_eq!(layout.logical_length(0), 0);
            assert_eq!(layout.logical_length(HEADER - 1), 0);
            // A file that ends inside the gap holds every page before the gap.
            let inside = layout.physical_length(layout.bend()) + 1;
            assert_eq!(layout.logical_length(inside), layout.bend());
        }
    }
}
