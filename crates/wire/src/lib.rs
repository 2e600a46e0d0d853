//! Server side of RFC 6455 for fan-out: protocol machine, outbox, flusher, accept loop.
