//! The program as people use it.

mod call;
mod compiled;
mod contract;
mod generate;
mod help;
mod names;
mod new;
mod refusals;
mod server;
mod snapshot;
mod templates;
mod workspace;
