//! The names that no handler can have. A test compares them with core's.

/// Names of the protocols.
pub(crate) const RESERVED: [&str; 9] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "exception",
    "gap",
    "newListener",
    "removeListener",
    "$cancel",
];

pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}
