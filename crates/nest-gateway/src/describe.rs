//! What an application says about itself when a tool asks.

use std::io::Write as _;

use nest_gateway_core::describe::Description;

/// Asks an application to describe itself instead of listening.
const VARIABLE: &str = "NEST_GATEWAY_DESCRIBE";

/// Whether a tool started this process to learn about it.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|value| value == "1")
}

/// Writes the description as one line and ends the process: whatever `main`
/// does after listening is not wanted.
pub(crate) fn print_and_exit(description: &Description) -> ! {
    let line = serde_json::to_string(description);
    let mut out = std::io::stdout().lock();
    let written = match line {
        Ok(line) => writeln!(out, "{line}").and_then(|()| out.flush()).is_ok(),
        Err(_) => false,
    };
    std::process::exit(i32::from(!written));
}
