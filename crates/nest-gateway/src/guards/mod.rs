//! Guards that most applications need.

#[cfg(feature = "jwt")]
mod jwt;
mod throttle;

#[cfg(feature = "jwt")]
pub use self::jwt::{JwtGuard, jsonwebtoken};
pub use self::throttle::ThrottleGuard;
