//! Builds small Mach-O libraries: the parts that the loader reads, correct signatures, and hardly any code.

use std::ops::Range;
use std::path::Path;

use node_audit::{Facts, Finding, Policy, audit_bytes, read_facts};
use object::macho::{self, CpuType, CsHashType, FileType, LoadCommandType};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

use crate::macho_binds::Binds;

/// A file name whose claim is true for [`MachO::addon`].
pub(crate) const NAME: &str = "addon.darwin-arm64.node";

/// A load command with the oldest system: the command, the platform's number, and the version.
pub(crate) type MinOs = (LoadCommandType, u32, [u8; 3]);

/// macOS 11.0.
const MACOS_11: MinOs = (macho::LC_BUILD_VERSION, 1, [11, 0, 0]);

/// The signature of a file.
#[derive(Clone)]
pub(crate) struct Signing {
    /// The kind of hash of each code directory.
    pub(crate) hashes: Vec<CsHashType>,
    /// The binary logarithm of the page size; 0 for one page.
    pub(crate) page: u8,
    pub(crate) flags: u32,
}

/// The contents of a library.
#[derive(Clone)]
pub(crate) struct MachO {
    pub(crate) cpu: CpuType,
    pub(crate) subtype: u32,
    pub(crate) is_64: bool,
    pub(crate) little_endian: bool,
    pub(crate) kind: FileType,
    pub(crate) flags: u32,
    pub(crate) dylibs: Vec<(LoadCommandType, &'static str)>,
    pub(crate) id: Option<&'static str>,
    pub(crate) rpaths: Vec<&'static str>,
    pub(crate) min_os: Vec<MinOs>,
    pub(crate) imports: Vec<&'static str>,
    /// The imports that the loader binds, by the number of their library.
    pub(crate) binds: Binds,
    pub(crate) exports: Vec<&'static str>,
    /// `true` if the exports are in a trie, not in the symbol table.
    pub(crate) trie: bool,
    /// Other symbols, with their types.
    pub(crate) others: Vec<(u8, &'static str)>,
    /// The type of the only section.
    pub(crate) section: u32,
    /// The protection of the first segment.
    pub(crate) protection: u32,
    /// The name of the first segment.
    pub(crate) segment: &'static str,
    /// The number of bytes between the load commands and the linker's tables.
    pub(crate) code: usize,
    pub(crate) signing: Option<Signing>,
}

impl MachO {
    /// Returns an addon that no rule reports.
    pub(crate) fn addon() -> MachO {
        MachO {
            cpu: macho::CPU_TYPE_ARM64,
            subtype: 0,
            is_64: true,
            little_endian: true,
            kind: macho::MH_BUNDLE,
            flags: macho::MH_TWOLEVEL.0 | macho::MH_DYLDLINK.0,
            dylibs: vec![(macho::LC_LOAD_DYLIB, "/usr/lib/libSystem.B.dylib")],
            id: None,
            rpaths: vec![],
            min_os: vec![MACOS_11],
            imports: vec!["_napi_create_function"],
            binds: Binds::None,
            exports: vec!["_napi_register_module_v1"],
            trie: true,
            others: vec![],
            section: 0,
            protection: 5,
            segment: "__TEXT",
            code: 64,
            signing: Some(Signing {
                hashes: vec![macho::CS_HASHTYPE_SHA256],
                page: 12,
                flags: macho::CS_ADHOC.0,
            }),
        }
    }

    /// Returns the same addon for x64, unsigned.
    pub(crate) fn x64() -> MachO {
        let min_os = vec![(macho::LC_VERSION_MIN_MACOSX, 1, [10, 15, 0])];
        MachO { cpu: macho::CPU_TYPE_X86_64, subtype: 3, min_os, signing: None, ..MachO::addon() }
    }

    /// Returns the findings of one rule under the default policy. The audit does not see the files beside the addon.
    pub(crate) fn findings(&self, name: &str, rule: &str) -> Vec<Finding> {
        findings(&self.make(), name, rule)
    }

    pub(crate) fn facts(&self) -> Facts {
        let mut facts = read_facts(Path::new(NAME), &self.make()).unwrap();
        assert_eq!(facts.len(), 1);
        facts.remove(0)
    }

    pub(crate) fn make(&self) -> Vec<u8> {
        // Only the length of this first header is used, because the offsets are not known yet.
        let header = self.header(Layout::default()).len();
        let text = header + self.code;
        let (symbols, strings) = self.tables();
        let trie = if self.trie { trie(&self.exports) } else { vec![] };
        let binds = self.binds.parts(self.out());
        let bind_lengths = [binds[0].len(), binds[1].len()];
        let binds = binds.concat();
        let mut end = text + symbols.len() + strings.len() + trie.len() + binds.len();
        let mut layout = Layout {
            text,
            strings: strings.len(),
            trie: trie.len(),
            binds: bind_lengths,
            symbols: symbols.len() / self.nlist(),
            end,
            signature: (0, 0),
        };
        if let Some(signing) = &self.signing {
            end = end.next_multiple_of(16);
            layout.signature = (end, signature(&vec![0; end], signing).len());
            layout.end = end + layout.signature.1;
        }
        let mut content = self.header(layout);
        content.resize(text, 0xc3);
        content.extend([symbols, strings, trie, binds].concat());
        if let Some(signing) = &self.signing {
            content.resize(end, 0);
            content.extend(signature(&content, signing));
        }
        content
    }

    fn nlist(&self) -> usize {
        if self.is_64 { 16 } else { 12 }
    }

    /// Returns the symbol table and its strings.
    fn tables(&self) -> (Vec<u8>, Vec<u8>) {
        let mut symbols = self.out();
        let mut strings = vec![0];
        let exports = if self.trie { &[][..] } else { &self.exports };
        let undefined = self.imports.iter().map(|name| (macho::N_EXT.0, 0, *name));
        let defined = exports.iter().map(|name| (macho::N_EXT.0 | macho::N_SECT.0, 1, *name));
        let others = self.others.iter().map(|(kind, name)| (*kind, 1, *name));
        for (kind, section, name) in undefined.chain(defined).chain(others) {
            symbols.u32(strings.len());
            symbols.bytes.extend([kind, section, 0, 0]);
            symbols.word(0);
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        (symbols.bytes, strings)
    }

    fn header(&self, layout: Layout) -> Vec<u8> {
        let mut commands: Vec<Vec<u8>> = Vec::new();
        // The first segment includes the linker's tables, since a second segment would have to begin at a page.
        commands.push(self.segment(self.segment, 0..layout.end, self.protection));
        commands.push(self.segment("__LINKEDIT", layout.end..layout.end, 1));
        for (command, path) in &self.dylibs {
            commands.push(self.command(*command, &[24, 2, 0x10000, 0x10000], path));
        }
        if let Some(id) = self.id {
            commands.push(self.command(macho::LC_ID_DYLIB, &[24, 1, 0, 0], id));
        }
        for rpath in &self.rpaths {
            commands.push(self.command(macho::LC_RPATH, &[12], rpath));
        }
        for (command, platform, [major, minor, patch]) in self.min_os.iter().copied() {
            let version = usize::from(major) << 16 | usize::from(minor) << 8 | usize::from(patch);
            let numbers = [platform as usize, version, version, 0];
            let skip = usize::from(command != macho::LC_BUILD_VERSION);
            commands.push(self.command(command, &numbers[skip..4 - skip], ""));
        }
        let symbols = layout.symbols * self.nlist();
        let strings = layout.text + symbols;
        let table = [layout.text, layout.symbols, strings, layout.strings];
        commands.push(self.command(macho::LC_SYMTAB, &table, ""));
        let [first, second] = layout.binds;
        let binds = strings + layout.strings + layout.trie;
        match self.binds {
            Binds::None => {}
            Binds::Fixups(..) => {
                commands.push(self.command(macho::LC_DYLD_CHAINED_FIXUPS, &[binds, first], ""));
            }
            Binds::Opcodes(..) => {
                let parts = [0, 0, binds, first, 0, 0, binds + first, second, 0, 0];
                commands.push(self.command(macho::LC_DYLD_INFO_ONLY, &parts, ""));
            }
        }
        if self.trie {
            let place = [strings + layout.strings, layout.trie];
            commands.push(self.command(macho::LC_DYLD_EXPORTS_TRIE, &place, ""));
        }
        if self.signing.is_some() {
            let (start, length) = layout.signature;
            commands.push(self.command(macho::LC_CODE_SIGNATURE, &[start, length], ""));
        }
        let mut out = self.out();
        out.u32(if self.is_64 { macho::MH_MAGIC_64 } else { macho::MH_MAGIC } as usize);
        for number in [self.cpu.0, self.subtype, self.kind.0] {
            out.u32(number as usize);
        }
        out.u32(commands.len());
        out.u32(commands.concat().len());
        out.u32(self.flags as usize);
        if self.is_64 {
            out.u32(0);
        }
        out.bytes.extend(commands.concat());
        out.bytes
    }

    /// Returns a load command that consists of numbers and a text.
    fn command(&self, command: LoadCommandType, numbers: &[usize], text: &str) -> Vec<u8> {
        let mut length = 8 + 4 * numbers.len();
        if !text.is_empty() {
            length = (length + text.len() + 1).next_multiple_of(8);
        }
        let mut out = self.out();
        out.u32(command.0 as usize);
        out.u32(length);
        for number in numbers {
            out.u32(*number);
        }
        out.bytes.extend(text.as_bytes());
        out.bytes.resize(length, 0);
        out.bytes
    }

    /// Returns a segment without sections.
    fn segment(&self, name: &str, range: Range<usize>, protection: u32) -> Vec<u8> {
        let (offset, length, section) = (range.start, range.len(), name != "__LINKEDIT");
        let mut body = self.out();
        body.name(name);
        for number in [offset, length, offset, length] {
            body.word(number);
        }
        for number in [7, protection as usize, usize::from(section), 0] {
            body.u32(number);
        }
        if section {
            body.name("__section");
            body.name(name);
            body.word(0);
            body.word(8);
            for number in [0, 0, 0, 0, self.section as usize, 0, 0] {
                body.u32(number);
            }
            if self.is_64 {
                body.u32(0);
            }
        }
        let mut out = self.out();
        out.u32(if self.is_64 { macho::LC_SEGMENT_64 } else { macho::LC_SEGMENT }.0 as usize);
        out.u32(8 + body.bytes.len());
        out.bytes.extend(body.bytes);
        out.bytes
    }

    fn out(&self) -> Out {
        Out { bytes: Vec::new(), is_64: self.is_64, little_endian: self.little_endian }
    }
}

/// Returns the findings of one rule.
pub(crate) fn findings(content: &[u8], name: &str, rule: &str) -> Vec<Finding> {
    assert!(node_audit::RULES.iter().any(|known| known.id == rule), "no rule {rule}");
    let report = audit_bytes(Path::new(name), content, &Policy::default()).unwrap();
    report.findings.into_iter().filter(|finding| finding.rule == rule).collect()
}

/// Returns a fat file with one part for each processor.
pub(crate) fn fat(parts: &[(CpuType, Vec<u8>)], is_64: bool) -> Vec<u8> {
    let big = |number: usize, bytes: usize| number.to_be_bytes()[8 - bytes..].to_vec();
    let width = if is_64 { 8 } else { 4 };
    let magic = if is_64 { macho::FAT_MAGIC_64 } else { macho::FAT_MAGIC };
    let mut content = [big(magic as usize, 4), big(parts.len(), 4)].concat();
    let mut offset = (content.len() + parts.len() * if is_64 { 32 } else { 20 }).next_multiple_of(64);
    let mut body = Vec::new();
    for (cpu, part) in parts {
        content
            .extend([big(cpu.0 as usize, 4), big(0, 4), big(offset, width), big(part.len(), width)].concat());
        content.extend([big(6, 4), big(0, width - 4)].concat());
        let length = part.len().next_multiple_of(64);
        body.extend(part);
        body.resize(body.len() + length - part.len(), 0);
        offset += length;
    }
    content.resize(content.len().next_multiple_of(64), 0);
    content.extend(body);
    content
}

/// The offsets and lengths of the parts after the header.
#[derive(Clone, Copy, Default)]
struct Layout {
    text: usize,
    symbols: usize,
    strings: usize,
    trie: usize,
    binds: [usize; 2],
    signature: (usize, usize),
    end: usize,
}

/// Writes numbers in the file's byte order.
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
    is_64: bool,
    little_endian: bool,
}

impl Out {
    pub(crate) fn u32(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap();
        self.bytes.extend(if self.little_endian { number.to_le_bytes() } else { number.to_be_bytes() });
    }

    fn word(&mut self, number: usize) {
        if !self.is_64 {
            return self.u32(number);
        }
        let number = number as u64;
        self.bytes.extend(if self.little_endian { number.to_le_bytes() } else { number.to_be_bytes() });
    }

    fn name(&mut self, name: &str) {
        let end = self.bytes.len() + 16;
        self.bytes.extend(name.as_bytes());
        self.bytes.resize(end, 0);
    }
}

/// Returns a trie whose names share no prefix.
fn trie(names: &[&str]) -> Vec<u8> {
    let leb = |value: usize| [(value & 0x7f) as u8 | 0x80, u8::try_from(value >> 7).unwrap()];
    let root = 2 + names.iter().map(|name| name.len() + 3).sum::<usize>();
    let mut trie = vec![0, u8::try_from(names.len()).unwrap()];
    for (index, name) in names.iter().enumerate() {
        trie.extend(name.as_bytes());
        trie.push(0);
        trie.extend(leb(root + 4 * index));
    }
    for _ in names {
        trie.extend([2, 0, 0x10, 0]);
    }
    trie
}

/// Returns the signature for a file's content.
fn signature(content: &[u8], signing: &Signing) -> Vec<u8> {
    let directories: Vec<_> = signing.hashes.iter().map(|hash| directory(content, *hash, signing)).collect();
    let mut start = 12 + 8 * directories.len();
    let mut index = Vec::new();
    for (number, directory) in directories.iter().enumerate() {
        let slot = if number == 0 { 0 } else { 0x1000 + number - 1 };
        index.extend([slot, start]);
        start += directory.len();
    }
    let head = [macho::CSMAGIC_EMBEDDED_SIGNATURE as usize, start, directories.len()];
    [big(&[&head[..], &index].concat()), directories.concat()].concat()
}

fn directory(content: &[u8], kind: CsHashType, signing: &Signing) -> Vec<u8> {
    let page = if signing.page == 0 { content.len() } else { 1 << signing.page };
    let hashes: Vec<Vec<u8>> = content.chunks(page).map(|page| hash(kind, page)).collect();
    let ident = b"addon\0";
    let length = 44 + ident.len() + hashes.concat().len();
    let magic = macho::CSMAGIC_CODEDIRECTORY as usize;
    let flags = signing.flags as usize;
    let mut bytes =
        big(&[magic, length, 0x20001, flags, 44 + ident.len(), 44, 0, hashes.len(), content.len()]);
    bytes.extend([u8::try_from(hashes[0].len()).unwrap(), kind.0, 0, signing.page, 0, 0, 0, 0]);
    bytes.extend(ident);
    bytes.extend(hashes.concat());
    bytes
}

fn hash(kind: CsHashType, page: &[u8]) -> Vec<u8> {
    match kind {
        macho::CS_HASHTYPE_SHA1 => Sha1::digest(page).to_vec(),
        macho::CS_HASHTYPE_SHA256_TRUNCATED => Sha256::digest(page)[..20].to_vec(),
        macho::CS_HASHTYPE_SHA384 => Sha384::digest(page).to_vec(),
        _ => Sha256::digest(page).to_vec(),
    }
}

fn big(numbers: &[usize]) -> Vec<u8> {
    numbers.iter().flat_map(|number| u32::try_from(*number).unwrap().to_be_bytes()).collect()
}
