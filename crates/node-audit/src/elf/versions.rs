//! The symbol versions that a file needs (DT_VERNEED, .gnu.version_r), and the versions that the file defines
//! (DT_VERDEF).

use std::collections::HashMap;

use object::elf::{self, Verdaux, Verdef, Vernaux, Verneed, VersymIndex};
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::FileHeader;

use super::image::Image;
use crate::facts::VersionNeed;
use crate::limits::MAX_VERSION_INDEX;
use crate::strings::Strings;

/// The versions, and the position of each by its index.
#[derive(Default)]
pub(super) struct Needs {
    needs: Vec<VersionNeed>,
    by_index: HashMap<u16, usize>,
}

impl Needs {
    /// Binds a symbol to the version with this index. Ignores an index without a needed version.
    pub(super) fn bind(&mut self, index: VersymIndex, symbol: &str) {
        if let Some(position) = self.by_index.get(&index.index().0) {
            self.needs[*position].symbols.push(symbol.to_owned());
        }
    }

    pub(super) fn into_needs(self) -> Vec<VersionNeed> {
        self.needs
    }
}

/// Reads the needed symbol versions.
pub(super) fn needs<Elf>(image: &Image<'_, Elf>, names: &Strings<'_>) -> Result<Needs, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let mut found = Needs::default();
    let Some(address) = image.value(elf::DT_VERNEED) else { return Ok(found) };
    let data = image.at(address).ok_or("the table of needed versions is outside all segments")?;
    let endian = image.endian;
    let damaged = |()| "the table of needed versions runs past its segment".to_owned();
    let mut offset = 0;
    // The table consists of two nested chains of relative offsets. The steps go forward, but chains may overlap, so the
    // loop counts entries.
    for _ in 0..image.flags(elf::DT_VERNEEDNUM).min(u64::from(MAX_VERSION_INDEX)) {
        let need: &Verneed<Endianness> = data.read_at(offset).map_err(damaged)?;
        let mut entry = offset + u64::from(need.vn_aux.get(endian));
        for _ in 0..need.vn_cnt.get(endian) {
            if found.needs.len() > usize::from(MAX_VERSION_INDEX) {
                return Err(format!("the file needs more than {MAX_VERSION_INDEX} symbol versions"));
            }
            let version: &Vernaux<Endianness> = data.read_at(entry).map_err(damaged)?;
            found.by_index.insert(version.vna_other.get(endian).0 & MAX_VERSION_INDEX, found.needs.len());
            found.needs.push(VersionNeed {
                // Reads the name again for each version, so that each stored copy counts against the memory limit.
                library: names.get(need.vn_file.get(endian).into())?,
                version: names.get(version.vna_name.get(endian).into())?,
                weak: version.vna_flags.get(endian).0 & elf::VER_FLG_WEAK.0 != 0,
                symbols: Vec::new(),
            });
            entry += u64::from(version.vna_next.get(endian));
        }
        match need.vn_next.get(endian) {
            0 => break,
            next => offset += u64::from(next),
        }
    }
    Ok(found)
}

/// Reads the names of the defined versions.
pub(super) fn definitions<Elf>(image: &Image<'_, Elf>, names: &Strings<'_>) -> Result<Vec<String>, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let mut found = Vec::new();
    let Some(address) = image.value(elf::DT_VERDEF) else { return Ok(found) };
    let data = image.at(address).ok_or("the table of defined versions is outside all segments")?;
    let endian = image.endian;
    let damaged = |()| "the table of defined versions runs past its segment".to_owned();
    let mut offset = 0;
    // The first name of a definition is its own; the other names are its predecessors.
    for _ in 0..image.flags(elf::DT_VERDEFNUM).min(u64::from(MAX_VERSION_INDEX)) {
        let definition: &Verdef<Endianness> = data.read_at(offset).map_err(damaged)?;
        let own = offset + u64::from(definition.vd_aux.get(endian));
        let own: &Verdaux<Endianness> = data.read_at(own).map_err(damaged)?;
        found.push(names.get(own.vda_name.get(endian).into())?);
        match definition.vd_next.get(endian) {
            0 => break,
            next => offset += u64::from(next),
        }
    }
    Ok(found)
}
