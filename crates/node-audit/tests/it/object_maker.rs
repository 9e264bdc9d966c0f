//! Makes small shared objects: what a dynamic loader reads, and nothing else (no code, no section headers).

use std::path::Path;

use node_audit::{Finding, Policy, audit_bytes};
use object::Endianness;
use object::elf::{self, SymbolInfo, VersionFlags, VersionIndex};
use object::write::elf::{FileHeader, ProgramHeader, Sym, Vernaux, Verneed, Writer};

/// The name of the file whose claim [`Maker::addon`] fulfils.
pub(crate) const NAME: &str = "addon.linux-x64-gnu.node";

/// A symbol version that is needed.
#[derive(Clone)]
pub(crate) struct Need {
    pub(crate) library: &'static str,
    pub(crate) version: &'static str,
    pub(crate) weak: bool,
    pub(crate) symbols: Vec<&'static str>,
}

/// What the object shall contain.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) machine: elf::Machine,
    pub(crate) is_64: bool,
    pub(crate) little_endian: bool,
    pub(crate) kind: elf::FileType,
    pub(crate) needed: Vec<&'static str>,
    /// Imports bound to no version.
    pub(crate) imports: Vec<&'static str>,
    /// Imports bound to a version.
    pub(crate) versions: Vec<Need>,
    pub(crate) exports: Vec<&'static str>,
    /// Defined, but hidden from other objects.
    pub(crate) hidden: Vec<&'static str>,
    /// Further dynamic entries that hold a string.
    pub(crate) texts: Vec<(elf::DynamicTag, &'static str)>,
    /// Further dynamic entries that hold a number.
    pub(crate) numbers: Vec<(elf::DynamicTag, u64)>,
    /// Read-only data that nothing refers to.
    pub(crate) data: Vec<u8>,
}

impl Maker {
    /// An addon in which no rule finds anything.
    pub(crate) fn addon() -> Maker {
        Maker {
            machine: elf::EM_X86_64,
            is_64: true,
            little_endian: true,
            kind: elf::ET_DYN,
            needed: vec!["libc.so.6"],
            imports: vec!["napi_create_function"],
            versions: vec![Need {
                library: "libc.so.6",
                version: "GLIBC_2.17",
                weak: false,
                symbols: vec!["malloc", "free"],
            }],
            exports: vec!["napi_register_module_v1"],
            hidden: vec![],
            texts: vec![],
            numbers: vec![],
            data: vec![],
        }
    }

    /// The same for musl; file names must claim it.
    pub(crate) fn musl() -> Maker {
        Maker { needed: vec!["libc.musl-x86_64.so.1"], versions: vec![], ..Maker::addon() }
    }

    /// What one rule finds in it under the default policy.
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
        let endian = if self.little_endian { Endianness::Little } else { Endianness::Big };
        let mut writer = Writer::new_single_phase(endian, self.is_64, &mut content);

        let mut string = |text: &'static str| writer.add_dynamic_string(text.as_bytes());
        let texts =
            self.needed.iter().map(|library| (elf::DT_NEEDED, *library)).chain(self.texts.iter().copied());
        let texts: Vec<_> = texts.map(|(tag, text)| (tag, string(text))).collect();
        let mut needs = Vec::new();
        // Name, defined, visible, version index.
        let mut symbols = Vec::new();
        for (position, need) in self.versions.iter().enumerate() {
            let index = VersionIndex(u16::try_from(position).unwrap() + 2);
            needs.push((string(need.library), string(need.version), index));
            symbols.extend(need.symbols.iter().map(|name| (string(name), false, true, index)));
        }
        symbols.extend(self.imports.iter().map(|name| (string(name), false, true, elf::VER_NDX_GLOBAL)));
        symbols.extend(self.exports.iter().map(|name| (string(name), true, true, elf::VER_NDX_GLOBAL)));
        symbols.extend(self.hidden.iter().map(|name| (string(name), true, false, elf::VER_NDX_GLOBAL)));

        let header = FileHeader { e_type: self.kind, e_machine: self.machine, ..FileHeader::default() };
        writer.write_file_header(&header).unwrap();
        writer.write_program_headers_placeholder(2);
        let count = u32::try_from(symbols.len()).unwrap() + 1;
        let hash = writer.write_hash(1, count, |_| None);
        let symbol_table = writer.write_null_dynamic_symbol();
        for (name, defined, visible, _) in &symbols {
            let visibility = if *visible { elf::STV_DEFAULT } else { elf::STV_HIDDEN };
            writer.write_dynamic_symbol(&Sym {
                section: None,
                st_name: writer.dynamic_string_offset(Some(*name)),
                st_info: SymbolInfo::new(elf::STB_GLOBAL, elf::STT_FUNC),
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
        numbers.extend(&self.numbers);
        writer.write(&self.data);
        let dynamic = writer.write_align_dynamic();
        for (tag, text) in texts {
            writer.write_dynamic_string(tag, text).unwrap();
        }
        for (tag, number) in numbers {
            writer.write_dynamic(tag, number).unwrap();
        }
        writer.write_dynamic(elf::DT_NULL, 0).unwrap();

        let size = writer.len();
        let segments =
            [(elf::PT_LOAD, 0), (elf::PT_DYNAMIC, dynamic)].map(|(p_type, offset)| ProgramHeader {
                p_type,
                p_flags: elf::PF_R,
                p_offset: offset,
                p_vaddr: offset,
                p_paddr: offset,
                p_filesz: size - offset,
                p_memsz: size - offset,
                p_align: 8,
            });
        let mut headers = Vec::new();
        writer.write_headers_to(&mut headers, &segments).unwrap();
        content[..headers.len()].copy_from_slice(&headers);
        content
    }
}
