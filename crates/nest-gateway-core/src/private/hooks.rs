//! The ladders that find hooks: a type has one exactly if it implements its
//! trait.

use std::sync::Arc;

use super::Tag;
use crate::gateway::{
    GatewayBuilder, OnGatewayConnection, OnGatewayDisconnect, OnGatewayEmit, OnGatewayInit,
    OnModuleInit, OnShutdown, Provider,
};

/// Two rungs: with the hook, and without it.
macro_rules! hook {
    ($with:ident, $without:ident: $hook:ident => $method:ident($subject:ty) $attach:expr) => {
        #[doc = concat!("A type with [`", stringify!($hook), "`].")]
        pub trait $with<T> {
            /// Attaches the hook.
            fn $method(&self, subject: $subject) -> $subject;
        }

        impl<T: $hook> $with<T> for &Tag<T> {
            fn $method(&self, subject: $subject) -> $subject {
                let attach: fn($subject) -> $subject = $attach;
                attach(subject)
            }
        }

        #[doc = concat!("A type without [`", stringify!($hook), "`].")]
        pub trait $without<T> {
            /// Attaches nothing.
            fn $method(&self, subject: $subject) -> $subject;
        }

        impl<T: Send + Sync + 'static> $without<T> for Tag<T> {
            fn $method(&self, subject: $subject) -> $subject {
                subject
            }
        }
    };
}

hook!(AfterInitRung, NoAfterInitRung: OnGatewayInit =>
    after_init(GatewayBuilder<T>) GatewayBuilder::after_init);
hook!(ConnectionRung, NoConnectionRung: OnGatewayConnection =>
    on_connection(GatewayBuilder<T>) GatewayBuilder::on_connection);
hook!(DisconnectRung, NoDisconnectRung: OnGatewayDisconnect =>
    on_disconnect(GatewayBuilder<T>) GatewayBuilder::on_disconnect);
hook!(EmitRung, NoEmitRung: OnGatewayEmit =>
    on_emit(GatewayBuilder<T>) GatewayBuilder::on_emit);
hook!(ModuleInitRung, NoModuleInitRung: OnModuleInit =>
    on_module_init(Provider)
    |provider| provider.on_init(|it: Arc<T>| async move { it.on_module_init().await }));
hook!(ShutdownRung, NoShutdownRung: OnShutdown =>
    on_shutdown(Provider)
    |provider| provider.on_shutdown(|it: Arc<T>| async move { it.on_shutdown().await }));
