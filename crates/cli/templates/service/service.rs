//! What {{ words }} does, apart from any connection.

use nest_gateway::injectable;

/// A provider: gateways and other providers get it as a field
/// `Arc<{{ pascal }}Service>`, and its own fields are provided in the same way.
#[injectable]
pub struct {{ pascal }}Service {}
