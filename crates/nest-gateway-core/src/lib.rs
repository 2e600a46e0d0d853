//! Transport-agnostic core of nest-gateway: gateways, pipeline, sessions, rooms, dependency injection.
