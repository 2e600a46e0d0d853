//! Texts that are compared with committed files.

use std::fs;
use std::path::Path;

/// Compares a text with `tests/snapshots/<name>`. With `UPDATE_SNAPSHOTS=1` the
/// file is written instead, so that the change shows in review.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        return fs::write(path, text).expect("the snapshots can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed == text {
        return;
    }
    let line = committed
        .lines()
        .zip(text.lines())
        .position(|(before, now)| before != now);
    let at = line.unwrap_or_else(|| committed.lines().count().min(text.lines().count()));
    panic!(
        "{name} differs from line {} on (UPDATE_SNAPSHOTS=1 accepts it)\n  committed: {:?}\n  now:       {:?}",
        at + 1,
        committed.lines().nth(at),
        text.lines().nth(at),
    );
}
