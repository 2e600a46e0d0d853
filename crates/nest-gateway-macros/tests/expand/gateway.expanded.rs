pub struct ChatGateway {
    chat: Arc<ChatService>,
    seen: AtomicU64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Injectable for ChatGateway {
    fn dependencies() -> ::std::vec::Vec<::nest_gateway::__private::Dependency> {
        ::nest_gateway::__private::dependencies([
            <Arc<ChatService> as ::nest_gateway::__private::FromContainer>::dependency(),
        ])
    }
    #[allow(unused_variables)]
    async fn construct(
        __resolver: &::nest_gateway::__private::Resolver<'_>,
    ) -> ::core::result::Result<Self, ::nest_gateway::__private::BoxError> {
        ::core::result::Result::Ok(Self {
            chat: <Arc<ChatService> as ::nest_gateway::__private::FromContainer>::resolve(
                __resolver,
            )?,
            seen: <AtomicU64 as ::core::default::Default>::default(),
        })
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Provided for ChatGateway {
    fn provide(
        __module: ::nest_gateway::__private::ModuleDescriptor,
    ) -> ::nest_gateway::__private::ModuleDescriptor {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __tag = ::nest_gateway::__private::Tag::<Self>::new();
        let __provider = ::nest_gateway::__private::Provider::of::<Self>();
        let __provider = (&&__tag).on_module_init(__provider);
        let __provider = (&&__tag).on_shutdown(__provider);
        __module.gateway_provider(
            __provider,
            <ChatGateway as ::nest_gateway::__private::Gateway>::describe(),
        )
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Gateway for ChatGateway {
    fn describe() -> ::nest_gateway::__private::GatewayDescriptor {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __builder = ::nest_gateway::__private::GatewayBuilder::<Self>::new("/chat")
            .port(3001)
            .adapter("socketio")
            .enhancers(
                ::nest_gateway::__private::Enhancers::new()
                    .guard(::nest_gateway::__private::Enhancer::<
                        dyn ::nest_gateway::__private::DynGuard,
                    >::of::<WsJwtGuard>())
                    .guard(::nest_gateway::__private::Enhancer::<
                        dyn ::nest_gateway::__private::DynGuard,
                    >::value(ThrottleGuard::per_second(5))),
            )
            .metadata(Roles(&["user"]))
            .emits(
                <MessageSent as ::nest_gateway::__private::Event>::NAME,
                "MessageSent",
            );
        let __builder =
            <ChatGateway as ::nest_gateway::__private::Subscriptions>::subscribe(__builder);
        let __tag = ::nest_gateway::__private::Tag::<Self>::new();
        let __builder = (&&__tag).after_init(__builder);
        let __builder = (&&__tag).on_connection(__builder);
        let __builder = (&&__tag).on_disconnect(__builder);
        let __builder = (&&__tag).on_emit(__builder);
        __builder.build()
    }
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::EmittedBy<ChatGateway> for MessageSent {}
