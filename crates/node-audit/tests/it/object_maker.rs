//! Builds small shared objects: only the parts that a dynamic loader reads, without code, and sections if a test asks for them.

use std::path::Path;

use node_audit::{Finding, Policy, audit, audit_bytes};
use object::Endianness;
use object::elf::{self, SymbolInfo, VersionFlags, VersionIndex};
use object::write::elf::{
    FileHeader, ProgramHeader, Rel, SectionHeader, SinglePhase, Sym, Verdef, Vernaux, Verneed, Writer,
};

/// A file name whose claim is true for [`Maker::addon`].
pub(crate) const NAME: &str = "addon.linux-x64-gnu.node";

/// The length of a note in the file.
const NOTE: usize = 20;

/// A needed symbol version.
#[derive(Clone)]
pub(crate) struct Need {
    pub(crate) library: &'static str,
    pub(crate) version: &'static str,
    pub(crate) weak: bool,
    pub(crate) symbols: Vec<&'static str>,
}

/// The `node_module` that an addon registers.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    pub(crate) abi: u32,
    /// `true` if nm_register_func is set.
    pub(crate) plain: bool,
    /// `true` if nm_context_register_func is set.
    pub(crate) context: bool,
}

/// The contents of an object.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) machine: elf::Machine,
    pub(crate) is_64: bool,
    pub(crate) little_endian: bool,
    pub(crate) kind: elf::FileType,
    pub(crate) needed: Vec<&'static str>,
    /// Imports without a version.
    pub(crate) imports: Vec<&'static str>,
    /// Weak imports without a version.
    pub(crate) weak: Vec<&'static str>,
    /// Imports with a version.
    pub(crate) versions: Vec<Need>,
    /// The versions that the object defines.
    pub(crate) defines: Vec<&'static str>,
    pub(crate) exports: Vec<&'static str>,
    /// The names that are variables.
    pub(crate) variables: Vec<&'static str>,
    /// Names that the object defines, but hides from other objects.
    pub(crate) hidden: Vec<&'static str>,
    /// Further dynamic entries with a string.
    pub(crate) texts: Vec<(elf::DynamicTag, &'static str)>,
    /// Further dynamic entries with a number.
    pub(crate) numbers: Vec<(elf::DynamicTag, u64)>,
    /// The flags of the PT_LOAD segment.
    pub(crate) load: elf::ProgramFlags,
    /// The alignment of the PT_LOAD segment.
    pub(crate) align: u64,
    /// PT_GNU_STACK.
    pub(crate) stack: Option<elf::ProgramFlags>,
    /// PT_GNU_RELRO.
    pub(crate) relro: bool,
    /// DT_BIND_NOW.
    pub(crate) bind_now: bool,
    /// The size of PT_TLS; 0 for an object without the header.
    pub(crate) tls: u64,
    /// The name in the note (PT_NOTE), with at most seven letters.
    pub(crate) note: Option<&'static str>,
    /// Relocations, each with the name of its symbol; an empty name means no symbol.
    pub(crate) relocations: Vec<(elf::RelocationType, &'static str)>,
    /// The module that a constructor registers.
    pub(crate) module: Option<Module>,
    /// The dynamic entries of the relocation table and its size; the table is DT_RELA, DT_REL or DT_JMPREL.
    pub(crate) table: (elf::DynamicTag, elf::DynamicTag),
    /// Sections that the loader does not load, with their lengths in bytes.
    pub(crate) sections: Vec<(&'static str, usize)>,
    /// Data that the object does not refer to.
    pub(crate) data: Vec<u8>,
}

impl Maker {
    /// Returns an addon that no rule reports.
    pub(crate) fn addon() -> Maker {
        Maker {
            machine: elf::EM_X86_64,
            is_64: true,
            little_endian: true,
            kind: elf::ET_DYN,
            needed: vec!["libc.so.6"],
            imports: vec!["napi_create_function"],
            weak: vec![],
            versions: vec![Need {
                library: "libc.so.6",
                version: "GLIBC_2.17",
                weak: false,
                symbols: vec!["malloc", "free"],
            }],
            defines: vec![],
            exports: vec!["napi_register_module_v1"],
            variables: vec![],
            hidden: vec![],
            texts: vec![],
            numbers: vec![],
            load: elf::PF_R,
            align: 0x1_0000,
            stack: Some(elf::PF_R | elf::PF_W),
            relro: true,
            bind_now: true,
            tls: 0,
            note: None,
            relocations: vec![],
            module: None,
            table: (elf::DT_RELA, elf::DT_RELASZ),
            sections: vec![],
            data: vec![],
        }
    }

    /// Returns the same addon for musl.
    pub(crate) fn musl() -> Maker {
        Maker { needed: vec!["libc.musl-x86_64.so.1"], versions: vec![], ..Maker::addon() }
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

    /// Returns the findings of one rule for the addon in a folder, among other files.
    pub(crate) fn findings_in(&self, folder: &Path, name: &str, rule: &str) -> Vec<Finding> {
        let file = folder.join(name);
        std::fs::write(&file, self.make()).unwrap();
        let report = audit(&file, &Policy::default()).unwrap();
        report.findings.into_iter().filter(|finding| finding.rule == rule).collect()
    }

    pub(crate) fn make(&self) -> Vec<u8> {
        let mut content = Vec::new();
        let endian = if self.little_endian { Endianness::Little } else { Endianness::Big };
        let mut writer = Writer::new_single_phase(endian, self.is_64, &mut content);

        let mut string = |text: &'static str| writer.add_dynamic_string(text.as_bytes());
        let texts =
            self.needed.iter().map(|library| (elf::DT_NEEDED, *library)).chain(self.texts.iter().copied());
        let texts: Vec<_> = texts.map(|(tag, text)| (tag, string(text))).collect();
        let defines: Vec<_> = self.defines.iter().map(|name| (string(name), *name)).collect();
        let mut needs = Vec::new();
        // Name, `true` if defined, `true` if visible, and version index, in the order of `symbol_names`.
        let mut symbols = Vec::new();
        for (position, need) in self.versions.iter().enumerate() {
            let index = VersionIndex(u16::try_from(position).unwrap() + 2);
            needs.push((string(need.library), string(need.version), index));
            symbols.extend(need.symbols.iter().map(|name| (string(name), false, true, index)));
        }
        symbols.extend(self.imports.iter().map(|name| (string(name), false, true, elf::VER_NDX_GLOBAL)));
        let weak = symbols.len()..symbols.len() + self.weak.len();
        symbols.extend(self.weak.iter().map(|name| (string(name), false, true, elf::VER_NDX_GLOBAL)));
        symbols.extend(self.exports.iter().map(|name| (string(name), true, true, elf::VER_NDX_GLOBAL)));
        symbols.extend(self.hidden.iter().map(|name| (string(name), true, false, elf::VER_NDX_GLOBAL)));

        let header = FileHeader { e_type: self.kind, e_machine: self.machine, ..FileHeader::default() };
        writer.write_file_header(&header).unwrap();
        writer.write_program_headers_placeholder(self.segment_count());
        let count = u32::try_from(symbols.len()).unwrap() + 1;
        let hash = writer.write_hash(1, count, |_| None);
        let symbol_table = writer.write_null_dynamic_symbol();
        let is_variable: Vec<bool> =
            self.symbol_names().iter().map(|name| self.variables.contains(name)).collect();
        for (index, (name, defined, visible, _)) in symbols.iter().enumerate() {
            let kind = if is_variable[index] { elf::STT_OBJECT } else { elf::STT_FUNC };
            let bind = if weak.contains(&index) { elf::STB_WEAK } else { elf::STB_GLOBAL };
            let visibility = if *visible { elf::STV_DEFAULT } else { elf::STV_HIDDEN };
            writer.write_dynamic_symbol(&Sym {
                section: None,
                st_name: writer.dynamic_string_offset(Some(*name)),
                st_info: SymbolInfo::new(bind, kind),
                st_other: visibility.into(),
                st_shndx: if *defined { elf::SHN_ABS } else { elf::SHN_UNDEF },
                st_value: 0,
                st_size: 0,
            });
        }
        let (string_table, string_size) = writer.write_dynstr().unwrap();
        let version_indices = writer.write_null_gnu_versym();
        for (_, _, _, index) in &symbols {
            writer.write_gnu_versym((*index).into());
        }
        let need_count = u16::try_from(needs.len()).unwrap();
        let version_needs = writer.write_align_gnu_verneed(need_count);
        for ((library, version, index), need) in needs.iter().zip(&self.versions) {
            let file = writer.dynamic_string_offset(Some(*library));
            writer.write_gnu_verneed(&Verneed { version: 1, aux_count: 1, file });
            writer.write_gnu_vernaux(&Vernaux {
                flags: if need.weak { elf::VER_FLG_WEAK } else { VersionFlags(0) },
                index: *index,
                name: writer.dynamic_string_offset(Some(*version)),
                hash: elf::hash(need.version.as_bytes()),
            });
        }
        let define_count = u16::try_from(defines.len()).unwrap();
        let definitions = writer.write_align_gnu_verdef(define_count);
        for (name, text) in defines {
            writer.write_gnu_verdef(&Verdef {
                version: 1,
                flags: VersionFlags(0),
                index: VersionIndex(0x1000),
                aux_count: 1,
                name: writer.dynamic_string_offset(Some(name)),
                hash: elf::hash(text.as_bytes()),
            });
        }
        let mut numbers = vec![
            (elf::DT_HASH, hash),
            (elf::DT_SYMTAB, symbol_table),
            (elf::DT_STRTAB, string_table),
            (elf::DT_STRSZ, string_size.into()),
            (elf::DT_VERSYM, version_indices),
        ];
        if need_count > 0 {
            numbers.extend([(elf::DT_VERNEED, version_needs), (elf::DT_VERNEEDNUM, need_count.into())]);
        }
        if define_count > 0 {
            numbers.extend([(elf::DT_VERDEF, definitions), (elf::DT_VERDEFNUM, define_count.into())]);
        }
        numbers.extend(&self.numbers);
        if self.bind_now {
            numbers.push((elf::DT_BIND_NOW, 0));
        }
        numbers.extend(self.write_relocations(&mut writer));
        let note = writer.write_align(8);
        if let Some(name) = self.note {
            // n_namesz, n_descsz, n_type, the name.
            let number = |number: u32| match endian {
                Endianness::Little => number.to_le_bytes(),
                Endianness::Big => number.to_be_bytes(),
            };
            let mut bytes = [number(u32::try_from(name.len()).unwrap() + 1), number(0), number(1)].concat();
            bytes.extend_from_slice(name.as_bytes());
            bytes.resize(NOTE, 0);
            writer.write(&bytes);
        }
        writer.write(&self.data);
        let dynamic = writer.write_align_dynamic();
        for (tag, text) in texts {
            writer.write_dynamic_string(tag, text).unwrap();
        }
        for (tag, number) in numbers {
            writer.write_dynamic(tag, number).unwrap();
        }
        writer.write_dynamic(elf::DT_NULL, 0).unwrap();
        self.write_sections(&mut writer);

        let size = writer.len();
        let segments = self.segments(size, dynamic, note);
        let mut headers = Vec::new();
        writer.write_headers_to(&mut headers, &segments).unwrap();
        content[..headers.len()].copy_from_slice(&headers);
        content
    }

    /// Returns the names of the dynamic symbols after the null symbol.
    fn symbol_names(&self) -> Vec<&'static str> {
        let versioned = self.versions.iter().flat_map(|need| need.symbols.iter());
        versioned
            .chain(&self.imports)
            .chain(&self.weak)
            .chain(&self.exports)
            .chain(&self.hidden)
            .copied()
            .collect()
    }

    /// Writes the relocations. Returns the dynamic entries that locate them.
    fn write_relocations(&self, writer: &mut Writer<'_, SinglePhase>) -> Vec<(elf::DynamicTag, u64)> {
        let pointers = self.write_module(writer);
        if self.relocations.is_empty() && pointers.is_empty() {
            return Vec::new();
        }
        let (table, size) = self.table;
        let addends = table != elf::DT_REL;
        let names = self.symbol_names();
        let start = writer.write_align_relocation();
        for (r_type, name) in &self.relocations {
            let r_sym = match *name {
                "" => 0,
                name => names.iter().position(|known| *known == name).unwrap() + 1,
            };
            let r_sym = u32::try_from(r_sym).unwrap();
            writer.write_relocation(addends, &Rel { r_offset: 0, r_sym, r_type: *r_type, r_addend: 0 });
        }
        for (address, target) in pointers {
            let r_type = elf::R_X86_64_RELATIVE;
            writer.write_relocation(
                true,
                &Rel { r_offset: address, r_sym: 0, r_type, r_addend: target.cast_signed() },
            );
        }
        let mut entries = vec![(table, start), (size, writer.len() - start)];
        if table == elf::DT_JMPREL {
            entries.push((elf::DT_PLTREL, elf::DT_RELA.0.try_into().unwrap()));
        }
        entries
    }

    /// Writes the module for a 64-bit machine. Returns the address and the target of each pointer.
    fn write_module(&self, writer: &mut Writer<'_, SinglePhase>) -> Vec<(u64, u64)> {
        let Some(Module { abi, plain, context }) = self.module else { return Vec::new() };
        let start = writer.write_align(8);
        let mut bytes = abi.to_le_bytes().to_vec();
        bytes.resize(64, 0);
        bytes.extend(b"../x.cc\0");
        writer.write(&bytes);
        let text = start + 64;
        let pointers = [(16, true, text), (24, plain, start), (32, context, start), (40, true, text)];
        pointers
            .into_iter()
            .filter(|(_, set, _)| *set)
            .map(|(field, _, target)| (start + field, target))
            .collect()
    }

    fn write_sections(&self, writer: &mut Writer<'_, SinglePhase>) {
        if self.sections.is_empty() {
            return;
        }
        let mut written = Vec::new();
        for (name, length) in &self.sections {
            let name = writer.add_section_name(name.as_bytes());
            written.push((name, writer.offset(), *length));
            writer.write(&vec![0; *length]);
        }
        writer.write_shstrtab().unwrap();
        writer.write_null_section_header();
        for (name, sh_offset, length) in written {
            writer.write_section_header(&SectionHeader {
                sh_name: writer.section_name_offset(Some(name)),
                sh_type: elf::SHT_PROGBITS,
                sh_flags: elf::SectionFlags(0),
                sh_addr: 0,
                sh_offset,
                sh_size: length as u64,
                sh_link: 0,
                sh_info: 0,
                sh_addralign: 1,
                sh_entsize: 0,
            });
        }
        writer.write_shstrtab_section_header();
    }

    fn segment_count(&self) -> u32 {
        2 + [self.stack.is_some(), self.relro, self.tls > 0, self.note.is_some()]
            .into_iter()
            .map(u32::from)
            .sum::<u32>()
    }

    /// Returns the program headers. Tests rely on the order: the first header covers the whole file, and the second the dynamic
    /// table.
    fn segments(&self, size: u64, dynamic: u64, note: u64) -> Vec<ProgramHeader> {
        let segment = |p_type, p_flags, offset, p_filesz, p_memsz| ProgramHeader {
            p_type,
            p_flags,
            p_offset: offset,
            p_vaddr: offset,
            p_paddr: offset,
            p_filesz,
            p_memsz,
            p_align: 4,
        };
        let rest = size - dynamic;
        let mut segments = vec![
            ProgramHeader { p_align: self.align, ..segment(elf::PT_LOAD, self.load, 0, size, size) },
            segment(elf::PT_DYNAMIC, elf::PF_R, dynamic, rest, rest),
        ];
        segments.extend(self.stack.map(|flags| segment(elf::PT_GNU_STACK, flags, 0, 0, 0)));
        if self.relro {
            segments.push(segment(elf::PT_GNU_RELRO, elf::PF_R, dynamic, rest, rest));
        }
        if self.tls > 0 {
            segments.push(segment(elf::PT_TLS, elf::PF_R, 0, 0, self.tls));
        }
        if self.note.is_some() {
            segments.push(segment(elf::PT_NOTE, elf::PF_R, note, NOTE as u64, NOTE as u64));
        }
        segments
    }
}
