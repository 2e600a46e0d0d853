//! The modules of the application. They are a library so that tests can use
//! them.

pub mod a_filter_b;
pub mod a_guard_b;
pub mod a_interceptor_b;
pub mod a_module_b;
pub mod a_service_b;
pub mod app_module;
pub mod flat_filter_b_filter;
pub mod flat_guard_b_guard;
pub mod flat_interceptor_b_interceptor;
pub mod flat_module_b_module;
pub mod flat_service_b_service;

pub use app_module::AppModule;
