//! The book: its snippets compile and do what it says, and its pages hold together.

mod pages;
#[allow(dead_code, reason = "a snippet shows more than its test needs")]
mod snippets;
mod tables;
