//! Native RFC 6455 adapter of nest-gateway.
