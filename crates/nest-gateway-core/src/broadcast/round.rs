//! One round: messages for the members of a room, and who has got them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::members::Members;
use super::room::Member;
use crate::adapter::Burst;
use crate::message::Delivery;

/// Who can be visited on a round: a client, or what stands for one in a model.
pub(crate) trait Receiver: Member {
    /// Looks at what [`Receiver::take`] will need.
    fn look_ahead(&self);

    /// Writes or queues messages, or does whatever else becomes of them.
    fn take(&self, burst: Burst<'_>);
}

/// One message for the members of a room, as they are at this moment.
pub(crate) struct Emit<'a, M> {
    pub(super) members: &'a Arc<Members<M>>,
    /// The place of the one that does not get it.
    pub(super) left_out: Option<u32>,
    pub(super) delivery: Delivery,
    /// One for each of [`Members::kinds`].
    pub(super) encodings: Vec<Bytes>,
}

impl<M> Emit<'_, M> {
    pub(super) fn bytes(&self) -> usize {
        self.encodings.iter().map(Bytes::len).sum()
    }
}

/// Messages on their way around the members of a room, who stand in a circle.
///
/// A message comes aboard where the round is, and has been with everybody when
/// it is there again. Who is visited gets all messages that are aboard; so each
/// member gets them in their order, and the next message does not have to wait
/// until the former one has been everywhere.
pub(super) struct Round<M> {
    members: Arc<Members<M>>,
    delivery: Delivery,
    /// The messages aboard, oldest first.
    aboard: VecDeque<Aboard>,
    /// What they are for each kind of members.
    lanes: Vec<Lane>,
    /// How many messages were aboard and are not any more.
    gone: u64,
    /// The member to be visited next.
    at: u32,
    /// The visits so far, and one for each member before the first of them, so
    /// that each member has a last one.
    visits: u64,
    /// Members that got messages out of turn: before their visit, up to the one
    /// of this number.
    served: HashMap<u32, u64>,
}

/// A message on its way.
struct Aboard {
    /// The visits before it came.
    since: u64,
    left_out: Option<u32>,
}

/// What the members of one kind get.
#[derive(Default)]
struct Lane {
    /// As many as there are aboard.
    messages: Vec<Bytes>,
    bytes: usize,
    /// All messages in one piece, while they may be written at once.
    whole: Option<Bytes>,
}

/// How many members are written to in one step, each of which takes
/// microseconds in the kernel.
const WRITTEN: u32 = 8;

/// How many are queued to in one step.
const QUEUED: u32 = 64;

/// More bytes than this are not copied into one piece: where messages are as
/// large, a system call for each is the smaller part of the work.
const MAX_COPIED_BYTES: usize = 64 * 1024;

impl<M: Receiver> Round<M> {
    pub(super) fn new(emit: Emit<'_, M>) -> Self {
        let mut round = Self {
            members: Arc::clone(emit.members),
            delivery: emit.delivery,
            aboard: VecDeque::new(),
            lanes: emit.encodings.iter().map(|_| Lane::default()).collect(),
            gone: 0,
            at: 0,
            visits: u64::from(emit.members.count()),
            served: HashMap::new(),
        };
        round.add(emit);
        round
    }

    /// Whether the message goes to the same members in the same way.
    pub(super) fn takes(&self, emit: &Emit<'_, M>) -> bool {
        Arc::ptr_eq(&self.members, emit.members) && self.delivery == emit.delivery
    }

    pub(super) fn add(&mut self, emit: Emit<'_, M>) {
        self.aboard.push_back(Aboard {
            since: self.visits,
            left_out: emit.left_out,
        });
        for (lane, message) in self.lanes.iter_mut().zip(emit.encodings) {
            lane.add(message);
        }
    }

    /// Visits a few members; returns how many. `due` says that they may be
    /// written to, since nothing else comes after this round.
    pub(super) fn go_on(&mut self, due: bool) -> u32 {
        for lane in &mut self.lanes {
            lane.make_whole(due);
        }
        let first = self.at;
        let end = first + self.step(if due { WRITTEN } else { QUEUED });
        for place in first..end {
            self.members.at(place).look_ahead();
        }
        for place in first..end {
            self.visit(place);
        }
        self.at = if end == self.members.count() { 0 } else { end };
        self.visits += u64::from(end - first);
        self.put_off();
        end - first
    }

    pub(super) fn is_over(&self) -> bool {
        self.aboard.is_empty()
    }

    /// Lets a member have its messages before others, if it gets any and has
    /// not got them.
    pub(super) fn serve(&mut self, member: &M) {
        let Some(place) = self.members.place(member.id()) else {
            return;
        };
        let last_visit = self.last_visit(place);
        let visited = self.aboard.partition_point(|m| m.since <= last_visit);
        let from = visited.max(self.served_before(place));
        if from < self.aboard.len() {
            self.give(place, from, false);
            self.served
                .insert(place, self.gone + self.aboard.len() as u64);
        }
    }

    pub(super) fn messages(&self) -> usize {
        self.aboard.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.bytes).sum()
    }

    /// So many visits that none of them brings a message back to where it came
    /// aboard, or to the end of the list, but the last.
    fn step(&self, most: u32) -> u32 {
        let count = self.members.count();
        let oldest = self.aboard.front().map_or(0, |oldest| oldest.since);
        let before_end = u64::from(count) - (self.visits - oldest);
        let before_end = u32::try_from(before_end).unwrap_or(count);
        most.min(count - self.at).min(before_end)
    }

    fn visit(&self, place: u32) {
        let served = if self.served.is_empty() {
            0
        } else {
            self.served_before(place)
        };
        self.give(place, served, true);
    }

    /// Gives a member the messages aboard from the one with this index on.
    fn give(&self, place: u32, mut from: usize, in_turn: bool) {
        let member = self.members.at(place);
        let lane = match &self.lanes[..] {
            [only] => only,
            several => &several[self.kind_of(member)],
        };
        let leaves_out = |m: &Aboard| m.left_out == Some(place);
        if from == 0 && in_turn && !self.aboard.iter().any(leaves_out) {
            let burst = Burst::new(&lane.messages, lane.bytes, self.delivery);
            member.take(burst.due(lane.whole.as_deref()));
            return;
        }
        while from < self.aboard.len() {
            let others = self.aboard.iter().skip(from);
            let end = from + others.take_while(|m| !leaves_out(m)).count();
            let messages = &lane.messages[from..end];
            if !messages.is_empty() {
                let bytes = messages.iter().map(Bytes::len).sum();
                member.take(Burst::new(messages, bytes, self.delivery));
            }
            from = end + 1;
        }
    }

    /// How many of the messages aboard it got out of turn.
    fn served_before(&self, place: u32) -> usize {
        let until = self.served.get(&place).copied().unwrap_or(0);
        usize::try_from(until.saturating_sub(self.gone)).unwrap_or(usize::MAX)
    }

    /// The number of the visit that a member had last.
    fn last_visit(&self, place: u32) -> u64 {
        let ago = if place < self.at {
            self.at - place
        } else {
            self.at + self.members.count() - place
        };
        self.visits - u64::from(ago)
    }

    /// Puts off the messages that have been with everybody.
    fn put_off(&mut self) {
        let all = u64::from(self.members.count());
        let done = self
            .aboard
            .partition_point(|m| self.visits - m.since == all);
        if done == 0 {
            return;
        }
        self.aboard.drain(..done);
        for lane in &mut self.lanes {
            lane.put_off(done);
        }
        self.gone += done as u64;
        self.served.retain(|_, until| *until > self.gone);
    }

    fn kind_of(&self, member: &M) -> usize {
        let kinds = self.members.kinds().unwrap_or_default();
        let kind = self.members.kind_among(kinds, member);
        kind.expect("each member is of one of the kinds")
    }
}

impl Lane {
    fn add(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.messages.push(message);
        self.whole = None;
    }

    fn put_off(&mut self, messages: usize) {
        let bytes: usize = self.messages.drain(..messages).map(|m| m.len()).sum();
        self.bytes -= bytes;
        self.whole = None;
    }

    fn make_whole(&mut self, due: bool) {
        if !due {
            self.whole = None;
        } else if self.whole.is_none() {
            self.whole = match &self.messages[..] {
                [only] => Some(only.clone()),
                several if self.bytes <= MAX_COPIED_BYTES => Some(several.concat().into()),
                _ => None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::id::ClientId;

    /// A member that writes down what it gets, as text of its kind.
    #[derive(Clone)]
    struct Guest {
        number: u32,
        heard: Arc<Mutex<Vec<u32>>>,
    }

    impl Guest {
        fn kind(&self) -> u32 {
            self.number % 2
        }
    }

    impl Member for Guest {
        fn id(&self) -> ClientId {
            ClientId::parse(&format!("{:020}", self.number)).unwrap()
        }

        fn gets_the_same_as(&self, other: &Self) -> bool {
            self.kind() == other.kind()
        }
    }

    impl Receiver for Guest {
        fn look_ahead(&self) {}

        fn take(&self, burst: Burst<'_>) {
            let messages = burst.messages().concat();
            assert_eq!(burst.len(), messages.len());
            assert!(burst.whole().is_none_or(|whole| whole == messages));
            let mut heard = self.heard.lock().unwrap();
            for message in burst.messages() {
                let text = std::str::from_utf8(message).unwrap();
                let (kind, number) = text.split_once(' ').unwrap();
                assert_eq!(kind, self.kind().to_string());
                heard.push(number.parse().unwrap());
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add { left_out: Option<u32> },
        GoOn { due: bool },
        Serve(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => proptest::option::of(0..100_u32).prop_map(|left_out| Step::Add { left_out }),
            4 => any::<bool>().prop_map(|due| Step::GoOn { due }),
            2 => (0..110_u32).prop_map(Step::Serve),
        ]
    }

    /// What is to be heard by each member, as far as it was said.
    #[derive(Default)]
    struct Said(Vec<Option<u32>>);

    impl Said {
        fn by(&self, place: u32) -> Vec<u32> {
            let numbered = (0..).zip(&self.0);
            numbered
                .filter(|(_, left_out)| **left_out != Some(place))
                .map(|(number, _)| number)
                .collect()
        }
    }

    proptest! {
        /// Whenever messages come aboard, and whoever is served out of turn, each member gets all
        /// messages for it once and in their order; and whoever is served has got them then.
        #[test]
        fn each_member_gets_each_message_once_and_in_order(
            count in 1..100_u32,
            steps in vec(step(), 0..60),
        ) {
            let guests: Vec<_> = (0..count)
                .map(|number| Guest { number, heard: Arc::default() })
                .collect();
            let mut members = Members::default();
            for guest in &guests {
                members.replace(guest.clone());
            }
            let members = Arc::new(members);
            let kinds = members.kinds().unwrap().len();
            let mut said = Said::default();
            let emit = |said: &mut Said, left_out: Option<u32>| {
                let number = said.0.len();
                let encode = |kind| Bytes::from(format!("{kind} {number}"));
                let left_out = left_out.filter(|place| *place < count);
                said.0.push(left_out);
                Emit {
                    members: &members,
                    left_out,
                    delivery: Delivery::RELIABLE,
                    encodings: (0..kinds).map(encode).collect(),
                }
            };
            let mut round = Round::new(emit(&mut said, None));
            for step in steps {
                match step {
                    Step::Add { left_out } => round.add(emit(&mut said, left_out)),
                    Step::GoOn { due } if !round.is_over() => {
                        prop_assert!(round.go_on(due) > 0);
                    }
                    Step::GoOn { .. } => {}
                    Step::Serve(place) => {
                        let guest = Guest { number: place, heard: Arc::default() };
                        round.serve(&guest);
                        if let Some(guest) = guests.get(place as usize) {
                            prop_assert_eq!(&*guest.heard.lock().unwrap(), &said.by(place));
                        }
                    }
                }
            }
            while !round.is_over() {
                round.go_on(true);
            }
            prop_assert_eq!((round.messages(), round.bytes()), (0, 0));
            for guest in &guests {
                prop_assert_eq!(&*guest.heard.lock().unwrap(), &said.by(guest.number));
            }
        }
    }
}
