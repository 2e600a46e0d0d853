use std::time::Duration;

use nest_gateway::SocketIo;

use crate::app::TestApp;

const TWO: &str = r#"["echo",{"_placeholder":true,"num":0},{"a":[{"_placeholder":true,"num":1}]}]"#;

#[tokio::test]
async fn binaries_go_there_and_back_wherever_they_stand() {
    let app = TestApp::start().await;
    let mut wire = app.join().await;
    wire.packet(&format!("52-{TWO}")).await;
    wire.binary(&[1, 2, 3]).await;
    wire.binary(&[]).await;
    assert_eq!(wire.text().await, format!("452-{TWO}"));
    assert_eq!(wire.bytes().await, [1, 2, 3]);
    assert_eq!(wire.bytes().await, [0; 0]);
}

#[tokio::test]
async fn one_attachment_may_stand_in_two_places_or_in_none() {
    let app = TestApp::start().await;
    let mut wire = app.join().await;
    let twice = r#"51-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    wire.packet(twice).await;
    wire.binary(b"x").await;
    let echoed = r#"452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(wire.text().await, echoed);
    assert_eq!(
        (wire.bytes().await, wire.bytes().await),
        (b"x".to_vec(), b"x".to_vec())
    );

    wire.packet(r#"51-["echo",7]"#).await;
    wire.binary(b"unused").await;
    assert_eq!(wire.text().await, r#"42["echo",7]"#);
}

#[tokio::test]
async fn binary_acks_go_both_ways() {
    let app = TestApp::start().await;
    let mut wire = app.join().await;
    wire.packet(r#"51-4["ack",{"_placeholder":true,"num":0},1]"#)
        .await;
    wire.binary(b"abc").await;
    assert_eq!(
        wire.text().await,
        r#"461-4[{"_placeholder":true,"num":0},1]"#
    );
    assert_eq!(wire.bytes().await, b"abc");

    wire.packet(r#"2["ask"]"#).await;
    assert_eq!(wire.text().await, r#"420["question"]"#);
    wire.packet(r#"61-0[{"_placeholder":true,"num":0}]"#).await;
    wire.binary(b"answer").await;
    assert_eq!(
        wire.text().await,
        r#"451-["answer",{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(wire.bytes().await, b"answer");
}

#[tokio::test]
async fn attachments_that_do_not_come_in_time_end_the_connection() {
    let adapter = SocketIo::new().attachment_timeout(Duration::from_millis(50));
    let app = TestApp::with(adapter, |_| {}).await;
    let mut wire = app.join().await;
    wire.packet(&format!("52-{TWO}")).await;
    wire.binary(b"only one").await;
    assert_eq!(wire.closed().await.1, "parse error");
}

#[tokio::test]
async fn attachments_together_may_be_as_large_as_a_message() {
    let app = TestApp::with(SocketIo::new(), |config| config.max_message_bytes = 1000).await;
    let mut wire = app.join().await;
    for sizes in [[1000, 0], [400, 600]] {
        wire.packet(&format!("52-{TWO}")).await;
        for size in sizes {
            wire.binary(&vec![0; size]).await;
        }
        wire.text().await;
        for size in sizes {
            assert_eq!(wire.bytes().await.len(), size);
        }
    }
    wire.packet(&format!("52-{TWO}")).await;
    wire.binary(&[0; 500]).await;
    wire.binary(&[0; 501]).await;
    assert_eq!(
        wire.closed().await,
        (1009, "attachments too large".to_owned())
    );
}

#[tokio::test]
async fn the_number_of_attachments_is_an_option() {
    let app = TestApp::with(SocketIo::new().max_attachments(1), |_| {}).await;
    let mut wire = app.join().await;
    wire.packet(&format!("52-{TWO}")).await;
    assert_eq!(wire.closed().await.1, "parse error");
}
