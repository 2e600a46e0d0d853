struct ChatService {
    store: Arc<dyn Store>,
    history: usize,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Injectable for ChatService {
    fn dependencies() -> ::std::vec::Vec<::nest_gateway::__private::Dependency> {
        ::nest_gateway::__private::dependencies([
            <Arc<dyn Store> as ::nest_gateway::__private::FromContainer>::dependency(),
        ])
    }
    #[allow(unused_variables)]
    async fn construct(
        __resolver: &::nest_gateway::__private::Resolver<'_>,
    ) -> ::core::result::Result<Self, ::nest_gateway::__private::BoxError> {
        ::core::result::Result::Ok(Self {
            store: <Arc<dyn Store> as ::nest_gateway::__private::FromContainer>::resolve(
                __resolver,
            )?,
            history: 100,
        })
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Provided for ChatService {
    fn provide(
        __module: ::nest_gateway::__private::ModuleDescriptor,
    ) -> ::nest_gateway::__private::ModuleDescriptor {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __tag = ::nest_gateway::__private::Tag::<Self>::new();
        let __provider = ::nest_gateway::__private::Provider::of::<Self>();
        let __provider = (&&__tag).on_module_init(__provider);
        let __provider = (&&__tag).on_shutdown(__provider);
        __module.provide(__provider)
    }
}
impl RedisStore {
    async fn new(config: Arc<Config>) -> Result<Self, RedisError> {
        Self::connect(&config.url).await
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Injectable for RedisStore {
    fn dependencies() -> ::std::vec::Vec<::nest_gateway::__private::Dependency> {
        ::nest_gateway::__private::dependencies([
            <Arc<Config> as ::nest_gateway::__private::FromContainer>::dependency(),
        ])
    }
    #[allow(unused_variables)]
    async fn construct(
        __resolver: &::nest_gateway::__private::Resolver<'_>,
    ) -> ::core::result::Result<Self, ::nest_gateway::__private::BoxError> {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __new = Self::new(
            <Arc<Config> as ::nest_gateway::__private::FromContainer>::resolve(__resolver)?,
        )
        .await;
        ::core::result::Result::Ok((&&::nest_gateway::__private::Tag::of(&__new)).result(__new)?)
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Provided for RedisStore {
    fn provide(
        __module: ::nest_gateway::__private::ModuleDescriptor,
    ) -> ::nest_gateway::__private::ModuleDescriptor {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __tag = ::nest_gateway::__private::Tag::<Self>::new();
        let __provider = ::nest_gateway::__private::Provider::of::<Self>();
        let __provider = (&&__tag).on_module_init(__provider);
        let __provider = (&&__tag).on_shutdown(__provider);
        __module.provide(__provider)
    }
}
