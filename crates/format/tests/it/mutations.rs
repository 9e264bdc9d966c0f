//! Mutated headers: each opens to one of the two original copies, or gives an error.
//!
//! Takes the place of a fuzzer, which the offline tests do not have. The numbers are the same in every run.

use strongroom_format::{Header, Unlocked};
use strongroom_keys::{Key, RecoveryCode};

use crate::document::{CODE, CODE_BYTES, Fields, Slot, with_checksum};

const SEED: u64 = 0x5374_726f_6e67_726f;
const COUNT: usize = 20_000;
const KEY: [u8; 32] = [0x41; 32];

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn mutated_headers_open_to_an_original_copy_or_give_an_error() {
    println!("seed {SEED:#x}");
    let code = RecoveryCode::parse(CODE).unwrap();
    let slots = [Slot::raw(0, KEY), Slot::passphrase(1, b"right"), Slot::recovery(2, &CODE_BYTES)];
    let fields = Fields::new(slots);
    let original = [fields.copy(), Fields { generation: 2, ..fields }.copy()];
    let keys = [Key::raw(&KEY).unwrap(), Key::recovery_code(&code), Key::passphrase(b"right").unwrap()];
    let mut numbers = Numbers(SEED);
    let [mut unreadable, mut refused] = [0, 0];
    let mut opened = [0, 0];
    for round in 0..COUNT {
        let bytes = mutate(original, &mut numbers);
        let _ = (Header::detect(&bytes), Header::is_interrupted_creation(&bytes));
        let Ok(header) = Header::read(&bytes) else {
            unreadable += 1;
            continue;
        };
        let key = &keys[numbers.below(if is_cheap(&bytes) { 3 } else { 2 })];
        match header.unlock(key) {
            Ok(unlocked) => {
                opened[index_of(&unlocked, &original, round)] += 1;
                assert_eq!(unlocked.slots().unwrap().len(), 3);
            }
            Err(_) => refused += 1,
        }
    }
    println!("{opened:?} opened, {unreadable} unreadable, {refused} refused");
    assert!(opened[0].min(opened[1]).min(unreadable).min(refused) > COUNT / 100);
}

fn index_of(unlocked: &Unlocked, original: &[[u8; 4096]; 2], round: usize) -> usize {
    let found = original.iter().position(|copy| copy == unlocked.copy_bytes());
    found.unwrap_or_else(|| panic!("round {round} opened a header that nobody wrote"))
}

/// Applies one to four mutations; in two of three cases, then corrects the checksums.
fn mutate(original: [[u8; 4096]; 2], numbers: &mut Numbers) -> Vec<u8> {
    let mut header = original;
    let bytes = header.as_flattened_mut();
    for _ in 0..=numbers.below(4) {
        // Half of the mutations hit the fields and the slots in use.
        let end = [832, 4096][numbers.below(2)];
        let at = numbers.below(end) + 4096 * numbers.below(2);
        let length = (1 + numbers.below(40)).min(bytes.len() - at);
        match numbers.below(6) {
            0 | 1 => bytes[at] ^= 1 << numbers.below(8),
            2 => bytes[at..at + length].fill_with(|| numbers.next() as u8),
            3 => bytes[at..at + length].fill([0, 0xff][numbers.below(2)]),
            4 => bytes.copy_within(at..at + length, numbers.below(8192 - length)),
            _ => bytes.swap(at, numbers.below(8192)),
        }
    }
    if numbers.below(3) > 0 {
        header = header.map(with_checksum);
    }
    if numbers.below(8) == 0 {
        header.swap(0, 1);
    }
    let length = if numbers.below(16) == 0 { numbers.below(8193) } else { 8192 };
    header.as_flattened()[..length].to_vec()
}

/// Returns whether no slot asks for more than 1 MiB within the limits: the test must not take minutes.
fn is_cheap(header: &[u8]) -> bool {
    let slots = header.chunks(4096).filter_map(|copy| copy.get(64..2112)).flat_map(|slots| slots.chunks(256));
    slots.into_iter().all(|slot| {
        let memory = u32::from_be_bytes(slot[4..8].try_into().unwrap());
        memory <= 1024 || memory > 1 << 20
    })
}
