//! Load generator and bench peers.

fn main() {}
