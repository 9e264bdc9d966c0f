#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    strongroom_database_fuzz::wal(include_bytes!("../seeds/seed.db"), content);
});
