//! Interceptors that most applications need.

mod logging;
mod timeout;

pub use self::logging::LoggingInterceptor;
pub use self::timeout::TimeoutInterceptor;
