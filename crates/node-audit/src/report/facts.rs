//! What was read, for people.

use super::wrap::{usable, wrap};
use crate::facts::{
    Details, DylibKind, ElfFacts, Facts, MacPlatform, MachOFacts, PeFacts, Signature, StaticTls,
};
use crate::rules::shortened;
use crate::source::Audited;

/// How many names of a long list are shown.
const SHOWN: usize = 12;

/// Facts by group: a label and its value; an empty label marks the end of a group.
type Rows = Vec<(&'static str, String)>;

/// What was read from each file, with no verdict, for a terminal of `width` columns.
#[must_use]
pub fn facts_text(files: &[Audited], width: u16) -> String {
    let mut text = String::new();
    for audited in files {
        let file = &audited.report.file;
        for facts in &audited.facts {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &format!("{file}\n{}", aligned(&rows(facts), width));
        }
    }
    text
}

fn rows(facts: &Facts) -> Rows {
    let order = if facts.little_endian { "little" } else { "big" };
    let Facts { bits, machine, kind, .. } = facts;
    let mut rows: Rows = vec![
        ("format", format!("{} {kind}, {bits} bit, {order}-endian, {machine}", facts.format())),
        ("processor", facts.cpu.map_or("none that Node knows".to_owned(), |cpu| cpu.to_string())),
        ("size", size(facts.size)),
    ];
    let (more, protection) = match &facts.details {
        Details::Elf(elf) => (elf_rows(elf), elf_protection(elf)),
        Details::MachO(macho) => (macho_rows(macho), macho_protection(macho)),
        Details::Pe(pe) => (pe_rows(pe), pe_protection(pe)),
    };
    rows.push(("libraries", list(&facts.libraries)));
    rows.extend(more);
    rows.push(("", String::new()));
    rows.push(("imports", counted(&facts.imports)));
    rows.push(("exports", counted(&facts.exports)));
    rows.push(("constructors", yes(facts.constructors)));
    rows.push(("", String::new()));
    rows.extend(protection);
    rows.push(("writable code", list(&facts.writable_code)));
    rows.push(("", String::new()));
    let leftovers: Vec<String> =
        facts.leftovers.iter().map(|section| format!("{} ({} bytes)", section.name, section.bytes)).collect();
    rows.push(("left in it", list(&leftovers)));
    rows.push(("paths", list(&facts.paths)));
    rows
}

fn elf_rows(elf: &ElfFacts) -> Rows {
    let needs = elf.version_needs.iter().map(|need| {
        let weak = if need.weak { ", weak" } else { "" };
        format!("{} of {}{weak}: {}", need.version, need.library, symbols(&need.symbols))
    });
    let mut rows: Rows = vec![
        ("C library", elf.libc.map_or("none".to_owned(), |libc| libc.to_string())),
        ("versions", none_or(needs.collect::<Vec<_>>().join("\n"))),
        ("soname", none_or(elf.soname.clone().unwrap_or_default())),
    ];
    rows.extend(elf.node_api.map(|version| ("Node-API", format!("declares version {version}"))));
    rows.push(("rpath", list(&elf.rpath)));
    rows.push(("runpath", list(&elf.runpath)));
    let StaticTls { flag, own, symbols: names, foreign, size } = &elf.static_tls;
    let tls = match (*flag || *own > 0 || !foreign.is_empty(), size) {
        (false, 0) => "none".to_owned(),
        (false, size) => format!("{size} bytes, dynamic"),
        (true, size) => format!(
            "{size} bytes; initial-exec: {own} relocations to its own ({}), of others {}",
            symbols(names),
            symbols(foreign)
        ),
    };
    rows.push(("thread-local", tls));
    rows
}

fn elf_protection(elf: &ElfFacts) -> Rows {
    vec![
        ("RELRO", yes(elf.relro)),
        ("bound at once", yes(elf.bind_now)),
        ("bound to itself", yes(elf.symbolic)),
        ("stays loaded", yes(elf.nodelete)),
        ("text relocations", yes(elf.text_relocations)),
        ("executable stack", yes(elf.executable_stack)),
    ]
}

fn macho_rows(macho: &MachOFacts) -> Rows {
    let optional: Vec<&str> = (macho.dylibs.iter())
        .filter(|dylib| dylib.kind != DylibKind::Required)
        .map(|dylib| dylib.path.as_str())
        .collect();
    let system = match macho.platform {
        Some(MacPlatform::MacOs) => "macOS".to_owned(),
        Some(MacPlatform::Other(number)) => format!("platform {number}"),
        None => "a system that it does not name".to_owned(),
    };
    let oldest = macho.min_os.map_or("any release".to_owned(), |version| format!("{version} or later"));
    vec![
        ("not required", list(&optional)),
        ("made for", format!("{system}, {oldest}")),
        ("install name", none_or(macho.install_name.clone().unwrap_or_default())),
        ("rpaths", list(&macho.rpaths)),
    ]
}

fn macho_protection(macho: &MachOFacts) -> Rows {
    let signature = match &macho.signature {
        Signature::None => "none".to_owned(),
        Signature::Valid { adhoc: true } => "ad hoc, and fits the file".to_owned(),
        Signature::Valid { adhoc: false } => "by a certificate, and fits the file".to_owned(),
        Signature::Invalid { damage } => format!("does not fit the file: {damage}"),
    };
    vec![
        ("signature", signature),
        ("two-level names", yes(macho.two_level)),
        ("executable stack", yes(macho.executable_stack)),
    ]
}

fn pe_rows(pe: &PeFacts) -> Rows {
    let imports = pe.dlls.iter().map(|dll| {
        let delayed = if dll.delayed { ", delayed" } else { "" };
        format!("{}{delayed}: {}", dll.dll, symbols(&dll.symbols))
    });
    vec![
        ("by library", none_or(imports.collect::<Vec<_>>().join("\n"))),
        ("debug file", none_or(pe.pdb.clone().unwrap_or_default())),
    ]
}

fn pe_protection(pe: &PeFacts) -> Rows {
    vec![
        ("any address", yes(pe.dynamic_base)),
        ("above 4 GiB", yes(pe.high_entropy)),
        ("data not executed", yes(pe.nx_compat)),
        ("calls checked", yes(pe.guard_cf)),
    ]
}

fn aligned(rows: &Rows, width: u16) -> String {
    let labels = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let indent = labels + 4;
    let mut text = String::new();
    for (label, value) in rows {
        if label.is_empty() {
            text.push('\n');
            continue;
        }
        let lines = wrap(value, usize::from(usable(width)).saturating_sub(indent));
        text += &format!("  {label:labels$}  {}\n", lines.join(&format!("\n{:indent$}", "")));
    }
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        _ => format!("{}.{} MB ({bytes} bytes)", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn yes(fact: bool) -> String {
    if fact { "yes" } else { "no" }.to_owned()
}

fn none_or(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

fn counted(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("{}: {}", names.len(), symbols(names)) }
}

/// As [`list`], with mangled C++ names cut short.
fn symbols(names: &[String]) -> String {
    list(&names.iter().map(|name| shortened(name)).collect::<Vec<_>>())
}

/// The first names of a list, and how many more there are.
fn list<T: AsRef<str>>(names: &[T]) -> String {
    let shown = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => none_or(shown),
        more => format!("{shown} and {more} more"),
    }
}
