#[derive(Event)]
#[event("message_sent")]
struct MessageSent {
    text: String,
}

#[derive(WsError)]
enum ChatError {
    #[ws_error(code = "not_found", status = 404)]
    NoRoom(String),
    #[ws_error(code = "muted", message = "{0} is muted")]
    Muted(String),
    #[ws_error(transparent)]
    Auth(AuthError),
    #[ws_error(internal)]
    Database(DbError),
}
