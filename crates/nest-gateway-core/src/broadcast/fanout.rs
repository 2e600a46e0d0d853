//! The fan-out: one message, encoded once for each wire format, into the
//! outboxes of its receivers, or to the courier who brings it there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::emitter::Selection;
use super::hub::Hub;
use super::room::Room;
use super::round::Emit;
use super::rounds::{CROWD, Posted};
use crate::adapter::Format;
use crate::id::ClientId;
use crate::message::{Delivery, Encoded, Outgoing};
use crate::payload::EncodeError;
use crate::session::{Batch, Client};

/// Sends one message to everybody that the selection names; returns for how
/// many clients it was queued.
pub(crate) fn fan_out(
    hub: &Hub,
    selection: &Selection,
    message: Outgoing<'_>,
    delivery: Delivery,
) -> Result<usize, EncodeError> {
    Batch::release();
    let mut fan = FanOut {
        message,
        delivery,
        encodings: Vec::new(),
        beyond: None,
        last: 0,
        queued: 0,
        failure: None,
    };
    let in_one_room = selection.in_one_room(hub, |room| {
        let posted = post(hub, room, selection.sender(), message, delivery);
        if posted.is_none() {
            room.for_each(|client| {
                if selection.sender() != Some(client.id()) {
                    fan.deliver(client);
                }
            });
        }
        posted
    });
    match in_one_room {
        Some(Some(receivers)) => return Ok(receivers),
        Some(None) => {}
        None => selection.for_each(hub, |client| fan.deliver(client)),
    }
    // Here, where no lock is held any more.
    hub.sent(message, None, fan.queued);
    match fan.failure {
        Some(error) if fan.queued == 0 => Err(error),
        _ => Ok(fan.queued),
    }
}

/// Leaves a message for a crowd to the courier; returns how many clients it
/// brings it to. `None` where each receiver has to be looked at now.
fn post(
    hub: &Hub,
    room: &Room,
    sender: Option<ClientId>,
    message: Outgoing<'_>,
    delivery: Delivery,
) -> Option<usize> {
    room.with_members(|members| {
        if members.len() < CROWD || hub.is_observed() || !hub.rounds.are_walked() {
            return None;
        }
        // What a client's `on_connection` emits reaches this client at once, and others' emits do not.
        if Client::is_any_opening() {
            return None;
        }
        let encode = |place: &u32| members.at(*place).encode(message).ok().flatten();
        let emit = Emit {
            room: std::ptr::from_ref(room).addr(),
            members,
            left_out: sender.and_then(|id| members.place(id)),
            delivery,
            encodings: members.kinds()?.iter().map(encode).collect::<Option<_>>()?,
        };
        let receivers = hub.rounds.count(members, emit.left_out);
        match hub.rounds.post(emit) {
            Posted::Taken => Some(receivers),
            Posted::Full => {
                hub.stats.crowd_was_full();
                None
            }
            Posted::Untaken => None,
        }
    })
}

/// Sends one message to one client.
pub(crate) fn send_to(
    client: &Client,
    message: Outgoing<'_>,
    delivery: Delivery,
) -> Result<bool, EncodeError> {
    let sent = client.tell(message, delivery)?;
    client.hub().sent(message, Some(client), usize::from(sent));
    Ok(sent)
}

struct FanOut<'a> {
    message: Outgoing<'a>,
    delivery: Delivery,
    /// One entry for each wire format seen so far, and where bytes name their
    /// path for each path. There are rarely more than two, and most rooms have
    /// one, so the last hit is looked at first.
    encodings: Vec<Encoding>,
    /// Where those beyond the first [`FEW`] are: an emit to all paths of a
    /// pattern may meet as many paths as there are clients.
    beyond: Option<HashMap<Key, usize>>,
    last: usize,
    queued: usize,
    failure: Option<EncodeError>,
}

/// So many encodings are looked through one by one.
const FEW: usize = 4;

struct Encoding {
    format: Format,
    /// Set when the bytes name the path they are for.
    path: Option<Arc<str>>,
    bytes: Encoded,
}

impl Encoding {
    fn serves(&self, client: &Client, format: Format) -> bool {
        self.format == format
            && self
                .path
                .as_ref()
                .is_none_or(|path| **path == *client.path())
    }
}

impl FanOut<'_> {
    fn deliver(&mut self, client: &Client) {
        let index = self.encoding_for(client);
        if let Some(bytes) = &self.encodings[index].bytes
            && client.deliver(bytes.clone(), self.delivery)
        {
            self.queued += 1;
        }
    }

    fn encoding_for(&mut self, client: &Client) -> usize {
        let format = client.format();
        let known = |e: &Encoding| e.serves(client, format);
        if self.encodings.get(self.last).is_some_and(known) {
            return self.last;
        }
        let found = self.encodings.iter().take(FEW).position(known);
        self.last = match found.or_else(|| self.find_beyond(client)) {
            Some(index) => index,
            None => self.encode_for(client),
        };
        self.last
    }

    fn find_beyond(&self, client: &Client) -> Option<usize> {
        self.beyond.as_ref()?.get(&key(client)).copied()
    }

    fn encode_for(&mut self, client: &Client) -> usize {
        let bytes = match client.encode(self.message) {
            Ok(bytes) => bytes,
            Err(error) => {
                // The other formats may still be able to carry it.
                tracing::error!(%error, format = client.format().0, "message cannot be encoded");
                self.failure = Some(error);
                None
            }
        };
        let (format, path) = key(client);
        let index = self.encodings.len();
        if index >= FEW {
            let beyond = self.beyond.get_or_insert_default();
            beyond.insert((format, path.clone()), index);
        }
        self.encodings.push(Encoding {
            format,
            path,
            bytes,
        });
        index
    }
}

/// What the bytes for a client depend on: its format, and its path if they name it.
type Key = (Format, Option<Arc<str>>);

fn key(client: &Client) -> Key {
    let path = client.codec_names_path().then(|| client.shared_path());
    (client.format(), path)
}

/// The ids that were already visited, where a client can be met twice.
pub(crate) type Seen = HashSet<ClientId>;
