#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nest_gateway_fuzz::receive(data));
