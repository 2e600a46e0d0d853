//! The items of a stream on their way to their client.

use super::answer::tell;
use super::context::ExecutionContext;
use super::reply::Emission;
use crate::adapter::ItemEncoder;
use crate::error::WsException;
use crate::id::RequestId;
use crate::message::Outgoing;
use crate::session::Batch;

/// Sends the items of one stream.
pub(super) struct Items<'a> {
    context: &'a ExecutionContext,
    request: Option<&'a RequestId>,
    /// How to encode the items of each event that came up; `None` where the
    /// codec has no short way, or somebody hears of each item.
    encoders: Vec<(Box<str>, Option<ItemEncoder>)>,
}

/// So many events have encoders of their own; the items of further ones go the
/// long way.
const MAX_ENCODERS: usize = 4;

impl<'a> Items<'a> {
    pub(super) fn new(context: &'a ExecutionContext, request: Option<&'a RequestId>) -> Self {
        Self {
            context,
            request,
            encoders: Vec::new(),
        }
    }

    /// Sends an item, at the end of the turn at the latest.
    pub(super) fn send(&mut self, item: &Emission, turn: &Batch) -> Result<(), WsException> {
        let context = self.context;
        let event = item.event.as_deref().unwrap_or(context.event());
        if let Some(json) = item.data.as_json()
            && let Some(encode) = self.encoder(event)
        {
            turn.hold(context.client(), encode, json);
            return Ok(());
        }
        tell(
            context,
            Outgoing::Item {
                event,
                request: self.request,
                data: Some(&item.data),
            },
        )
    }

    fn encoder(&mut self, event: &str) -> Option<&ItemEncoder> {
        let known = self.encoders.iter().position(|(name, _)| **name == *event);
        let index = known.or_else(|| self.prepare(event))?;
        self.encoders[index].1.as_ref()
    }

    fn prepare(&mut self, event: &str) -> Option<usize> {
        let index = self.encoders.len();
        if index == MAX_ENCODERS {
            return None;
        }
        let client = self.context.client();
        let encoder = if client.hub().is_observed() {
            None
        } else {
            client.item_encoder(event, self.request)
        };
        self.encoders.push((event.into(), encoder));
        Some(index)
    }
}
