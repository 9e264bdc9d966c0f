//! Prints what sealing and opening a page costs: `cargo run --release -p strongroom-format --example seal`.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use strongroom_format::{RESERVED_LENGTH, Unlocked, random_nonce};
use strongroom_keys::Key;

/// Pages per round.
const COUNT: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    for page_size in [1024, 4096, 65_536] {
        let mut sealer = Unlocked::create(&Key::generate()?, page_size)?.page_sealer()?;
        let length = page_size as usize - RESERVED_LENGTH;
        let (plain, mut sealed, mut opened) = (vec![7; length], vec![0; length], vec![0; length]);
        let (mut tag, nonce) = ([0; 16], random_nonce()?);
        let [mut sealing, mut opening, mut drawing] = [f64::MAX; 3];
        for _ in 0..7 {
            let start = Instant::now();
            for _ in 0..COUNT {
                // SAFETY: both buffers have the length.
                #[expect(unsafe_code, reason = "the engine passes SQLCipher's raw buffers")]
                unsafe {
                    sealer.seal(9, plain.as_ptr(), sealed.as_mut_ptr(), length, &nonce, &mut tag)?;
                };
            }
            sealing = sealing.min(per_page(start));
            let start = Instant::now();
            for _ in 0..COUNT {
                // SAFETY: both buffers have the length.
                #[expect(unsafe_code, reason = "the engine passes SQLCipher's raw buffers")]
                let is_authentic =
                    unsafe { sealer.open(9, sealed.as_ptr(), opened.as_mut_ptr(), length, &nonce, &tag)? };
                assert!(is_authentic);
            }
            opening = opening.min(per_page(start));
            assert_eq!(plain, opened);
            let start = Instant::now();
            for _ in 0..COUNT {
                black_box(random_nonce()?);
            }
            drawing = drawing.min(per_page(start));
        }
        println!("{page_size:>6}: seal {sealing:.0} ns, open {opening:.0} ns, nonce {drawing:.0} ns");
    }
    Ok(())
}

fn per_page(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / f64::from(COUNT)
}
