//! What the compiler says to the mistakes of newcomers.
//!
//! The expected texts are those of the toolchain that CI pins; after an update
//! run the test with `TRYBUILD=overwrite` and read the difference.

#[test]
fn mistakes_are_reported_with_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
