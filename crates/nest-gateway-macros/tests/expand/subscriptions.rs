#[subscriptions]
impl ChatGateway {
    #[subscribe_message("send", concurrent)]
    #[use_guards(RolesGuard)]
    async fn send(
        &self,
        #[body("text")]
        #[use_pipes(Trim)]
        MessageBody(text): MessageBody<String>,
    ) -> Result<Ack, ChatError> {
        Ok(self.chat.send(text).await?)
    }

    fn helper(&self) {}
}
