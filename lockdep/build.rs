//! Asks the compiler which items its standard library has, of those that only some have.

#[expect(unreachable_pub, reason = "it is a module of the library as well")]
#[path = "src/std_items.rs"]
mod std_items;

use std_items::STD_ITEMS;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/std_items.rs");
    let names: Vec<String> = STD_ITEMS.iter().map(|item| format!("{:?}", item.name)).collect();
    println!("cargo::rustc-check-cfg=cfg(lockdep_std, values({}))", names.join(", "));
    let compiler = autocfg::new();
    for item in STD_ITEMS {
        // Clippy asks as well, and has opinions on the item.
        let probe = format!("#![allow(warnings, clippy::all)]\n{}", item.probe);
        if compiler.probe_raw(&probe).is_ok() {
            println!("cargo::rustc-cfg=lockdep_std={:?}", item.name);
        }
    }
}
