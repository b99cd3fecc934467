//! Prints the window's TypeScript types; `cargo xtask bindings` writes them to their place.

fn main() {
    print!("{}", reeldesk_core::typescript());
}
