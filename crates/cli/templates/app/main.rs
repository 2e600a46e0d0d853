//! The program: starts the application and waits for a signal to stop it.

use {{ library }}::AppModule;
use nest_gateway::App;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let app = App::new::<AppModule>().listen(address).await?;
    println!("listening on {} (Ctrl-C to stop)", app.url());
    app.until_signal().await;
    Ok(())
}
