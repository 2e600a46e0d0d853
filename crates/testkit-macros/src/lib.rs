//! Attribute macro of `nest-gateway-testkit`, which documents and re-exports
//! it.

mod gateway_test;

use proc_macro::TokenStream;

/// Makes a test of an async function, once for each wire.
///
/// The function takes the [`Wire`] and starts its application on it. The
/// argument says which wires: `adapters = all` (also without an argument), or a
/// list such as `adapters = [memory, native]`. `socketio` stands for three
/// tests: over WebSocket, over long polling, and from one to the other. Wires
/// that no feature of the test kit enables are left out.
///
/// ```text
/// #[gateway_test(adapters = all)]
/// async fn members_hear_each_other(wire: Wire) {
///     let app = TestApp::new::<ChatModule>().on(wire).start().await;
///     // ..
/// }
/// ```
///
/// The tests are named after the function and the wire
/// (`members_hear_each_other::native`). A function that returns a `Result`
/// fails with its error.
///
/// [`Wire`]: https://docs.rs/nest-gateway-testkit/latest/nest_gateway_testkit/enum.Wire.html
#[proc_macro_attribute]
pub fn gateway_test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    gateway_test::expand(arguments.into(), &item.into()).into()
}
