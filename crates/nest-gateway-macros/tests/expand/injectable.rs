#[injectable]
struct ChatService {
    store: Arc<dyn Store>,
    #[inject(value = 100)]
    history: usize,
}

#[injectable]
impl RedisStore {
    async fn new(config: Arc<Config>) -> Result<Self, RedisError> {
        Self::connect(&config.url).await
    }
}
