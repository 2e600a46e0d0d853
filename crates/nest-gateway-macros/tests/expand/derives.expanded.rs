#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::nest_gateway::__private::Event for MessageSent {
    const NAME: &'static str = "message_sent";
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
impl ::core::convert::From<ChatError> for ::nest_gateway::__private::WsException {
    #[allow(unused_variables, non_snake_case, unreachable_code)]
    fn from(__error: ChatError) -> Self {
        match __error {
            ChatError::NoRoom { .. } => {
                let __exception = ::nest_gateway::__private::WsException::new(
                    ::nest_gateway::__private::message(&__error),
                );
                let __exception = __exception.with_code("not_found");
                let __exception = __exception.with_status(404);
                __exception.with_source(::nest_gateway::__private::source(__error))
            }
            ChatError::Muted {
                0: ref __field_0, ..
            } => {
                let __exception = ::nest_gateway::__private::WsException::new(::std::format!(
                    "{__field_0} is muted"
                ));
                let __exception = __exception.with_code("muted");
                __exception.with_source(::nest_gateway::__private::source(__error))
            }
            ChatError::Auth { 0: __inner } => ::core::convert::Into::into(__inner),
            ChatError::Database { .. } => ::nest_gateway::__private::WsException::internal(
                ::nest_gateway::__private::source(__error),
            ),
        }
    }
}
