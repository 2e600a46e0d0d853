//! A plan as a unified diff, as `git diff` and `patch` know it.

use std::fmt::Write as _;

use similar::TextDiff;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Appends the difference of one file. `before` is `None` for a new one.
pub(super) fn write(out: &mut String, path: &str, before: Option<&str>, after: &str) {
    let old = before.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{path}"));
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after);
    let mut unified = diff.unified_diff();
    let unified = unified
        .context_radius(CONTEXT)
        .header(&old, &format!("b/{path}"))
        .to_string();
    // Writing to a string cannot fail.
    let _ = out.write_str(&unified);
    if !unified.ends_with('\n') {
        out.push('\n');
    }
}
