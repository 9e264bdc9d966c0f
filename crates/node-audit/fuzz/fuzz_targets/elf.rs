#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| node_audit_fuzz::addon("elf", content));
