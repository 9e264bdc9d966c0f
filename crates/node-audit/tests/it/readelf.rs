//! The facts of an ELF file, from readelf's output.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use node_audit::{Leftover, StaticTls};

/// Names that readelf lists, and that the facts omit on purpose.
const LINKER_MADE: [&str; 8] =
    ["_init", "_fini", "_edata", "_end", "__bss_start", "__bss_start__", "__bss_end__", "__end__"];

/// The facts of an ELF file, from readelf's output.
#[derive(Default)]
pub(crate) struct Readelf {
    pub(crate) needed: Vec<String>,
    pub(crate) soname: Option<String>,
    pub(crate) runpath: String,
    pub(crate) versions: BTreeSet<(String, String, bool)>,
    pub(crate) bound: BTreeSet<String>,
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
    pub(crate) nodelete: bool,
    pub(crate) bind_now: bool,
    pub(crate) text_relocations: bool,
    pub(crate) relro: bool,
    /// `None` if the file has no PT_GNU_STACK.
    pub(crate) executable_stack: Option<bool>,
    pub(crate) writable_code: usize,
    pub(crate) static_tls: StaticTls,
    pub(crate) leftovers: Vec<Leftover>,
}

impl Readelf {
    pub(crate) fn of(file: &Path) -> Readelf {
        let mut facts = Readelf::default();
        for line in run(file, "--dynamic").lines() {
            let value = line
                .split_once('[')
                .and_then(|(_, rest)| rest.rsplit_once(']'))
                .map(|(value, _)| value.to_owned());
            match (line, value) {
                (line, Some(value)) if line.contains("(NEEDED)") => facts.needed.push(value),
                (line, Some(value)) if line.contains("(SONAME)") => facts.soname = Some(value),
                (line, Some(value)) if line.contains("(RUNPATH)") => facts.runpath = value,
                _ => {}
            }
            let flags = line.contains("(FLAGS)") || line.contains("(FLAGS_1)");
            let has = |flag| flags && line.split_whitespace().any(|word| word == flag);
            facts.nodelete |= has("NODELETE");
            facts.bind_now |= has("NOW") || has("BIND_NOW") || line.contains("(BIND_NOW)");
            facts.text_relocations |= has("TEXTREL") || line.contains("(TEXTREL)");
            facts.static_tls.flag |= has("STATIC_TLS");
        }
        let mut library = String::new();
        let text = run(file, "--version-info");
        let needs = text.split_once("Version needs section").map_or("", |(_, needs)| needs);
        for line in needs.lines() {
            let after =
                |label: &str| line.split_once(label).and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(file) = after("File: ") {
                file.clone_into(&mut library);
            } else if let Some(name) = after("Name: ") {
                facts.versions.insert((library.clone(), name.to_owned(), line.contains("WEAK")));
            }
        }
        for line in run(file, "--dyn-syms").lines() {
            // Fields: number, value, size, type, binding, visibility, section, name, number of the version.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, _, _, kind, binding, visibility, section, name, ..] = fields[..] else { continue };
            if kind == "SECTION" || !matches!(binding, "GLOBAL" | "WEAK" | "UNIQUE") {
                continue;
            }
            let (symbol, version) = name.split_once('@').unwrap_or((name, ""));
            if section == "UND" {
                facts.imports.insert(symbol.to_owned());
                if !version.is_empty() {
                    facts.bound.insert(format!("{symbol}@{version}"));
                }
            } else if matches!(visibility, "DEFAULT" | "PROTECTED") && !LINKER_MADE.contains(&symbol) {
                facts.exports.insert(symbol.to_owned());
            }
        }
        facts.segments(file);
        facts.relocations(file);
        facts.sections(file);
        facts
    }

    fn segments(&mut self, file: &Path) {
        for line in run(file, "--program-headers").lines() {
            // Fields: type, offset, virtual address, physical address, size in the file, size in memory, flags, alignment.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [kind, _, _, _, _, size, ref flags @ .., _] = fields[..] else { continue };
            let flags = flags.concat();
            match kind {
                "GNU_STACK" => self.executable_stack = Some(flags.contains('E')),
                "GNU_RELRO" => self.relro = true,
                "LOAD" if flags.contains('W') && flags.contains('E') => self.writable_code += 1,
                "TLS" => {
                    self.static_tls.size = u64::from_str_radix(size.trim_start_matches("0x"), 16).unwrap();
                }
                _ => {}
            }
        }
    }

    fn relocations(&mut self, file: &Path) {
        let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
        for line in run(file, "--relocs").lines() {
            // Fields: offset, info, type; with a symbol also its value, its name and possibly an addend.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, _, kind, ref symbol @ ..] = fields[..] else { continue };
            if !["TPOFF64", "TLS_TPOFF", "TLS_TPREL64", "TPREL64"].iter().any(|end| kind.ends_with(end)) {
                continue;
            }
            let name = match symbol {
                [_, name, ..] => name.split('@').next().unwrap_or_default(),
                _ => "",
            };
            if self.imports.contains(name) {
                foreign.insert(name.to_owned());
            } else {
                self.static_tls.own += 1;
                own.extend((!name.is_empty()).then(|| name.to_owned()));
            }
        }
        self.static_tls.symbols = own.into_iter().collect();
        self.static_tls.foreign = foreign.into_iter().collect();
    }

    fn sections(&mut self, file: &Path) {
        for line in run(file, "--section-headers").lines() {
            // Fields after the number in brackets: name, type, address, offset, size, entry size, flags.
            let Some((_, line)) = line.split_once(']') else { continue };
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [name, _, _, _, size, _, flags, ..] = fields[..] else { continue };
            let debug = name.starts_with(".debug_") || name.starts_with(".zdebug_");
            if (debug || matches!(name, ".symtab" | ".strtab")) && !flags.contains('A') {
                let bytes = u64::from_str_radix(size, 16).unwrap();
                self.leftovers.push(Leftover { name: name.to_owned(), bytes });
            }
        }
    }
}

fn run(file: &Path, option: &str) -> String {
    let output =
        Command::new("readelf").args(["--wide", option]).arg(file).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "readelf {option}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
