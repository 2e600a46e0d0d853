impl ChatGateway {
    #[allow(
        clippy::unused_self,
        clippy::unused_async,
        clippy::needless_pass_by_value
    )]
    async fn send(&self, MessageBody(text): MessageBody<String>) -> Result<Ack, ChatError> {
        Ok(self.chat.send(text).await?)
    }
    fn helper(&self) {}
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Subscriptions for ChatGateway {
    fn subscribe(
        __builder: ::nest_gateway::__private::GatewayBuilder<Self>,
    ) -> ::nest_gateway::__private::GatewayBuilder<Self> {
        #[allow(unused_imports)]
        use ::nest_gateway::__private::rungs::*;
        let __builder = __builder.message({
            let __pipes_0 =
                ::nest_gateway::__private::ArgumentPipes::new(
                    [::nest_gateway::__private::Enhancer::<
                        dyn ::nest_gateway::__private::DynPipe,
                    >::of::<Trim>()],
                );
            let __pipes_0_shared = ::core::clone::Clone::clone(&__pipes_0);
            let __message = ::nest_gateway::__private::Message::<Self>::event(
                "send",
                "send",
                move |__gateway, __context| {
                    let __pipes_0 = ::core::clone::Clone::clone(&__pipes_0);
                    ::std::boxed::Box::pin(async move {
                        let __argument_0 = {
                            let __body = {
                                let __body = __context.data().field("text");
                                let __body = __pipes_0.transform(__body, __context).await?;
                                ::core::option::Option::Some(__body)
                            };
                            let __argument = ::nest_gateway::__private::within(
                                "text",
                                (&&&::nest_gateway::__private::Tag::<MessageBody<String>>::new())
                                    .extract(
                                        __context,
                                        __body,
                                        ::core::convert::identity(
                                            ::nest_gateway::__private::Tag::new(),
                                        ),
                                    )
                                    .await,
                            )?;
                            ::nest_gateway::__private::within(
                                "text",
                                (&&::nest_gateway::__private::Tag::of(&__argument))
                                    .checked(__argument),
                            )?
                        };
                        let __out = Self::send(&**__gateway, __argument_0).await;
                        let __out =
                            match (&&::nest_gateway::__private::Tag::of(&__out)).result(__out) {
                                ::core::result::Result::Ok(__value) => __value,
                                ::core::result::Result::Err(__error) => {
                                    return ::core::result::Result::Err(
                                        (&&&::nest_gateway::__private::Tag::of(&__error))
                                            .exception(::core::convert::identity(__error)),
                                    );
                                }
                            };
                        let __out =
                            match (&&::nest_gateway::__private::Tag::of(&__out)).option(__out) {
                                ::core::option::Option::Some(__out) => __out,
                                ::core::option::Option::None => {
                                    return ::core::result::Result::Ok(
                                        ::nest_gateway::__private::Reply::None,
                                    );
                                }
                            };
                        let __out =
                            match (&&::nest_gateway::__private::Tag::of(&__out)).result(__out) {
                                ::core::result::Result::Ok(__value) => __value,
                                ::core::result::Result::Err(__error) => {
                                    return ::core::result::Result::Err(
                                        (&&&::nest_gateway::__private::Tag::of(&__error))
                                            .exception(::core::convert::identity(__error)),
                                    );
                                }
                            };
                        (&&&::nest_gateway::__private::Tag::of(&__out)).reply(
                            ::core::convert::identity(__out),
                            |__item| {
                                let __item = match (&&::nest_gateway::__private::Tag::of(&__item))
                                    .result(__item)
                                {
                                    ::core::result::Result::Ok(__value) => __value,
                                    ::core::result::Result::Err(__error) => {
                                        return ::core::result::Result::Err(
                                            (&&&::nest_gateway::__private::Tag::of(&__error))
                                                .exception(::core::convert::identity(__error)),
                                        );
                                    }
                                };
                                (&&::nest_gateway::__private::Tag::of(&__item))
                                    .emission(::core::convert::identity(__item))
                            },
                        )
                    })
                },
            );
            let __message = __pipes_0_shared.needs(__message);
            let __message = __message.concurrent();
            let __message = __message.enhancers(
                ::nest_gateway::__private::Enhancers::new()
                    .guard(::nest_gateway::__private::Enhancer::<
                    dyn ::nest_gateway::__private::DynGuard,
                >::of::<RolesGuard>()),
            );
            let __message =
                (&&&::nest_gateway::__private::Tag::<MessageBody<String>>::new()).needs(__message);
            __message.types(
                ::core::option::Option::Some("{ text: String }"),
                ::core::option::Option::Some("Result<Ack, ChatError>"),
            )
        });
        __builder
    }
}
const _: () = {
    ::nest_gateway::__private::is_gateway::<ChatGateway>();
};
const _: () = ::core::assert!(
    <MessageBody<String> as ::nest_gateway::__private::FromMessage>::READS_BODY,
    "`#[body(..)]` and `#[use_pipes(..)]` are for arguments that are taken out of \
                     the body, such as `MessageBody<..>`",
);
