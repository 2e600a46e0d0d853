//! Bodies that are checked before the handler sees them.
//!
//! ```sh
//! cargo run --example validation
//! ```
//!
//! The rules are garde's, and a body with rules is checked without being asked
//! to (feature `validate`). Send `{"event": "sign_up", "data": {"name": "",
//! "age": 7}, "id": 1}` to `ws://127.0.0.1:3000/accounts`: the answer names
//! both fields.

use garde::Validate;
use nest_gateway::prelude::*;
use nest_gateway::{BodyError, Payload, Value};
use serde::{Deserialize, Serialize};

// ANCHOR: body
#[derive(Deserialize, Validate)]
struct SignUp {
    #[garde(length(chars, min = 1, max = 20))]
    name: String,
    #[garde(range(min = 18))]
    age: u8,
}
// ANCHOR_END: body

#[derive(Serialize)]
struct Account {
    name: String,
    age: u8,
}

// ANCHOR: pipe
/// Takes the space off both ends of a text.
struct Trim;

impl Pipe for Trim {
    async fn transform(&self, body: Payload, _: &ExecutionContext) -> Result<Payload, WsException> {
        match body.to_value()? {
            Value::String(text) => Ok(Payload::from_value(Value::String(text.trim().to_owned()))),
            _ => Ok(body),
        }
    }
}
// ANCHOR_END: pipe

// ANCHOR: gateway
#[websocket_gateway(namespace = "/accounts")]
struct AccountsGateway {}

#[subscriptions]
impl AccountsGateway {
    /// The body is decoded, then checked; here it is already valid.
    #[subscribe_message("sign_up")]
    async fn sign_up(&self, MessageBody(form): MessageBody<SignUp>) -> Account {
        Account {
            name: form.name,
            age: form.age,
        }
    }

    /// One field of the body, through a pipe of its own.
    #[subscribe_message("is_free")]
    async fn is_free(
        &self,
        #[body("name")]
        #[use_pipes(Trim {})]
        MessageBody(name): MessageBody<String>,
    ) -> bool {
        name != "root"
    }

    /// `Result` as an argument: the handler decides what a bad body means.
    #[subscribe_message("check")]
    async fn check(&self, form: Result<MessageBody<SignUp>, WsException>) -> Vec<String> {
        match form {
            Ok(_) => Vec::new(),
            Err(error) => error
                .source_as::<BodyError>()
                .map(|error| vec![error.to_string()])
                .unwrap_or_default(),
        }
    }
}
// ANCHOR_END: gateway

#[module(providers(AccountsGateway))]
struct AccountsModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<AccountsModule>()
        .listen(("127.0.0.1", port))
        .await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}
