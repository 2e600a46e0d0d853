use nest_gateway::WsError;

#[derive(Debug, WsError)]
#[ws_error(code = "no_error")]
struct NoError;

fn main() {}
