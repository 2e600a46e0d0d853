//! Which property proves which line of CONTRACT.md.

/// One line of the contract.
#[derive(Clone, Copy, Debug)]
pub struct ContractLine {
    /// The section's number.
    pub section: u8,
    /// What it says, in short.
    pub line: &'static str,
    /// The properties that prove it.
    pub properties: &'static [&'static str],
}

/// The contract, as far as an adapter can break it.
pub const CONTRACT: &[ContractLine] = &[];
