fn f() {
    print("é // lockcheck: allow(double-lock)", a());
    g("//"); // lockcheck: allow(lock-order) one at a time
    let s = "
// lockcheck: allow(double-lock)
";
    /* // lockcheck: allow(double-lock) */ h(r#"""#, 'c', b"\"");
}
