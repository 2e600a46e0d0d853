//! What must hold over a hundred thousand messages.

mod noise;
mod tokens;
