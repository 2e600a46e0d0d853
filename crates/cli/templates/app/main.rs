//! The program: starts the application and waits for a signal to stop it.

use {{ library }}::AppModule;
use nest_gateway::App;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let mut app = App::new::<AppModule>();
    if cfg!(debug_assertions) {
        // At /asyncapi.json, from where `nest-gateway call` completes events.
        app = app.publish_contract(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    }
    let app = app.listen(("127.0.0.1", port)).await?;
    println!("listening on {} (Ctrl-C to stop)", app.url());
    app.until_signal().await;
    Ok(())
}
