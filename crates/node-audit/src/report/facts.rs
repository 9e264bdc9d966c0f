//! Formats facts as text, for people.

use super::wrap::{usable, wrap};
use crate::audit::Audited;
use crate::facts::{
    Details, DylibKind, ElfFacts, Facts, LoadedSegment, MacPlatform, MachOFacts, PeFacts, Registration,
    Signature, StaticTls,
};
use crate::limits::MAX_FACT_NAMES;
use crate::rules::short_name;

/// A line of a file's facts.
enum Line {
    Fact {
        label: &'static str,
        value: String,
    },
    /// An empty line between two groups.
    Gap,
}

fn fact(label: &'static str, value: impl Into<String>) -> Line {
    Line::Fact { label, value: value.into() }
}

/// Formats the facts of each file for a terminal of `width` columns.
#[must_use]
pub fn facts_text(files: &[Audited], width: u16) -> String {
    let mut text = String::new();
    for Audited { report, addon } in files {
        for facts in &addon.facts {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &format!("{}\n{}", report.file, aligned(&lines(facts), width));
        }
    }
    text
}

fn lines(facts: &Facts) -> Vec<Line> {
    let order = if facts.little_endian { "little" } else { "big" };
    let Facts { bits, machine, kind, .. } = facts;
    let format = format!("{} {kind}, {bits} bit, {order}-endian, {machine}", facts.format());
    let (own, protection) = match &facts.details {
        Details::Elf(elf) => (elf_lines(elf), elf_protection(elf)),
        Details::MachO(macho) => (macho_lines(macho), macho_protection(macho)),
        Details::Pe(pe) => (pe_lines(pe), pe_protection(pe)),
    };
    let leftovers: Vec<String> =
        facts.leftovers.iter().map(|section| format!("{} ({} bytes)", section.name, section.bytes)).collect();
    let mut lines = vec![
        fact("format", format),
        fact("processor", facts.cpu.map_or("unknown to Node".to_owned(), |cpu| cpu.to_string())),
        fact("size", size(facts.size)),
        fact("libraries", list(&facts.libraries)),
    ];
    lines.extend(own);
    lines.extend([
        Line::Gap,
        fact("imports", counted(&facts.imports)),
        fact("exports", counted(&facts.exports)),
        fact("constructors", yes_or_no(facts.constructors)),
        fact("registers", registration(facts.registration)),
        Line::Gap,
    ]);
    lines.extend(protection);
    lines.extend([
        fact("writable code", list(&facts.writable_code)),
        fact("segments", list(&facts.segments.iter().map(segment).collect::<Vec<_>>())),
        Line::Gap,
        fact("leftovers", list(&leftovers)),
        fact("paths", list(&facts.paths)),
    ]);
    lines
}

fn elf_lines(elf: &ElfFacts) -> Vec<Line> {
    let needs = elf.version_needs.iter().map(|need| {
        let weak = if need.weak { ", weak" } else { "" };
        format!("{} of {}{weak}: {}", need.version, need.library, symbols(&need.symbols))
    });
    let mut lines = vec![
        fact("C library", elf.libc.map_or("none", |libc| libc.name())),
        fact("versions", or_none(needs.collect::<Vec<_>>().join("\n"))),
        fact("soname", or_none(elf.soname.clone().unwrap_or_default())),
    ];
    lines.extend(elf.node_api.map(|version| fact("Node-API", format!("declares version {version}"))));
    lines.push(fact("rpath", list(&elf.rpath)));
    lines.push(fact("runpath", list(&elf.runpath)));
    let StaticTls { flag, own, symbols: names, foreign, size } = &elf.static_tls;
    let is_static = *flag || *own > 0 || !foreign.is_empty();
    let tls = match size {
        0 if !is_static => "none".to_owned(),
        size if !is_static => format!("{size} bytes, dynamic"),
        size => format!(
            "{size} bytes; initial-exec: {own} relocations to the file's own variables ({}), and relocations to \
             variables of other libraries ({})",
            symbols(names),
            symbols(foreign)
        ),
    };
    lines.push(fact("thread-local", tls));
    lines
}

fn elf_protection(elf: &ElfFacts) -> Vec<Line> {
    vec![
        fact("RELRO", yes_or_no(elf.relro)),
        fact("bound at once", yes_or_no(elf.bind_now)),
        fact("bound to itself", yes_or_no(elf.symbolic)),
        fact("stays loaded", yes_or_no(elf.nodelete)),
        fact("text relocations", yes_or_no(elf.text_relocations)),
        fact("executable stack", yes_or_no(elf.executable_stack)),
    ]
}

fn macho_lines(macho: &MachOFacts) -> Vec<Line> {
    let optional: Vec<&str> = (macho.dylibs.iter())
        .filter(|dylib| dylib.kind != DylibKind::Required)
        .map(|dylib| dylib.path.as_str())
        .collect();
    let system = match macho.platform {
        Some(MacPlatform::MacOs) => "macOS".to_owned(),
        Some(MacPlatform::Other(number)) => format!("platform {number}"),
        None => "an unnamed system".to_owned(),
    };
    let oldest = macho.min_os.map_or("any release".to_owned(), |version| format!("{version} or later"));
    vec![
        fact("not required", list(&optional)),
        fact("made for", format!("{system}, {oldest}")),
        fact("install name", or_none(macho.install_name.clone().unwrap_or_default())),
        fact("rpaths", list(&macho.rpaths)),
    ]
}

fn macho_protection(macho: &MachOFacts) -> Vec<Line> {
    let signature = match &macho.signature {
        Signature::None => "none".to_owned(),
        Signature::Valid { adhoc: true } => "ad hoc, matches the file".to_owned(),
        Signature::Valid { adhoc: false } => "by a certificate, matches the file".to_owned(),
        Signature::Invalid { damage } => format!("does not match the file: {damage}"),
    };
    vec![
        fact("signature", signature),
        fact("two-level names", yes_or_no(macho.two_level)),
        fact("executable stack", yes_or_no(macho.executable_stack)),
    ]
}

fn pe_lines(pe: &PeFacts) -> Vec<Line> {
    let imports = pe.dlls.iter().map(|dll| {
        let delayed = if dll.delayed { ", delayed" } else { "" };
        format!("{}{delayed}: {}", dll.dll, symbols(&dll.symbols))
    });
    vec![
        fact("by library", or_none(imports.collect::<Vec<_>>().join("\n"))),
        fact("debug file", or_none(pe.pdb.clone().unwrap_or_default())),
    ]
}

fn pe_protection(pe: &PeFacts) -> Vec<Line> {
    vec![
        fact("any address", yes_or_no(pe.dynamic_base)),
        fact("above 4 GiB", yes_or_no(pe.high_entropy)),
        fact("data not executed", yes_or_no(pe.nx_compat)),
        fact("calls checked", yes_or_no(pe.guard_cf)),
    ]
}

/// Returns the lines with their values aligned in one column.
fn aligned(lines: &[Line], width: u16) -> String {
    let label_length = |line: &Line| match line {
        Line::Fact { label, .. } => label.len(),
        Line::Gap => 0,
    };
    let labels = lines.iter().map(label_length).max().unwrap_or_default();
    let indent = labels + 4;
    let mut text = String::new();
    for line in lines {
        match line {
            Line::Gap => text.push('\n'),
            Line::Fact { label, value } => {
                let lines = wrap(value, usize::from(usable(width)).saturating_sub(indent));
                text += &format!("  {label:labels$}  {}\n", lines.join(&format!("\n{:indent$}", "")));
            }
        }
    }
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        _ => format!("{}.{} MB ({bytes} bytes)", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn segment(segment: &LoadedSegment) -> String {
    let LoadedSegment { name, address, offset, align } = segment;
    let align = align.map_or_else(String::new, |align| format!(", aligned to {align:#x}"));
    format!("{name} at address {address:#x}, file offset {offset:#x}{align}")
}

fn registration(registration: Option<Registration>) -> String {
    let Some(Registration { abi, context_aware }) = registration else { return "no module".to_owned() };
    let contexts = if context_aware { "any number of contexts" } else { "one context" };
    format!("a module for ABI {abi} and {contexts}")
}

fn yes_or_no(fact: bool) -> &'static str {
    if fact { "yes" } else { "no" }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Returns the number of names, and the first of them.
fn counted(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("{}: {}", names.len(), symbols(names)) }
}

/// Returns the first names of a list, each cut to a readable length.
fn symbols(names: &[String]) -> String {
    list(&names.iter().map(|name| short_name(name)).collect::<Vec<_>>())
}

/// Returns the first names of a list, and the number of the other names.
fn list<T: AsRef<str>>(names: &[T]) -> String {
    let first = names.iter().take(MAX_FACT_NAMES).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_FACT_NAMES) {
        0 => or_none(first),
        more => format!("{first} and {more} more"),
    }
}
