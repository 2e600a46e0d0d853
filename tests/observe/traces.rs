//! What a subscriber of traces sees.

use std::io;
use std::sync::{Arc, Mutex};

use nest_gateway_testkit::{TestApp, assert_exception, assert_reply};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::ObservedModule;

/// What was written, line by line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn of_ended(&self, span: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let ended = |line: &&str| line.contains(span) && line.contains("close");
        text.lines().filter(ended).map(str::to_owned).collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_span_of_a_message_says_who_handled_it_and_how_it_ended() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _traced = tracing::subscriber::set_default(subscriber);

    let app = TestApp::new::<ObservedModule>().start().await;
    let mut client = app.client("/observed").connect().await;
    assert_reply!(client, "echo", 1 => 1);
    assert_exception!(client, "fail", 1 => {"message": "no"});
    client.close(1000, "").await;
    assert!(app.shut_down().await, "everybody has gone");

    let ended = lines.of_ended("ws.message");
    let [echo, fail] = &ended[..] else {
        panic!("{ended:#?}")
    };
    assert!(echo.contains(r#"event="echo""#), "{echo}");
    assert!(echo.contains(r#"handler="echo""#), "{echo}");
    assert!(echo.contains(r#"outcome="handled""#), "{echo}");
    assert!(fail.contains(r#"event="fail""#), "{fail}");
    assert!(fail.contains(r#"outcome="failed""#), "{fail}");
}
