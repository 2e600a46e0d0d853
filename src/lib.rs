//! Owns the examples and the cross-crate tests of nest-gateway.
