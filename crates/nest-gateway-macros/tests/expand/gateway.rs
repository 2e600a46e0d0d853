#[websocket_gateway(namespace = "/chat", port = 3001, adapter = SocketIo, emits(MessageSent))]
#[use_guards(WsJwtGuard, ThrottleGuard::per_second(5))]
#[set_metadata(Roles(&["user"]))]
pub struct ChatGateway {
    chat: Arc<ChatService>,
    #[inject(default)]
    seen: AtomicU64,
}
