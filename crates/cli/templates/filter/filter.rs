//! Decides what clients are told when something fails.

use nest_gateway::Caught;
use nest_gateway::prelude::*;

/// Catches every error: `#[use_filters({{ pascal }}Filter)]` on a gateway or a handler,
/// or `App::use_filter` for all of them. With another `Error` it catches only
/// errors of that type.
#[injectable]
pub struct {{ pascal }}Filter {}

impl ExceptionFilter for {{ pascal }}Filter {
    type Error = WsException;

    async fn catch(
        &self,
        error: &WsException,
        context: &ExecutionContext,
    ) -> Result<Caught, WsException> {
        eprintln!("{} failed: {}", context.event(), error.message());
        Ok(Caught::Unchanged)
    }
}
