//! The gateway at `{{ namespace }}`.

{% if stream %}
use futures_util::stream::{self, Stream};
{% endif %}
use nest_gateway::prelude::*;

{% if stream %}
use {{ dto }}::{Message, MessageSent, Prompt, SendMessage, Token};
{% else %}
use {{ dto }}::{Message, MessageSent, SendMessage};
{% endif %}

/// Handles what clients send to `{{ namespace }}`.
#[websocket_gateway(namespace = "{{ namespace }}", emits(Message))]
pub struct {{ pascal }}Gateway {
    server: ServerOf<Self>,
}

#[subscriptions]
impl {{ pascal }}Gateway {
    /// Passes a message on to every client, and tells the sender how many got it.
    #[subscribe_message("send_message")]
    async fn send_message(
        &self,
        MessageBody(message): MessageBody<SendMessage>,
    ) -> Result<MessageSent, WsException> {
        if message.text.trim().is_empty() {
            return Err(WsException::new("the text is empty").with_code("empty_text"));
        }
        let emitted = self.server.send(&Message { text: message.text });
        Ok(MessageSent {
            receivers: emitted.receivers(),
        })
    }
{% if stream %}

    /// Answers word by word, at the pace at which the client reads. The stream
    /// is dropped when the client cancels it or leaves.
    #[subscribe_message("prompt")]
    async fn prompt(
        &self,
        MessageBody(prompt): MessageBody<Prompt>,
    ) -> impl Stream<Item = Token> + use<> {
        let words: Vec<_> = prompt.text.split_whitespace().map(Token::from).collect();
        stream::iter(words)
    }
{% endif %}
}
