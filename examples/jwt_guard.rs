//! Who may connect, and who may do what: a JWT guard and a roles guard.
//!
//! ```sh
//! cargo run --example jwt_guard --features jwt
//! ```
//!
//! It prints two tokens and how to connect with them.
//! Without a valid token a WebSocket client gets 401 and a Socket.IO client
//! `connect_error`; with one, `whoami` works for both users and `publish` for
//! the editor alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nest_gateway::guards::JwtGuard;
use nest_gateway::guards::jsonwebtoken::{EncodingKey, Header, encode};
use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

/// In an application this comes from its configuration.
const SECRET: &[u8] = b"an example of a secret, 32 bytes or longer";

// ANCHOR: claims
/// What a token says about its bearer.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    sub: String,
    roles: Vec<String>,
    /// Seconds since 1970; checked by the guard.
    exp: u64,
}
// ANCHOR_END: claims

// ANCHOR: roles
/// Metadata of a handler: the roles that may call it.
struct Roles(&'static [&'static str]);

/// Lets through who has one of the roles that the handler names.
#[injectable]
struct RolesGuard {}

impl Guard for RolesGuard {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        let Some(Roles(allowed)) = context.metadata::<Roles>() else {
            return Ok(true);
        };
        let claims = context.client().data().get::<Claims>();
        let has = |role: &String| allowed.contains(&role.as_str());
        Ok(claims.is_some_and(|claims| claims.roles.iter().any(has)))
    }
}
// ANCHOR_END: roles

// ANCHOR: gateway
#[websocket_gateway(namespace = "/news")]
#[use_guards(JwtGuard::<Claims>::hs256(SECRET), RolesGuard)]
struct NewsGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl NewsGateway {
    #[subscribe_message("whoami")]
    async fn whoami(&self, user: Auth<Claims>) -> String {
        user.sub.clone()
    }

    #[subscribe_message("publish")]
    #[set_metadata(Roles(&["editor"]))]
    async fn publish(&self, user: Auth<Claims>, MessageBody(headline): MessageBody<String>) {
        self.server
            .emit("headline", &(user.sub.as_str(), headline.as_str()));
    }
}
// ANCHOR_END: gateway

#[module(providers(RolesGuard, NewsGateway))]
struct NewsModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<NewsModule>().listen(("127.0.0.1", port)).await?;
    println!("listening on {}", app.url());
    for (user, role) in [("ada", "editor"), ("grace", "reader")] {
        let token = token(user, role)?;
        println!("{user}: ws://{}/news?token={token}", app.local_addr());
    }
    app.until_signal().await;
    Ok(())
}

/// A token for an hour. Usually somebody else issues it.
fn token(user: &str, role: &str) -> Result<String, Box<dyn std::error::Error>> {
    let expires = SystemTime::now() + Duration::from_hours(1);
    let claims = Claims {
        sub: user.to_owned(),
        roles: vec![role.to_owned()],
        exp: expires.duration_since(UNIX_EPOCH)?.as_secs(),
    };
    let key = EncodingKey::from_secret(SECRET);
    Ok(encode(&Header::default(), &claims, &key)?)
}
