//! What the compiler says to wrong uses; each file has its message beside it. The uses in `pass` are
//! right.

#[test]
fn wrong_uses_are_told_in_words() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
