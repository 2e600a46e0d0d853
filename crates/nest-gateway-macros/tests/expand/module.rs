#[module(
    providers(ChatService, RedisStore as dyn Store, value(Config::default())),
    imports(AuthModule, MetricsModule::every(SECOND)),
    exports(ChatService),
    global
)]
pub struct ChatModule;
