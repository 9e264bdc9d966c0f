//! The segments of the addon fit the pages of every kernel of the platform.

use super::floors::LoadFloors;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Details, LoadedSegment};
use crate::finding::Severity;
use crate::platform::{Cpu, Libc, Os};
use crate::version::Version;

pub(super) const RULE: Rule = Rule {
    id: "page-size",
    asks: "each segment can be mapped on every page size of the platform",
    severity: Severity::Warning,
    stops_loading: true,
    explanation: "A loader maps segments in pages, so a segment's address and its offset in the file must be equal within a \
        page. Linux kernels for arm64 have pages of 4 KiB (most), 16 KiB (Raspberry Pi 5, Asahi) or 64 KiB (RHEL 8, some \
        clouds), those for ppc64 mostly 64 KiB, those for loong64 16 KiB, and Android 15 has devices with 16 KiB. On a \
        page that is too large, glibc refuses the file: ELF load command address/offset not properly aligned, or not \
        page-aligned from 2.35 on. musl maps the wrong content, and the addon crashes. glibc before 2.35 also refuses a \
        p_align that is no multiple of the page (ELF load command alignment not page-aligned). Pages of 4 KiB are the \
        smallest, so a segment that does not fit them is an error; larger pages are a warning. On macOS, pages have 16 KiB \
        on arm64 and 4 KiB on x64, and a segment that does not fit is an error: this follows Apple's documentation, and \
        no Mac has confirmed it.\n\
        Link with -Wl,-z,max-page-size=65536 (16384 for Android), the default of GNU ld and LLD for arm64. Of patched \
        files, build the original again: old versions of patchelf wrote segments for pages of 4 KiB.",
    check: Check::Addon(check),
};

/// The pages of all kernels for x64, and the smallest ones of others.
const SMALLEST: u64 = 4 << 10;

/// The first glibc that ignores p_align.
const IGNORES_ALIGN: Version = Version { major: 2, minor: 35, patch: 0 };

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let os = subject.claimed.map(|platform| platform.os);
    match &subject.facts.details {
        Details::Elf(elf) if matches!(os, None | Some(Os::Linux | Os::Android)) => {
            let is_android = os == Some(Os::Android) || elf.libc == Some(Libc::Bionic);
            elf_problem(subject, is_android).into_iter().collect()
        }
        Details::MachO(_) => macho_problem(subject).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn elf_problem(subject: &Subject<'_>, is_android: bool) -> Option<Problem> {
    let segments = &subject.facts.segments;
    let apart = |page: u64| segments.iter().find(|segment| !segment.address.abs_diff(segment.offset).is_multiple_of(page));
    // Only glibc before 2.35 and Android compare p_align; 0 means none.
    let old = subject.libc == Some(Libc::Glibc) && LoadFloors::of(subject).floors.glibc < IGNORES_ALIGN;
    let compares = is_android || old;
    let small = |page: u64| {
        let below = |segment: &&LoadedSegment| segment.align.is_some_and(|align| align != 0 && !align.is_multiple_of(page));
        segments.iter().filter(|_| compares).find(below)
    };
    let remedy = |page: u64| format!("link with -Wl,-z,max-page-size={page}, or without this flag if it names less");
    if let Some(segment) = apart(SMALLEST) {
        return Some(Problem {
            severity: Severity::Error,
            message: "a segment's address and its offset in the file differ within a page, and no loader can map it"
                .to_owned(),
            evidence: place(segment),
            remedy: remedy(SMALLEST),
        });
    }
    if let Some(segment) = small(SMALLEST) {
        let loader = if is_android { "Android" } else { "glibc before 2.35" };
        return Some(Problem {
            severity: Severity::Error,
            message: format!("a segment is aligned to less than a page, and {loader} refuses the addon"),
            evidence: place(segment),
            remedy: remedy(SMALLEST),
        });
    }
    let (page, systems) = match subject.facts.cpu? {
        Cpu::Arm64 | Cpu::X64 if is_android => (16 << 10, "Android devices"),
        Cpu::Arm64 => (64 << 10, "kernels"),
        Cpu::Ppc64 => (64 << 10, "kernels"),
        Cpu::Loong64 => (16 << 10, "kernels"),
        _ => return None,
    };
    let segment = apart(page).or_else(|| small(page))?;
    // Kernels with pages between the smallest and the largest exist for arm64 only.
    let middle = !is_android && (apart(16 << 10).is_some() || small(16 << 10).is_some());
    let sizes = match (page >> 10, middle) {
        (64, true) => "16 or 64 KiB, such as those of Raspberry Pi 5, Asahi and RHEL 8".to_owned(),
        (64, false) => "64 KiB, such as those of RHEL 8".to_owned(),
        (kib, _) => format!("{kib} KiB"),
    };
    let consequence = match subject.libc {
        Some(Libc::Musl) => "musl maps the wrong content, and the addon crashes",
        _ if is_android => "the loader refuses the addon",
        _ => "require() fails with \"ELF load command address/offset not properly aligned\" or its like",
    };
    Some(Problem {
        severity: Severity::Warning,
        message: format!("the addon does not load on {systems} with pages of {sizes}: {consequence}"),
        evidence: place(segment),
        remedy: remedy(page),
    })
}

fn macho_problem(subject: &Subject<'_>) -> Option<Problem> {
    let page: u64 = if subject.facts.cpu == Some(Cpu::Arm64) { 16 << 10 } else { SMALLEST };
    let fits = |segment: &&LoadedSegment| {
        segment.address.is_multiple_of(page) && segment.offset.is_multiple_of(page)
    };
    let segment = subject.facts.segments.iter().find(|segment| !fits(segment))?;
    Some(Problem {
        severity: Severity::Error,
        message: format!("a segment does not begin at a page of {} KiB, and macOS cannot map it", page >> 10),
        evidence: place(segment),
        remedy: format!("link with -Wl,-segalign,{page:x}, or without the flag that names less"),
    })
}

fn place(segment: &LoadedSegment) -> String {
    let LoadedSegment { name, address, offset, align } = segment;
    let align = align.map_or_else(String::new, |align| format!(", alignment {align:#x}"));
    format!("{name}: address {address:#x}, offset {offset:#x}{align}")
}
