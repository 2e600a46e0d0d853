//! Where the workspace and its built programs are.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the workspace")
}

/// A directory of its own for what is built in another way, beside the ordinary
/// builds.
pub(crate) fn target(name: &str) -> PathBuf {
    programs().with_file_name(name)
}

/// The directory of the programs that a debug build produces.
///
/// This program is one of them, so wherever cargo was told to put its output,
/// the others lie beside it.
pub(crate) fn programs() -> PathBuf {
    let this = std::env::current_exe().expect("a running program has a path");
    this.parent()
        .expect("a program lies in a directory")
        .to_owned()
}
