//! The modules of the application. They are a library so that tests can use
//! them.

pub mod app_module;

pub use app_module::AppModule;
