//! Builds small DLLs: headers and the tables that Windows reads, without code.

use std::path::Path;

use node_audit::{Facts, Finding, PeFacts, Policy, audit_bytes, read_facts};
use object::pe;
use object::write::pe::{NtHeaders, Writer};

/// A file name whose claim is true for [`PeMaker::addon`].
pub(crate) const NAME: &str = "addon.win32-x64-msvc.node";

const BASE: u64 = 0x1000_0000;
const DATA: pe::SectionFlags =
    pe::SectionFlags(pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0);

/// A library and the imports from it; `#12` is an import by number.
pub(crate) type Imports = (&'static str, Vec<&'static str>);

/// The contents of a DLL.
#[derive(Clone)]
pub(crate) struct PeMaker {
    pub(crate) machine: pe::Machine,
    pub(crate) is_64: bool,
    pub(crate) kind: pe::FileFlags,
    pub(crate) subsystem: pe::Subsystem,
    pub(crate) flags: pe::DllFlags,
    pub(crate) imports: Vec<Imports>,
    pub(crate) delayed: Vec<Imports>,
    pub(crate) exports: Vec<&'static str>,
    pub(crate) entry: bool,
    /// `true` if the DLL has a TLS callback, which Windows calls before the entry point.
    pub(crate) callback: bool,
    /// `true` if the DLL has metadata about code for a second processor.
    pub(crate) hybrid: bool,
    pub(crate) pdb: Option<&'static str>,
    /// Further sections, by name, flags and length.
    pub(crate) sections: Vec<(&'static str, pe::SectionFlags, usize)>,
    /// The number of COFF symbols. The strings after the symbols hold the long names of sections.
    pub(crate) symbols: u32,
}

impl PeMaker {
    /// Returns an addon that no rule reports, as node-gyp builds it.
    pub(crate) fn addon() -> PeMaker {
        PeMaker {
            machine: pe::IMAGE_FILE_MACHINE_AMD64,
            is_64: true,
            kind: pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_DLL,
            subsystem: pe::IMAGE_SUBSYSTEM_WINDOWS_GUI,
            flags: pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE
                | pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA
                | pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
            imports: vec![
                ("KERNEL32.dll", vec!["GetProcAddress", "LoadLibraryExA"]),
                ("WS2_32.dll", vec!["#115", "WSASend"]),
            ],
            delayed: vec![("node.exe", vec!["napi_create_function"])],
            exports: vec!["napi_register_module_v1"],
            entry: true,
            callback: false,
            hybrid: false,
            pdb: None,
            sections: vec![],
            symbols: 0,
        }
    }

    /// Returns the same addon for 32 bits.
    pub(crate) fn ia32() -> PeMaker {
        PeMaker { machine: pe::IMAGE_FILE_MACHINE_I386, is_64: false, ..PeMaker::addon() }
    }

    pub(crate) fn facts(&self) -> Facts {
        let facts = read_facts(Path::new(NAME), &self.make()).unwrap();
        assert_eq!(facts.len(), 1);
        facts.into_iter().next().unwrap()
    }

    pub(crate) fn pe_facts(&self) -> PeFacts {
        self.facts().pe().unwrap().clone()
    }

    /// Returns the findings of one rule under the default policy.
    pub(crate) fn findings(&self, name: &str, rule: &str) -> Vec<Finding> {
        self.findings_by(name, rule, &Policy::default())
    }

    pub(crate) fn findings_by(&self, name: &str, rule: &str, policy: &Policy) -> Vec<Finding> {
        assert!(node_audit::RULES.iter().any(|known| known.id == rule), "no rule {rule}");
        let report = audit_bytes(Path::new(name), &self.make(), policy).unwrap();
        report.findings.into_iter().filter(|finding| finding.rule == rule).collect()
    }

    pub(crate) fn make(&self) -> Vec<u8> {
        let mut content = Vec::new();
        let mut writer = Writer::new(self.is_64, 0x1000, 0x200, &mut content);
        writer.reserve_dos_header_and_stub();
        writer.reserve_nt_headers(16);
        writer.reserve_section_headers(u16::try_from(self.sections.len()).unwrap() + 2);

        let mut tables = Tables { start: writer.virtual_len(), is_64: self.is_64, bytes: Vec::new() };
        for (index, address, size) in tables.fill(self, writer.reserved_len()) {
            writer.set_data_directory(index, address, size);
        }
        let length = u32::try_from(tables.bytes.len()).unwrap();
        let data = writer.reserve_section(*b".rdata\0\0", DATA, length, length);
        let mut strings = vec![0; 4];
        let mut offsets = Vec::new();
        for (name, flags, length) in &self.sections {
            let length = u32::try_from(*length).unwrap();
            let section = writer.reserve_section(short(name, &mut strings), *flags, length, length);
            offsets.push((section.file_offset, length as usize));
        }
        writer.add_reloc(data.virtual_address, pe::IMAGE_REL_BASED_DIR64);
        writer.reserve_reloc_section();

        writer.write_dos_header_and_stub().unwrap();
        let headers = writer.nt_headers_offset() as usize;
        writer.write_nt_headers(self.headers(data.virtual_address));
        writer.write_section_headers();
        writer.write_section(data.file_offset, &tables.bytes);
        for (offset, length) in offsets {
            writer.write_section(offset, &vec![0x90; length]);
        }
        writer.write_reloc_section();
        if self.symbols > 0 {
            // The writer cannot write symbols, so they go to the end of the file, and the header gets their offset.
            let start = u32::try_from(content.len()).unwrap();
            content[headers + 12..headers + 16].copy_from_slice(&start.to_le_bytes());
            content[headers + 16..headers + 20].copy_from_slice(&self.symbols.to_le_bytes());
            content.resize(content.len() + 18 * self.symbols as usize, 0);
            let length = u32::try_from(strings.len()).unwrap();
            strings[..4].copy_from_slice(&length.to_le_bytes());
            content.extend(strings);
        }
        content
    }

    fn headers(&self, entry: u32) -> NtHeaders {
        NtHeaders {
            machine: self.machine,
            time_date_stamp: 0,
            characteristics: self.kind,
            major_linker_version: 14,
            minor_linker_version: 0,
            address_of_entry_point: if self.entry { entry } else { 0 },
            image_base: BASE,
            major_operating_system_version: 6,
            minor_operating_system_version: 0,
            major_image_version: 0,
            minor_image_version: 0,
            major_subsystem_version: 6,
            minor_subsystem_version: 0,
            subsystem: self.subsystem,
            dll_characteristics: self.flags,
            size_of_stack_reserve: 0,
            size_of_stack_commit: 0,
            size_of_heap_reserve: 0,
            size_of_heap_commit: 0,
        }
    }
}

/// Returns a section's name for its header. A long name goes to the strings, and the header refers to it.
fn short(name: &str, strings: &mut Vec<u8>) -> [u8; 8] {
    let text = if name.len() > 8 { format!("/{}", strings.len()) } else { name.to_owned() };
    if name.len() > 8 {
        strings.extend(name.bytes().chain([0]));
    }
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// The content of the section that holds every table.
struct Tables {
    start: u32,
    is_64: bool,
    bytes: Vec<u8>,
}

impl Tables {
    /// Writes the tables. Returns the number, address and size of each data directory. `offset` is the section's offset in the
    /// file.
    fn fill(&mut self, maker: &PeMaker, offset: u64) -> Vec<(usize, u32, u32)> {
        let mut directories = Vec::new();
        let mut entries = Vec::new();
        for (dll, symbols) in &maker.imports {
            let (dll, names, addresses) = (self.text(dll), self.names(symbols), self.names(symbols));
            entries.extend([names, 0, 0, dll, addresses]);
        }
        entries.extend([0; 5]);
        let size = |entries: &[u32]| u32::try_from(4 * entries.len()).unwrap();
        directories.push((pe::IMAGE_DIRECTORY_ENTRY_IMPORT, self.words(&entries), size(&entries)));
        if !maker.delayed.is_empty() {
            let mut entries = Vec::new();
            for (dll, symbols) in &maker.delayed {
                let (dll, names, addresses) = (self.text(dll), self.names(symbols), self.names(symbols));
                entries.extend([pe::IMAGE_DELAYLOAD_RVA_BASED, dll, 0, addresses, names, 0, 0, 0]);
            }
            entries.extend([0; 8]);
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, self.words(&entries), size(&entries)));
        }
        if !maker.exports.is_empty() {
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_EXPORT, self.exports(&maker.exports), 40));
        }
        if maker.callback {
            let list = u64::from(self.pointers(&[BASE + 1, 0])) + BASE;
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_TLS, self.pointers(&[0, 0, 0, list, 0]), 40));
        }
        if maker.hybrid {
            let mut table = [0; 52];
            (table[0], table[50]) = (208, 1);
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG, self.words(&table), 208));
        }
        if let Some(path) = maker.pdb {
            let record = [b"RSDS".as_slice(), &[0; 20], path.as_bytes(), b"\0"].concat();
            let length = u32::try_from(record.len()).unwrap();
            let record = self.add(&record);
            let place = u32::try_from(offset).unwrap() + (record - self.start);
            let entry = [0, 0, 0, pe::IMAGE_DEBUG_TYPE_CODEVIEW.0, length, record, place];
            directories.push((pe::IMAGE_DIRECTORY_ENTRY_DEBUG, self.words(&entry), 28));
        }
        directories
    }

    fn exports(&mut self, exports: &[&str]) -> u32 {
        let library = self.text("addon.node");
        let names: Vec<u32> = exports.iter().map(|name| self.text(name)).collect();
        let count = u32::try_from(exports.len()).unwrap();
        let (functions, names) = (self.words(&vec![self.start; exports.len()]), self.words(&names));
        let numbers: Vec<u8> =
            (0..count).flat_map(|index| u16::try_from(index).unwrap().to_le_bytes()).collect();
        let numbers = self.add(&numbers);
        self.words(&[0, 0, 0, library, 1, count, count, functions, names, numbers])
    }

    /// Adds a list of imports.
    fn names(&mut self, symbols: &[&str]) -> u32 {
        let by_number = if self.is_64 { 1 << 63 } else { 1 << 31 };
        let mut list: Vec<u64> = Vec::new();
        for symbol in symbols {
            list.push(match symbol.strip_prefix('#') {
                Some(number) => by_number | number.parse::<u64>().unwrap(),
                None => self.add(&[b"\0\0", symbol.as_bytes(), b"\0"].concat()).into(),
            });
        }
        list.push(0);
        self.pointers(&list)
    }

    fn pointers(&mut self, values: &[u64]) -> u32 {
        let width = if self.is_64 { 8 } else { 4 };
        self.add(&values.iter().flat_map(|value| value.to_le_bytes()[..width].to_vec()).collect::<Vec<u8>>())
    }

    fn words(&mut self, values: &[u32]) -> u32 {
        self.add(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    fn text(&mut self, text: &str) -> u32 {
        self.add(&[text.as_bytes(), b"\0"].concat())
    }

    fn add(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = self.start + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend(bytes);
        address
    }
}
