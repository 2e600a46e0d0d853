pub struct ChatModule;
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Module for ChatModule {
    fn describe() -> ::nest_gateway::__private::ModuleDescriptor {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __module = ::nest_gateway::__private::ModuleDescriptor::new("ChatModule")
            .import::<AuthModule>()
            .import_from(MetricsModule::every(SECOND));
        let __module = __module.list::<ChatService>();
        let __module = __module.list::<RedisStore>();
        let __module = __module.provide(::nest_gateway::__private::Provider::bind::<
            dyn Store,
            RedisStore,
        >(|__it| __it));
        let (__provider, __tag) = ::nest_gateway::__private::value(Config::default());
        let __provider = (&&__tag).on_module_init(__provider);
        let __provider = (&&__tag).on_shutdown(__provider);
        let __module = __module.provide(__provider);
        __module.export::<ChatService>().global()
    }
}
