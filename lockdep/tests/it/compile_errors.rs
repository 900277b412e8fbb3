//! What the compiler says to wrong uses; each file has its message beside it.

#[test]
fn wrong_uses_are_told_in_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
