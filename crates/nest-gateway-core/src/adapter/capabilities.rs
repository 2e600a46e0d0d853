//! What an adapter can do.

/// Abilities of a transport that not every transport has. The conformance
/// suite skips, visibly, the properties that need what is not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent abilities"
)]
pub struct Capabilities {
    /// Messages can carry binary data.
    pub binary: bool,
    /// The client can ask for an answer to its message.
    pub requests: bool,
    /// The server can ask the client (`emit_with_ack`).
    pub questions: bool,
    /// The peer sees numeric close codes.
    pub close_codes: bool,
    /// One connection can hold clients of several namespaces.
    pub multiplexing: bool,
    /// A lost client can come back to its rooms and missed messages.
    pub recovery: bool,
    /// Messages of one client are handled in the order in which they came.
    pub ordered: bool,
    /// A client that sends too fast is slowed down by the transport.
    pub backpressure: bool,
}

impl Capabilities {
    /// Everything.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            binary: true,
            requests: true,
            questions: true,
            close_codes: true,
            multiplexing: true,
            recovery: true,
            ordered: true,
            backpressure: true,
        }
    }

    /// Only events in both directions.
    #[must_use]
    pub const fn events_only() -> Self {
        Self {
            binary: false,
            requests: false,
            questions: false,
            close_codes: false,
            multiplexing: false,
            recovery: false,
            ordered: true,
            backpressure: true,
        }
    }
}
