use nest_gateway::WsError;

#[derive(Debug, thiserror::Error, WsError)]
enum ChatError {
    #[error("no room")]
    #[ws_error(code = "not_found")]
    NoRoom,
    #[error("database says {0}")]
    Database(String),
    #[error("x")]
    #[ws_error(internal, code = "x")]
    Both,
    #[error("y")]
    #[ws_error(transparent)]
    Nothing,
    #[error("z")]
    #[ws_error(kode = "z")]
    Typo,
}

fn main() {}
