use nest_gateway::prelude::*;

struct Answer;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("plain")]
    async fn plain(&self) -> Answer {
        Answer
    }

    #[subscribe_message("result")]
    async fn result(&self) -> Result<Answer, WsException> {
        Ok(Answer)
    }

    #[subscribe_message("option")]
    fn option(&self) -> Option<Vec<Answer>> {
        None
    }

    #[subscribe_message("response")]
    fn response(&self) -> WsResponse<Answer> {
        WsResponse::new("other", Answer)
    }
}

fn main() {}
