//! A client that sends nothing but nonsense.
#![cfg(target_os = "linux")]

use nest_gateway::{ConnectedSocket, module, subscriptions, websocket_gateway};
use nest_gateway_testkit::{TestApp, Wire};

const MESSAGES: usize = 100_000;
const BATCH: usize = 500;
/// What allocators and tables may still grow by.
const MAX_GROWTH_KIB: usize = 4096;

const NONSENSE: [&str; 10] = [
    "{",
    "nonsense",
    "[1,2,3]",
    "{\"data\":1}",
    "{\"event\":7}",
    "{\"event\":\"nobody\"}",
    "{\"event\":\"id\",\"id\":{}}",
    "{\"event\":\"__proto__\",\"data\":{\"__proto__\":{}}}",
    "{\"event\":\"nobody\",\"data\":\"\\ud800\"}",
    "{\"event\":\"nobody\",\"data\":1e999}",
];

#[websocket_gateway(namespace = "/noise")]
struct NoiseGateway {}

#[subscriptions]
impl NoiseGateway {
    #[subscribe_message("id")]
    async fn id(&self, client: ConnectedSocket) -> String {
        client.id().to_string()
    }
}

#[module(providers(NoiseGateway))]
struct NoiseModule;

#[tokio::test]
async fn memory_stays_flat_over_a_hundred_thousand_bad_messages() {
    let app = TestApp::new::<NoiseModule>()
        .on(Wire::Native)
        .configure(|config| config.max_malformed = u32::MAX)
        .start()
        .await;
    let mut noisy = app.client("/noise").connect().await;
    let mut other = app.client("/noise").connect().await;
    let mut settled = 0;
    for batch in 0..MESSAGES / BATCH {
        for i in 0..BATCH {
            noisy.send_raw_text(NONSENSE[i % NONSENSE.len()]).await;
        }
        for _ in 0..BATCH {
            noisy.expect_exception().await;
        }
        other.round_trip().await;
        if batch == MESSAGES / BATCH / 10 {
            settled = resident_kib();
        }
    }
    let growth = resident_kib().saturating_sub(settled);
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB more");
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process has a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    figure
        .and_then(|kib| kib.parse().ok())
        .expect("a figure in kB")
}
