use nest_gateway::{Config, SlowPolicy, SocketIo};

use crate::app::{Poll, TestApp};

/// An application with room for four messages of a client, which is in two namespaces and
/// does not poll.
async fn standing(policy: SlowPolicy) -> (TestApp, Poll) {
    let configure = |config: &mut Config| {
        config.outbox_messages = 4;
        config.slow_policy = policy;
    };
    let app = TestApp::with(SocketIo::new(), configure).await;
    let mut poll = Poll::open(&app).await;
    poll.post("40\u{1e}40/custom,").await;
    for joined in ["40{", "40/custom,{"] {
        assert!(poll.packet().await.starts_with(joined));
    }
    (app, poll)
}

fn emit(app: &TestApp, namespace: &str, count: usize) {
    let server = app.app.runtime().server(namespace).expect("it is served");
    for number in 1..=count {
        server.emit("n", &number);
    }
}

#[tokio::test]
async fn what_the_oldest_messages_were_for_is_told_in_each_namespace() {
    let (app, mut poll) = standing(SlowPolicy::DropOldest).await;
    emit(&app, "/", 1);
    emit(&app, "/custom", 3);
    emit(&app, "/", 3);
    for packet in [
        r#"42["gap",{"dropped":1}]"#,
        r#"42/custom,["gap",{"dropped":2}]"#,
        r#"42/custom,["n",3]"#,
        r#"42["n",1]"#,
        r#"42["n",2]"#,
        r#"42["n",3]"#,
    ] {
        assert_eq!(poll.packet().await, packet);
    }
}

#[tokio::test]
async fn a_namespace_that_lost_nothing_is_told_nothing() {
    let (app, mut poll) = standing(SlowPolicy::DropNewest).await;
    emit(&app, "/", 4);
    emit(&app, "/custom", 5);
    for packet in [
        r#"42["n",1]"#,
        r#"42["n",2]"#,
        r#"42["n",3]"#,
        r#"42["n",4]"#,
        r#"42/custom,["gap",{"dropped":5}]"#,
    ] {
        assert_eq!(poll.packet().await, packet);
    }
    poll.post(r#"42["echo",1]"#).await;
    assert_eq!(poll.packet().await, r#"42["echo",1]"#);
}
