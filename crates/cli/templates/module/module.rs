//! What belongs to {{ words }}.

use nest_gateway::module;

/// The module of {{ words }}.
#[module(providers())]
pub struct {{ pascal }}Module;
