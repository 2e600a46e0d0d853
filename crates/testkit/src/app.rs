//! A user's application under test, with its clients.

use std::net::SocketAddr;
use std::sync::Arc;

use nest_gateway::{
    App, AppBuilder, Config, Gateway, ListenError, Listening, Module, ModuleDescriptor, Provided,
    WebSocketServer,
};
use nest_gateway_core::gateway::{ModuleSource, Provider};
use nest_gateway_core::runtime::Runtime;

use crate::client::http::HttpResponse;
use crate::client::{ClientBuilder, Connector, http};
use crate::memory::Memory;

/// How a client reaches the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// In the same process, without a socket. The default: it is the fastest.
    #[default]
    Memory,
    /// The native adapter (feature `native`).
    #[cfg(feature = "native")]
    Native,
    /// The Socket.IO adapter (feature `socketio`).
    #[cfg(feature = "socketio")]
    SocketIo(crate::client::Transport),
}

/// An application that runs for a test, on a free port of the loopback.
///
/// Every adapter that a feature of this crate enables is mounted, and the one
/// in memory, so that clients of several wires can meet. [`TestApp::client`]
/// uses the wire that was chosen with [`TestAppBuilder::on`].
///
/// ```
/// use std::sync::Arc;
/// use nest_gateway::{ConnectedSocket, GatewayBuilder, Module, ModuleDescriptor, Provider, Reply};
/// use nest_gateway_testkit::{TestApp, assert_push, assert_reply};
///
/// struct Chat;
///
/// struct ChatModule;
/// impl Module for ChatModule {
///     fn describe() -> ModuleDescriptor {
///         let chat = GatewayBuilder::<Chat>::new("/chat").on(
///             "hello",
///             async |_: Arc<Chat>, client: ConnectedSocket| {
///                 client.emit("welcome", "to the chat");
///                 Reply::value("hello")
///             },
///         );
///         ModuleDescriptor::new("ChatModule").gateway_provider(Provider::value(Chat), chat.build())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() {
/// let app = TestApp::new::<ChatModule>().start().await;
/// let mut ada = app.client("/chat").connect().await;
/// assert_reply!(ada, "hello" => "hello");
/// assert_push!(ada, "welcome", "to the chat");
/// # }
/// ```
#[derive(Debug)]
pub struct TestApp {
    listening: Listening,
    memory: Memory,
    wire: Wire,
}

/// An application under test that is being put together.
#[must_use = "call `start`"]
pub struct TestAppBuilder {
    app: AppBuilder,
    wire: Wire,
}

impl TestApp {
    /// Begins an application of this root module.
    #[expect(clippy::new_ret_no_self, reason = "reads as `App::new` does")]
    pub fn new<M: Module>() -> TestAppBuilder {
        Self::from_module(ModuleSource::of::<M>())
    }

    /// Begins an application of one gateway alone, to test it without its
    /// module. What it depends on is given with [`TestAppBuilder::provide`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use nest_gateway::prelude::*;
    /// use nest_gateway_testkit::{TestApp, assert_reply};
    ///
    /// struct Clock(u64);
    ///
    /// #[websocket_gateway(namespace = "/clock")]
    /// struct ClockGateway {
    ///     clock: Arc<Clock>,
    /// }
    ///
    /// #[subscriptions]
    /// impl ClockGateway {
    ///     #[subscribe_message("now")]
    ///     async fn now(&self) -> u64 {
    ///         self.clock.0
    ///     }
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// let app = TestApp::of_gateway::<ClockGateway>().provide_value(Clock(7)).start().await;
    /// let mut client = app.client("/clock").connect().await;
    /// assert_reply!(client, "now" => 7);
    /// # }
    /// ```
    pub fn of_gateway<G: Gateway + Provided>() -> TestAppBuilder {
        Self::from_module(ModuleDescriptor::new("TestModule").list::<G>())
    }

    /// Begins an application of a module that was described by hand.
    pub fn from_module(module: impl Into<ModuleSource>) -> TestAppBuilder {
        TestAppBuilder {
            app: App::from_module(module),
            wire: Wire::default(),
        }
    }

    /// Describes a client of this namespace, on the chosen wire.
    pub fn client(&self, namespace: &str) -> ClientBuilder {
        self.client_on(self.wire, namespace)
    }

    /// Describes a client of this namespace on another wire.
    pub fn client_on(&self, wire: Wire, namespace: &str) -> ClientBuilder {
        ClientBuilder::new(self.connector(wire)).namespace(namespace)
    }

    /// What opens clients of a wire.
    pub fn connector(&self, wire: Wire) -> Arc<dyn Connector> {
        match wire {
            Wire::Memory => Arc::new(self.memory.connector()),
            #[cfg(feature = "native")]
            Wire::Native => Arc::new(crate::client::NativeConnector::new(self.addr())),
            #[cfg(feature = "socketio")]
            Wire::SocketIo(transport) => {
                let connector = crate::client::SocketIoConnector::new(self.addr());
                Arc::new(connector.transport(transport))
            }
        }
    }

    /// Where the application listens.
    pub fn addr(&self) -> SocketAddr {
        self.listening.local_addr()
    }

    /// A provider of the application; panics when there is none of this type.
    #[track_caller]
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Arc<T> {
        self.runtime()
            .get::<T>()
            .unwrap_or_else(|| panic!("the application provides no {}", std::any::type_name::<T>()))
    }

    /// The server of a namespace; panics when there is no such namespace.
    #[track_caller]
    pub fn server(&self, namespace: &str) -> WebSocketServer {
        self.runtime()
            .server(namespace)
            .unwrap_or_else(|| panic!("the application has no namespace {namespace}"))
    }

    /// Everything that runs.
    pub fn runtime(&self) -> &Arc<Runtime> {
        self.listening.runtime()
    }

    /// Sends a GET to one of the application's routes; panics without a
    /// response.
    #[track_caller]
    pub fn get_http(&self, path: &str) -> impl Future<Output = HttpResponse> + Send {
        let at = std::panic::Location::caller();
        let (addr, path) = (self.addr(), path.to_owned());
        async move {
            http::get(addr, &path)
                .await
                .unwrap_or_else(|error| panic!("GET {path} has no response: {error}\n  at {at}"))
        }
    }

    /// Shuts the application down as a signal would; whether every client had
    /// gone within the drain time.
    pub async fn shut_down(self) -> bool {
        self.listening.shut_down().await
    }
}

impl TestAppBuilder {
    /// The wire of the clients that [`TestApp::client`] describes.
    pub fn on(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Adds a provider, for what a gateway that is tested alone depends on.
    pub fn provide(self, provider: Provider) -> Self {
        self.customize(|app| app.provide(provider))
    }

    /// Adds a value.
    pub fn provide_value<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.provide(Provider::value(value))
    }

    /// Replaces a provider of the same type, wherever it is listed.
    pub fn override_provider(self, provider: Provider) -> Self {
        self.customize(|app| app.override_provider(provider))
    }

    /// Replaces a provider by a value.
    pub fn override_value<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.override_provider(Provider::value(value))
    }

    /// Changes limits, times and policies.
    pub fn configure(self, change: impl FnOnce(&mut Config)) -> Self {
        self.customize(|app| app.configure(change))
    }

    /// Does to the application what its `main` does: routes, global guards,
    /// further modules.
    pub fn customize(mut self, change: impl FnOnce(AppBuilder) -> AppBuilder) -> Self {
        self.app = change(self.app);
        self
    }

    /// Starts it; panics with what is wrong when it does not start.
    #[track_caller]
    pub fn start(self) -> impl Future<Output = TestApp> + Send {
        let at = std::panic::Location::caller();
        async move {
            match self.try_start().await {
                Ok(app) => app,
                Err(error) => panic!("the application does not start: {error}\n  at {at}"),
            }
        }
    }

    /// Starts it, or says what is wrong.
    pub async fn try_start(self) -> Result<TestApp, ListenError> {
        let memory = Memory::new();
        let app = self.app.adapter(memory.adapter());
        #[cfg(feature = "native")]
        let app = app.adapter(nest_gateway::Native::new());
        #[cfg(feature = "socketio")]
        let app = app.adapter(nest_gateway::SocketIo::new());
        Ok(TestApp {
            listening: app.listen("127.0.0.1:0").await?,
            memory,
            wire: self.wire,
        })
    }
}

/// Runs a test once for each wire.
///
/// The body gets the [`Wire`] under the given name. The wires are those that
/// the features of this crate enable; each makes a test of its own, so that a
/// failure names it.
///
/// ```
/// # use nest_gateway_testkit::{TestApp, for_each_wire};
/// # fn main() {}
/// # struct ChatModule;
/// # impl nest_gateway::Module for ChatModule {
/// #     fn describe() -> nest_gateway::ModuleDescriptor { nest_gateway::ModuleDescriptor::new("Chat") }
/// # }
/// for_each_wire! {
///     async fn members_hear_each_other(wire) {
///         let app = TestApp::new::<ChatModule>().on(wire).start().await;
///         let ada = app.client("/chat");
///         // ..
///         # drop(ada);
///     }
/// }
/// ```
#[macro_export]
macro_rules! for_each_wire {
    ($(
        $(#[$attribute:meta])*
        async fn $name:ident($wire:ident) $body:block
    )*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its module")]
            use super::*;

            async fn run($wire: $crate::Wire) $body

            #[::tokio::test]
            async fn memory() {
                run($crate::Wire::Memory).await;
            }

            $crate::__if_native! {
                #[::tokio::test]
                async fn native() {
                    run($crate::Wire::Native).await;
                }
            }

            $crate::__if_socketio! {
                #[::tokio::test]
                async fn socketio_websocket() {
                    run($crate::Wire::SocketIo($crate::client::Transport::WebSocket)).await;
                }

                #[::tokio::test]
                async fn socketio_polling() {
                    run($crate::Wire::SocketIo($crate::client::Transport::Polling)).await;
                }

                #[::tokio::test]
                async fn socketio_upgrade() {
                    run($crate::Wire::SocketIo($crate::client::Transport::Upgrade)).await;
                }
            }
        }
    )*};
}

macro_rules! if_feature {
    ($feature:literal, $name:ident, $dollar:tt) => {
        #[cfg(feature = $feature)]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $name {
                                    ($dollar($dollar body:tt)*) => { $dollar($dollar body)* };
                                }

        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $name {
            ($dollar($dollar body:tt)*) => {};
        }
    };
}
if_feature!("native", __if_native, $);
if_feature!("socketio", __if_socketio, $);
