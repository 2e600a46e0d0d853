//! The project's chores: tests with their set-up, benchmarks, docs.

fn main() {}
