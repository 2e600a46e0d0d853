//! What is printed.

use std::io::{self, Write as _};

use crate::failure::{Failure, Outcome};

/// Prints to the standard output. That nobody reads it any more (`| head`) is
/// the end of the program, and no error of it.
pub(crate) fn print(text: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(format!("cannot print: {error}"))),
    }
}

/// Prints a line to the standard output.
pub(crate) fn line(text: &str) -> Outcome<()> {
    print(&format!("{text}\n"))
}

/// Prints a line to the standard error. When that is closed there is nobody to
/// tell.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
