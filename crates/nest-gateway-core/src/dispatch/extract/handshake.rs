//! What the client said when it connected.

use serde::de::DeserializeOwned;

use super::FromContext;
use crate::dispatch::context::ExecutionContext;
use crate::error::WsException;
use crate::handshake::Headers;
use crate::payload::{BodyError, Payload};
use crate::value::Value;

impl FromContext for Headers {
    /// The headers of the client's handshake.
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(context.client().handshake().headers().clone())
    }
}

/// The query of the client's handshake as a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromContext for Query<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        let query = context.client().handshake().query_string();
        serde_urlencoded::from_str(query)
            .map(Self)
            .map_err(|error| {
                WsException::new("Invalid query of the handshake")
                    .with_code("bad_request")
                    .with_source(error)
            })
    }
}

/// The parameters of the namespace's path (`/room/{id}`) as a type: a struct
/// with a field for each, or a plain value when there is just one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromContext for Path<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        let client = context.client();
        let mut params = client.path_params();
        // A single parameter may be taken without a struct around it.
        if let (Some((_, only)), None) = (params.next(), params.next())
            && let Ok(value) = plain(only)
        {
            return Ok(Self(value));
        }
        let pairs: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(client.path_params())
            .finish();
        serde_urlencoded::from_str(&pairs)
            .map(Self)
            .map_err(|error| {
                WsException::new("Invalid path of the namespace")
                    .with_code("bad_request")
                    .with_source(error)
            })
    }
}

/// A parameter as a plain value: a string, or a number where one is wanted.
fn plain<T: DeserializeOwned>(param: &str) -> Result<T, BodyError> {
    let text = Payload::from_value(Value::String(param.to_owned()));
    text.decode().or_else(|error| match param.parse() {
        Ok(number) => Payload::from_value(Value::Number(number)).decode(),
        Err(_) => Err(error),
    })
}
