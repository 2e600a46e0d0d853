//! The root of the application.

use nest_gateway::module;

/// Everything that belongs to the application: it imports the other modules.
#[module(imports())]
pub struct AppModule;
