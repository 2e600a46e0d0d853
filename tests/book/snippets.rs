//! The snippets that chapters include. They are tests of their own.

#[path = "../../docs/snippets/acks.rs"]
mod acks;
#[path = "../../docs/snippets/adapters.rs"]
mod adapters;
#[path = "../../docs/snippets/by_hand.rs"]
mod by_hand;
#[path = "../../docs/snippets/chat.rs"]
mod chat;
#[path = "../../docs/snippets/configuration.rs"]
mod configuration;
#[path = "../../docs/snippets/errors.rs"]
mod errors;
#[path = "../../docs/snippets/events.rs"]
mod events;
#[path = "../../docs/snippets/handlers.rs"]
mod handlers;
#[path = "../../docs/snippets/hosting.rs"]
mod hosting;
#[path = "../../docs/snippets/lifecycle.rs"]
mod lifecycle;
#[path = "../../docs/snippets/observability.rs"]
mod observability;
#[path = "../../docs/snippets/pipeline.rs"]
mod pipeline;
#[path = "../../docs/snippets/providers.rs"]
mod providers;
#[path = "../../docs/snippets/readme.rs"]
mod readme;
#[path = "../../docs/snippets/rooms.rs"]
mod rooms;
#[path = "../../docs/snippets/testing.rs"]
mod testing;
