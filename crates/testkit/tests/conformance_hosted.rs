//! The properties hold wherever the port is: encrypted, and in somebody else's axum.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use nest_gateway::{AppBuilder, ListenError, Native};
use nest_gateway_testkit::adapter_conformance;
use nest_gateway_testkit::client::NativeConnector;
use nest_gateway_testkit::conformance::{Power, Served, Setup, Subject};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

fn native() -> Subject {
    let powers = [
        Power::Requests,
        Power::Backpressure,
        Power::Questions,
        Power::RepliesAsEvents,
        Power::Envelope,
        Power::TextIds,
        Power::BinaryMessages,
        Power::CloseCodes,
        Power::Headers,
        Power::RefusesByStatus,
        Power::TalksEarly,
        Power::HttpPaths,
        Power::Port,
        Power::WebSocket,
        Power::Heartbeat,
        Power::SlowReading,
        Power::Standing,
    ];
    let setup = |adapter: Native| Setup {
        mount: Box::new(|app| app.adapter(adapter)),
        connect: Box::new(|remote| Arc::new(NativeConnector::new(remote))),
    };
    Subject::new("native", powers, move || setup(Native::new()))
        .recovering(move |recovery| setup(Native::new().recovery(recovery)))
        .websocket_path("/")
}

#[cfg(feature = "socketio")]
fn socketio() -> Subject {
    use nest_gateway::SocketIo;
    use nest_gateway_testkit::client::SocketIoConnector;

    let powers = [
        Power::Requests,
        Power::Backpressure,
        Power::Questions,
        Power::RepliesAsAcks,
        Power::BinaryData,
        Power::Multiplexing,
        Power::Headers,
        Power::Port,
        Power::AuthPayload,
        Power::WebSocket,
        Power::Heartbeat,
        Power::SlowReading,
        Power::Standing,
    ];
    let setup = |adapter: SocketIo| Setup {
        mount: Box::new(|app| app.adapter(adapter)),
        connect: Box::new(|remote| Arc::new(SocketIoConnector::new(remote))),
    };
    Subject::new("socketio", powers, move || setup(SocketIo::new()))
        .recovering(move |recovery| setup(SocketIo::new().recovery(recovery)))
        .websocket_path("/socket.io/?EIO=4&transport=websocket")
}

/// A plain `axum::serve` with a route of its own, which tells clients' addresses.
fn in_axum(subject: Subject) -> Subject {
    let reason = "the accept loop and its limits are axum's";
    subject
        .hosted(serve_in_axum)
        .excused("a_request_head_that_is_too_large_is_431", reason)
}

async fn serve_in_axum(app: AppBuilder) -> Result<Served, ListenError> {
    let app = app.build().await?;
    let (runtime, handle) = (Arc::clone(app.runtime()), app.shutdown_handle());
    let host = Router::new()
        .route("/health", get(async || "well"))
        .merge(app.into_router())
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let server = tokio::spawn(axum::serve(listener, host).into_future());
    let server = AbortOnDropHandle::new(server);
    Ok(Served::elsewhere(addr, &runtime, || async move {
        let clean = handle.shut_down().await;
        drop(server);
        clean
    }))
}

/// The application's own port, with a certificate that its clients trust.
#[cfg(feature = "tls")]
mod encrypted {
    use std::sync::LazyLock;

    use nest_gateway::rustls::crypto::ring::default_provider;
    use nest_gateway::rustls::pki_types::PrivateKeyDer;
    use nest_gateway::rustls::{ClientConfig, RootCertStore, ServerConfig};

    use super::*;

    /// Made once: a key costs more than a handshake.
    static CONFIGS: LazyLock<(Arc<ServerConfig>, Arc<ClientConfig>)> = LazyLock::new(|| {
        let names = ["127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let certificate = certified.cert.der().clone();
        let key = certified.signing_key.serialize_der();
        let key = PrivateKeyDer::try_from(key).expect("a private key");
        let provider = Arc::new(default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has its suites")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("the key is the certificate's");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate to trust");
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has its suites")
            .with_root_certificates(roots)
            .with_no_client_auth();
        (Arc::new(server), Arc::new(client))
    });

    async fn serve(app: AppBuilder) -> Result<Served, ListenError> {
        let (server, client) = &*CONFIGS;
        let app = app.accept(|accept| accept.tls = Some(Arc::clone(server)));
        let listening = app.listen("127.0.0.1:0").await?;
        Ok(Served::from(listening).over_tls(Arc::clone(client)))
    }

    mod native {
        use super::*;

        adapter_conformance!(|| crate::native().hosted(serve));
    }

    #[cfg(feature = "socketio")]
    mod socketio {
        use super::*;

        adapter_conformance!(|| crate::socketio().hosted(serve));
    }
}

mod foreign_axum {
    use super::*;

    mod native {
        use super::*;

        adapter_conformance!(|| in_axum(crate::native()));
    }

    #[cfg(feature = "socketio")]
    mod socketio {
        use super::*;

        adapter_conformance!(|| in_axum(crate::socketio()));
    }
}
