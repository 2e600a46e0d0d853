//! Tokens: calls to core's builders and traits, and nothing else.

mod documentation;
mod enhancers;
mod event;
mod gateway;
#[cfg(test)]
mod golden;
mod handler;
mod injectable;
mod misplaced;
mod module;
mod subscriptions;
mod ws_error;

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use self::event::event;
pub(crate) use self::gateway::gateway;
pub(crate) use self::injectable::injectable;
pub(crate) use self::misplaced::{beside, misplaced};
pub(crate) use self::module::module;
pub(crate) use self::subscriptions::subscriptions;
pub(crate) use self::ws_error::ws_error;

/// On every impl: nobody wrote it, so that lints about style have no reader.
fn generated() -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
    }
}
