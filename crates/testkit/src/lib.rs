//! Test app, clients, assertions and conformance suite of nest-gateway.
