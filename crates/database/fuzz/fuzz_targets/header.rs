#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    strongroom_database_fuzz::header(include_bytes!("../seeds/seed.db"), content);
});
