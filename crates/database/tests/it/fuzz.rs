//! Runs the fuzz targets briefly, on their seeds and some mutations.

use std::path::PathBuf;
use std::{env, fs};

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "the file is the library of the fuzz crate, with public items and assertions"
)]
mod targets;

/// The number of mutations of each seed without `STRONGROOM_TEST_MUTATIONS`.
const MUTATIONS: u64 = 150;
/// The first state of the random numbers without `STRONGROOM_TEST_SEED`.
const SEED: u64 = 0x5eed;

fn folder() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("fuzz/seeds")
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// `UPDATE=1 cargo test -p strongroom-database fuzz::` writes the seeds.
#[test]
fn the_seeds_open() {
    let folder = folder();
    if env::var_os("UPDATE").is_some() {
        let seed = targets::seed();
        fs::write(folder.join("seed.db"), &seed.database).unwrap();
        fs::write(folder.join("header/whole"), &seed.database[..8_192]).unwrap();
        fs::write(folder.join("wal/commits"), &seed.wal).unwrap();
    }
    let [database, header, wal] =
        ["seed.db", "header/whole", "wal/commits"].map(|name| fs::read(folder.join(name)).unwrap());
    assert!(database.starts_with(&header));
    let states = targets::states();
    assert!(targets::read(&database, None).unwrap() == states[0]);
    assert!(targets::read(&database, Some(&wal)).unwrap() == *states.last().unwrap());
    // The repaired log of the target is the log: the function that repairs checksums is right.
    let mut repaired = wal.clone();
    assert!(targets::repair(&mut repaired) && repaired == wal);
    for input in [&b""[..], &wal, &header] {
        targets::header(&database, input);
        targets::wal(&database, input);
    }
}

#[test]
fn mutated_headers_and_logs_never_yield_wrong_data() {
    let (rounds, seed) =
        (number("STRONGROOM_TEST_MUTATIONS", MUTATIONS), number("STRONGROOM_TEST_SEED", SEED));
    println!("{rounds} mutations of each seed: STRONGROOM_TEST_SEED={seed}");
    let mut random = Random(seed);
    let database = fs::read(folder().join("seed.db")).unwrap();
    let (header, wal) = (database[..8_192].to_vec(), fs::read(folder().join("wal/commits")).unwrap());
    for _ in 0..rounds {
        targets::header(&database, &random.mutate(&header));
        targets::wal(&database, &random.mutate(&wal));
    }
}

/// An xorshift64 generator, so that each run with the same seed makes the same mutations.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// Sets a few bytes, copies a part to another place, or cuts off the end. Half of the places are those of fields.
    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        const TELLING: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        /// The length of a frame with a page of 1,024 bytes.
        const FRAME: usize = 1_048;
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let length = self.below(9);
            let at = match self.below(4) {
                0 => self.below(bytes.len().min(320)),
                1 => (32 + self.below(bytes.len() / FRAME) * FRAME + self.below(24)).min(bytes.len() - 1),
                _ => self.below(bytes.len()),
            };
            match self.below(8) {
                0 => bytes.truncate(at.max(1)),
                1 => {
                    // A whole frame, for a log.
                    let count = bytes.len().saturating_sub(32) / FRAME;
                    if count > 0 {
                        let (from, to) = (32 + self.below(count) * FRAME, 32 + self.below(count) * FRAME);
                        bytes.copy_within(from..from + FRAME, to);
                    }
                }
                2 => {
                    let from = self.below(bytes.len());
                    let end = bytes.len().min(from + length).min(from + bytes.len() - at);
                    bytes.copy_within(from..end, at);
                }
                3 => bytes[at] ^= 1 << self.below(8),
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
