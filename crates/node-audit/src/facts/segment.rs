//! The location of a segment, in memory and in the file.

use serde::Serialize;

/// A segment that the loader maps from the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadedSegment {
    /// The name: `PT_LOAD 2` by position, `__DATA`.
    pub name: String,
    /// The address, from the start of the loaded file.
    pub address: u64,
    /// The offset in the file; in a fat file, the offset from the start of the part.
    pub offset: u64,
    /// The alignment in the header (p_align); None in Mach-O.
    pub align: Option<u64>,
}
