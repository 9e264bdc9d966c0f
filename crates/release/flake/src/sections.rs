//! Compares the bytes of two builds of an addon, section by section.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object as _, ObjectSection as _};

/// The parts of a file that no section contains: the headers and load commands, padding, and the tables of the linker and
/// the signature.
const OUTSIDE: [&str; 3] = ["before the sections", "between the sections", "after the sections"];

/// The comparison of two files. `Display` writes a table in Markdown.
pub struct Sections {
    rows: Vec<Row>,
}

/// A section in both files, or a part of the files outside their sections.
struct Row {
    name: String,
    /// The number of bytes in each file, or `None` if the file lacks the section.
    sizes: [Option<usize>; 2],
    difference: Option<Difference>,
}

/// The bytes of a section that differ.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    /// The offset of the first different byte in the section.
    first: usize,
    /// The number of different bytes, without the bytes that only the longer section has.
    bytes: usize,
}

impl Sections {
    /// Reads and compares two files.
    pub fn compare(files: [&Path; 2]) -> Result<Self> {
        let [first, second] = files;
        let contents = [read(first)?, read(second)?];
        let parts = [parts(first, &contents[0])?, parts(second, &contents[1])?];
        let rows = parts[0].iter().map(|part| Row::new(&part.name, [Some(part), part.find(&parts[1])]));
        let added = parts[1].iter().filter(|part| part.find(&parts[0]).is_none());
        let rows = rows.chain(added.map(|part| Row::new(&part.name, [None, Some(part)])));
        Ok(Self { rows: rows.collect() })
    }

    /// Returns whether the files have the same bytes.
    #[must_use]
    pub fn are_equal(&self) -> bool {
        self.rows.iter().all(|row| row.difference.is_none())
    }
}

impl fmt::Display for Sections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| section | bytes of the first file | bytes of the second file | difference |")?;
        writeln!(formatter, "|---|---:|---:|---|")?;
        for row in &self.rows {
            let [first, second] =
                row.sizes.map(|size| size.map_or("absent".to_owned(), |size| size.to_string()));
            writeln!(formatter, "| `{}` | {first} | {second} | {} |", row.name, row.described())?;
        }
        Ok(())
    }
}

impl Row {
    fn new(name: &str, parts: [Option<&Part>; 2]) -> Self {
        let [first, second] = parts.map(|part| part.map_or(&[][..], |part| &part.content));
        let present = parts.iter().all(Option::is_some);
        let difference =
            if present { difference(first, second) } else { Some(Difference { first: 0, bytes: 0 }) };
        Self { name: name.to_owned(), sizes: parts.map(|part| part.map(|part| part.size)), difference }
    }
}

impl Row {
    /// Returns the difference in words.
    fn described(&self) -> String {
        let is_present = self.sizes.iter().all(Option::is_some);
        match self.difference {
            // A section such as .bss has a size in memory, and no bytes in the file.
            None if self.sizes[0] != self.sizes[1] => "no bytes in the files".to_owned(),
            None => "equal".to_owned(),
            Some(_) if !is_present => "only in one file".to_owned(),
            Some(Difference { first, bytes: 0 }) => format!("one section is longer than {first} bytes"),
            Some(Difference { first, bytes: 1 }) => format!("1 byte differs, at {first:#x}"),
            Some(Difference { first, bytes }) => format!("{bytes} bytes differ, the first at {first:#x}"),
        }
    }
}

/// Compares two sections. Returns `None` if they have the same bytes.
fn difference(first: &[u8], second: &[u8]) -> Option<Difference> {
    let pairs = || first.iter().zip(second).enumerate().filter(|(_, (one, other))| one != other);
    let shorter = first.len().min(second.len());
    let place = pairs().next().map_or(shorter, |(offset, _)| offset);
    let is_equal = place == shorter && first.len() == second.len();
    (!is_equal).then(|| Difference { first: place, bytes: pairs().count() })
}

/// A section, or a part of the file outside its sections.
struct Part {
    name: String,
    /// The number of sections with the same name before this section.
    number: usize,
    size: usize,
    /// The section's bytes in the file; nothing for a section of zeros, such as `.bss`.
    content: Vec<u8>,
}

impl Part {
    fn find<'a>(&self, parts: &'a [Self]) -> Option<&'a Self> {
        parts.iter().find(|part| part.name == self.name && part.number == self.number)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}: pass a built addon", path.display()))
}

/// Splits a file into its sections and the rest, so that each byte belongs to at least one part.
fn parts(path: &Path, content: &[u8]) -> Result<Vec<Part>> {
    let failed = || format!("cannot read the sections of {}: pass a built addon", path.display());
    let file = object::File::parse(content).with_context(failed)?;
    let mut sections: Vec<Part> = Vec::new();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for section in file.sections() {
        let name = section.name().with_context(failed)?;
        let segment = section.segment_name().with_context(failed)?;
        let name = segment.map_or(name.to_owned(), |segment| format!("{segment},{name}"));
        let range = section.file_range().map(|(start, length)| -> Result<Range<usize>> {
            Ok(usize::try_from(start)?..usize::try_from(start.saturating_add(length))?)
        });
        let range = range.transpose().with_context(failed)?;
        let bytes = range.clone().map_or(Some(&[][..]), |range| content.get(range));
        let bytes = bytes.with_context(failed)?.to_vec();
        ranges.extend(range);
        let number = sections.iter().filter(|part| part.name == name).count();
        sections.push(Part { name, number, size: usize::try_from(section.size())?, content: bytes });
    }
    ranges.sort_by_key(|range| range.start);
    let first = ranges.first().map_or(content.len(), |range| range.start);
    let mut end = first;
    let mut between = Vec::new();
    for range in ranges {
        between.extend_from_slice(content.get(end..range.start).unwrap_or_default());
        end = end.max(range.end);
    }
    let rest = [content[..first].to_vec(), between, content[end..].to_vec()];
    let rest = OUTSIDE.iter().zip(rest);
    let rest = rest.map(|(name, content)| Part {
        name: (*name).to_owned(),
        number: 0,
        size: content.len(),
        content,
    });
    Ok(sections.into_iter().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use object::write::Object;
    use object::{Architecture, BinaryFormat, Endianness, SectionKind};

    use super::*;

    /// Returns the table of two Mach-O files: 64 bytes of code, and 32 bytes of constants. `change` changes the second file.
    fn table(change: impl Fn(&mut Vec<u8>)) -> (bool, String) {
        let mut object = Object::new(BinaryFormat::MachO, Architecture::Aarch64, Endianness::Little);
        for (segment, name, kind, length) in [
            ("__TEXT", "__text", SectionKind::Text, 64),
            ("__TEXT", "__const", SectionKind::ReadOnlyData, 32),
        ] {
            let section = object.add_section(segment.into(), name.into(), kind);
            object.append_section_data(section, &vec![0xc3; length], 16);
        }
        let first = object.write().unwrap();
        let mut second = first.clone();
        change(&mut second);
        let folder = tempfile::tempdir().unwrap();
        let paths = ["first", "second"].map(|name| folder.path().join(name));
        fs::write(&paths[0], first).unwrap();
        fs::write(&paths[1], second).unwrap();
        let sections = Sections::compare([&paths[0], &paths[1]]).unwrap();
        (sections.are_equal(), sections.to_string())
    }

    /// Returns the offset of the code.
    fn code(content: &[u8]) -> usize {
        content.windows(64).position(|window| window == [0xc3; 64]).unwrap()
    }

    #[test]
    fn a_section_without_bytes_in_the_files_is_not_called_equal() {
        let row = |sizes, difference| Row { name: ".bss".to_owned(), sizes, difference }.described();
        assert_eq!(row([Some(16), Some(32)], None), "no bytes in the files");
        assert_eq!(row([Some(16), Some(16)], None), "equal");
        let one = Some(Difference { first: 16, bytes: 1 });
        assert_eq!(row([Some(32), Some(32)], one), "1 byte differs, at 0x10");
    }

    #[test]
    fn equal_files_have_equal_sections() {
        let (equal, table) = table(|_| ());
        assert!(equal && table.contains("| `__TEXT,__text` | 64 | 64 | equal |\n"), "{table}");
        assert_eq!(table.matches("equal |").count(), 5, "{table}");
    }

    #[test]
    fn a_changed_byte_shows_its_section_and_offset() {
        let (equal, table) = table(|content| {
            let code = code(content);
            content[code + 10] = 0;
            content[code + 12] = 0;
        });
        let row = "| `__TEXT,__text` | 64 | 64 | 2 bytes differ, the first at 0xa |\n";
        assert!(!equal && table.contains(row), "{table}");
        assert_eq!(table.matches("equal |").count(), 4, "{table}");
    }

    #[test]
    fn bytes_outside_the_sections_are_compared() {
        // Offset 24 has the flags of a Mach-O header.
        for (offset, row) in [(24, "`before the sections`"), (usize::MAX, "`after the sections`")] {
            let (equal, table) = table(|content| match content.get_mut(offset) {
                Some(byte) => *byte ^= 1,
                None => content.push(0),
            });
            let line = table.lines().find(|line| line.contains(row)).unwrap();
            assert!(!equal && !line.ends_with("equal |"), "{table}");
            assert_eq!(table.matches("equal |").count(), 4, "{table}");
        }
    }

    #[test]
    fn a_section_of_one_file_is_absent_in_the_other() {
        let (equal, table) = table(|content| {
            let name = content.windows(7).position(|window| window == b"__const").unwrap();
            content[name + 2] = b'C';
        });
        assert!(!equal, "{table}");
        assert!(table.contains("| `__TEXT,__const` | 32 | absent | only in one file |"), "{table}");
        assert!(table.contains("| `__TEXT,__Const` | absent | 32 | only in one file |"), "{table}");
    }

    #[test]
    fn a_file_that_is_no_addon_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "text").unwrap();
        let error = |path: &Path| format!("{:#}", Sections::compare([path, path]).err().unwrap());
        assert!(error(&path).contains("cannot read the sections of "), "{}", error(&path));
        assert!(error(&folder.path().join("none")).contains("none: pass a built addon"));
    }
}
