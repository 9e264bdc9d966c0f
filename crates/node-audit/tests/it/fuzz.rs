//! Runs the fuzz targets briefly, on their seeds and a few thousand mutations.

use std::path::PathBuf;

use crate::macho_binds::Binds;
use crate::macho_maker::{MachO, fat};
use crate::object_maker::Maker;
use crate::pe_maker::PeMaker;
use crate::tarball_maker::Tarball;

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "the file is the library of the fuzz crate, with public items and assertions"
)]
mod targets;

/// The number of mutations of each seed.
const ROUNDS: u64 = 400;

/// Returns the seeds of each target, by file name. The builders of the tests make the seeds, so that the seeds keep up with the
/// readers.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let addon = Maker::addon().make();
    let ia32 = Maker { machine: object::elf::EM_386, is_64: false, ..Maker::addon() };
    let tls = Maker { relocations: vec![(object::elf::R_X86_64_TPOFF64, "")], tls: 8, ..Maker::musl() };
    let undefined = Maker {
        imports: vec!["some_missing_function"],
        relocations: vec![(object::elf::R_X86_64_JUMP_SLOT, "some_missing_function")],
        ..Maker::musl()
    };
    let binds = || vec![(1, false, "_malloc"), (-2, true, "_uv_run"), (-1, false, "_missing")];
    let parts = [
        (object::macho::CPU_TYPE_X86_64, MachO::x64().make()),
        (object::macho::CPU_TYPE_ARM64, MachO::addon().make()),
    ];
    let manifest =
        r#"{"name": "x", "os": ["linux"], "cpu": ["x64"], "libc": "glibc", "engines": {"node": ">=18"}}"#;
    let package = || Tarball::package(manifest).file("package/x.linux-x64-gnu.node", &addon);
    let main = r#"{"name": "x", "version": "1.0.0", "napi": {"triples": {}}, "optionalDependencies": {"x-linux-x64-gnu":
        "1.0.0", "x-darwin-x64": "0.9.0"}, "exports": {"default": "./x.cjs"}, "scripts": {"install": "node get.js"}}"#;
    let loader =
        b"try { require('x-linux-x64-gnu') } catch { require(`./x.node`) }\n// NAPI-RS import('x-win32-x64')";
    let main = Tarball::package(main).file("package/x.cjs", loader).file("package/get.js", b"fetch(url)");
    let climbing = Tarball::package("{}").file("package/../../x.node", &addon);
    vec![
        ("elf", "gnu-x64", addon.clone()),
        ("elf", "musl-tls", tls.make()),
        ("elf", "ia32", ia32.make()),
        ("elf", "undefined", undefined.make()),
        ("macho", "arm64", MachO::addon().make()),
        ("macho", "x64", MachO::x64().make()),
        ("macho", "fat", fat(&parts, false)),
        ("macho", "opcodes", MachO { binds: Binds::Opcodes(binds(), binds()), ..MachO::addon() }.make()),
        ("macho", "fixups", MachO { binds: Binds::Fixups(1, binds()), ..MachO::addon() }.make()),
        ("macho", "fixups-64", MachO { binds: Binds::Fixups(3, binds()), ..MachO::addon() }.make()),
        ("pe", "x64", PeMaker::addon().make()),
        ("pe", "ia32", PeMaker::ia32().make()),
        ("tarball", "package.tgz", package().gz()),
        ("tarball", "package.tar", package().tar()),
        ("tarball", "main.tar", main.tar()),
        ("tarball", "climbing.tar", climbing.tar()),
    ]
}

fn run(target: &str, input: &[u8]) {
    match target {
        "tarball" => targets::tarball(input),
        format => targets::addon(format, input),
    }
}

/// `UPDATE=1 cargo test -p node-audit seeds` writes the seeds.
#[test]
fn the_seeds_match_the_builders() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("fuzz/seeds");
    let mut expected = Vec::new();
    for (target, name, content) in seeds() {
        let path = folder.join(target).join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(folder.join(target)).unwrap();
            std::fs::write(&path, &content).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == content, "{} differs; run with UPDATE=1", path.display());
        expected.push(path);
    }
    for target in ["elf", "macho", "pe", "tarball"] {
        for entry in std::fs::read_dir(folder.join(target)).unwrap() {
            assert!(expected.contains(&entry.unwrap().path()), "an unknown seed");
        }
        // The fuzzer may pass any input, even an empty one.
        run(target, b"");
    }
}

#[test]
fn mutated_seeds_fail_no_assertion() {
    let mut random = Random(0x5eed);
    for (target, _, seed) in seeds() {
        run(target, &seed);
        // The tarball target is slower: it writes each input to disk and reads the file back.
        let rounds = if target == "tarball" { ROUNDS / 4 } else { ROUNDS };
        for _ in 0..rounds {
            run(target, &random.mutate(&seed));
        }
    }
}

/// An xorshift64 generator with a fixed seed, so that each run makes the same mutations.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// Sets a few bytes, copies a part to another place, or cuts off the end.
    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        const TELLING: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(6) {
            let (at, length) = (self.below(bytes.len()), self.below(9));
            match self.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => {
                    let from = self.below(bytes.len());
                    let part = bytes[from..bytes.len().min(from + length)].to_vec();
                    let end = bytes.len().min(at + part.len());
                    bytes[at..end].copy_from_slice(&part[..end - at]);
                }
                _ => {
                    let value = TELLING[self.below(TELLING.len())];
                    let end = bytes.len().min(at + length);
                    bytes[at..end].fill(value);
                }
            }
        }
        bytes
    }
}
