//! Checks that the segments of the addon fit the pages of every kernel of the platform.

use super::floors::LoadFloors;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{Details, LoadedSegment};
use crate::finding::Severity;
use crate::platform::{Cpu, Libc, Os};
use crate::version::Version;

pub(super) const RULE: Rule = Rule {
    id: "page-size",
    asks: "each segment can be mapped with every page size of the platform",
    severity: Severity::Warning,
    stops_loading: true,
    explanation: "A loader maps segments in pages, so a segment's address and its offset in the file must be congruent \
        modulo the page size. Linux kernels for arm64 have pages of 4 KiB (most), 16 KiB (Raspberry Pi 5, Asahi) or 64 \
        KiB (RHEL 8, some clouds). Most kernels for ppc64 have pages of 64 KiB, kernels for loong64 have 16 KiB, and \
        so do some devices with Android 15. If the page is too large, glibc refuses the file: ELF load command \
        address/offset not properly aligned, or not page-aligned since 2.35. musl checks nothing and maps the content \
        at the wrong address, so most addons crash. glibc before 2.35 also refuses a p_align that is not a multiple of \
        the page size (ELF load command alignment not page-aligned), or that does not agree with the address and the \
        offset. Later glibc and musl ignore p_align. These messages were seen with glibc 2.31 and 2.36 on pages of 4 \
        KiB. The smallest page size is 4 KiB, so a segment that does not fit such pages causes an error; a segment \
        that fits only small pages causes a warning. On macOS, pages are 16 KiB on arm64 and 4 KiB on x64. According \
        to Apple's documentation, a segment that does not fit is an error; the rule was not tested on a Mac.\n\
        Link with -Wl,-z,max-page-size=65536 (16384 for Android), the default of GNU ld and LLD for arm64. If patchelf \
        changed the file, build the original again: old versions of patchelf write segments for pages of 4 KiB.",
    check: Check::Loaded(check),
};

/// The page size of all kernels for x64, and the smallest page size on other processors.
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
    let segments = Segments {
        all: &subject.facts.segments,
        is_old: subject.libc == Some(Libc::Glibc) && LoadFloors::of(subject).floors.glibc < IGNORES_ALIGN,
        is_android,
    };
    let problem = |severity, message: String, segment: &LoadedSegment, page: u64| Problem {
        severity,
        message,
        evidence: place(segment),
        remedy: format!(
            "link with -Wl,-z,max-page-size={page}, or without this flag if its value is smaller"
        ),
    };
    if let Some(segment) = segments.apart(SMALLEST) {
        let musl = subject.libc == Some(Libc::Musl);
        let (severity, consequence) = if musl {
            (Severity::Warning, "musl maps the content at another address")
        } else {
            (Severity::Error, "the loader refuses the addon")
        };
        let message = format!(
            "a segment's address and its offset in the file are not congruent modulo the page size, and \
             {consequence}"
        );
        return Some(problem(severity, message, segment, SMALLEST));
    }
    if let Some(segment) = segments.refused(SMALLEST) {
        let loader = if is_android { "Android" } else { "glibc before 2.35" };
        let message = format!(
            "a segment's alignment (p_align) is not a multiple of the page size, or does not agree with the address \
             and the offset, and {loader} refuses the addon"
        );
        return Some(problem(Severity::Error, message, segment, SMALLEST));
    }
    let (page, systems) = match subject.facts.cpu? {
        Cpu::Arm64 | Cpu::X64 if is_android => (16 << 10, "Android devices"),
        Cpu::Arm64 | Cpu::Ppc64 => (64 << 10, "kernels"),
        Cpu::Loong64 => (16 << 10, "kernels"),
        _ => return None,
    };
    let unfit = |page: u64| segments.apart(page).or_else(|| segments.refused(page));
    let segment = unfit(page)?;
    let sizes = match (page >> 10, subject.facts.cpu) {
        (64, Some(Cpu::Arm64)) if unfit(16 << 10).is_some() => {
            "16 or 64 KiB pages, such as Raspberry Pi 5, Asahi and RHEL 8".to_owned()
        }
        (64, Some(Cpu::Arm64)) => "64 KiB pages, such as RHEL 8".to_owned(),
        (kib, _) => format!("{kib} KiB pages"),
    };
    let consequence = match subject.libc {
        Some(Libc::Musl) => "musl maps the content at another address",
        _ if is_android => "the loader refuses the addon",
        _ => {
            "require() fails with \"ELF load command address/offset not properly aligned\" or a similar message"
        }
    };
    let message = format!("the addon does not load on {systems} with {sizes}: {consequence}");
    Some(problem(Severity::Warning, message, segment, page))
}

/// The segments of an ELF file, as a loader checks them.
struct Segments<'a> {
    all: &'a [LoadedSegment],
    /// `true` if glibc before 2.35 may load the addon.
    is_old: bool,
    is_android: bool,
}

impl<'a> Segments<'a> {
    /// Returns a segment whose address and offset are not congruent modulo the page size.
    fn apart(&self, page: u64) -> Option<&'a LoadedSegment> {
        self.all.iter().find(|segment| !distance(segment).is_multiple_of(page))
    }

    /// Returns a segment that a loader refuses for its p_align. Only glibc before 2.35 and Android check this field.
    fn refused(&self, page: u64) -> Option<&'a LoadedSegment> {
        self.all.iter().find(|segment| {
            let align = segment.align.unwrap_or(page);
            let small = align != 0 && !align.is_multiple_of(page);
            // For glibc, an alignment of 0 requires that address and offset are equal.
            let apart = !distance(segment).is_multiple_of(align);
            (self.is_old && (small || apart)) || (self.is_android && small)
        })
    }
}

fn distance(segment: &LoadedSegment) -> u64 {
    segment.address.abs_diff(segment.offset)
}

fn macho_problem(subject: &Subject<'_>) -> Option<Problem> {
    let page: u64 = if subject.facts.cpu == Some(Cpu::Arm64) { 16 << 10 } else { SMALLEST };
    let fits = |segment: &&LoadedSegment| {
        segment.address.is_multiple_of(page) && segment.offset.is_multiple_of(page)
    };
    let segment = subject.facts.segments.iter().find(|segment| !fits(segment))?;
    Some(Problem {
        severity: Severity::Error,
        message: format!(
            "a segment does not begin at a {} KiB page boundary, and macOS cannot map it",
            page >> 10
        ),
        evidence: place(segment),
        remedy: format!("link with -Wl,-segalign,{page:x}, or without the flag that sets a smaller value"),
    })
}

fn place(segment: &LoadedSegment) -> String {
    let LoadedSegment { name, address, offset, align } = segment;
    let align = align.map_or_else(String::new, |align| format!(", alignment {align:#x}"));
    format!("{name}: address {address:#x}, offset {offset:#x}{align}")
}
