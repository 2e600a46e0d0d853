//! The nest-gateway command line.

fn main() {}
