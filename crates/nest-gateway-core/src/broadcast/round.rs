//! One round: messages for the members of a room, and who has got them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::members::Members;
use super::room::Member;
use crate::adapter::{Burst, Group};
use crate::message::Delivery;

/// Who can be visited on a round: a client, or what stands for one in a model.
pub(crate) trait Receiver: Member {
    /// Queues messages, or does whatever else becomes of them.
    fn take(&self, burst: Burst<'_>);

    /// The same for a few of them, at most [`ABREAST`], who may be written to at
    /// once if the burst says so.
    fn take_together(receivers: &[&Self], burst: Burst<'_>);
}

/// One message for the members of a room, as they are at this moment.
pub(crate) struct Emit<'a, M> {
    /// Which room it is: the address of it, which says so as long as it is there.
    pub(super) room: usize,
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
/// the round is there again. Who is visited gets all messages aboard that it has
/// not got; so each member gets them in their order, and the next message does
/// not have to wait until the former one has been everywhere.
pub(super) struct Round<M> {
    room: usize,
    members: Arc<Members<M>>,
    delivery: Delivery,
    /// Where each message came aboard, oldest first.
    aboard: VecDeque<Position>,
    /// What the messages are for each kind of members.
    lanes: Vec<Lane<M>>,
    /// How many messages were aboard and are not any more.
    gone: u64,
    /// For each member, the number of the first message that it has not got.
    next: Vec<u64>,
    at: Position,
}

/// Where on its way a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    lap: u64,
    /// The member to be visited next.
    place: u32,
}

/// What the members of one kind get.
struct Lane<M> {
    /// One of them.
    like: M,
    /// As many as there are aboard.
    messages: Vec<Bytes>,
    bytes: usize,
    /// All messages in one piece, while they may be written at once.
    whole: Option<Bytes>,
}

/// How many members are visited side by side. So many are written to in one
/// step, too: each takes microseconds in the kernel.
const ABREAST: u32 = 8;
const _: () = assert!(ABREAST as usize <= Group::MAX);

/// How many are queued to in one step.
const QUEUED: u32 = 64;

/// More bytes than this are not copied into one piece: where messages are as
/// large, a system call for each is the smaller part of the work.
const MAX_COPIED_BYTES: usize = 64 * 1024;

impl<M: Receiver> Round<M> {
    pub(super) fn new(emit: Emit<'_, M>) -> Self {
        let kinds = emit.members.kinds().unwrap_or_default().iter();
        let lanes = kinds.map(|place| Lane::for_those_like(emit.members.at(*place)));
        let mut round = Self {
            room: emit.room,
            members: Arc::clone(emit.members),
            delivery: emit.delivery,
            aboard: VecDeque::new(),
            lanes: lanes.collect(),
            gone: 0,
            next: vec![0; emit.members.len()],
            at: Position { lap: 0, place: 0 },
        };
        round.add(emit);
        round
    }

    /// Sends a message on its way, behind all that are: with the last of these
    /// rounds, or with one of its own.
    pub(super) fn post(rounds: &mut VecDeque<Self>, emit: Emit<'_, M>) {
        match rounds.back() {
            Some(last) if last.takes(&emit) => {
                for member in last.displaced_by(&emit) {
                    for round in rounds.iter_mut() {
                        round.serve(&member);
                    }
                }
                let last = rounds.back_mut();
                last.expect("it was just there").add(emit);
            }
            _ => rounds.push_back(Self::new(emit)),
        }
    }

    /// Whether the message goes the same way: to the members of the same room, of
    /// whom some may have come and gone since.
    fn takes(&self, emit: &Emit<'_, M>) -> bool {
        self.room == emit.room
            && self.delivery == emit.delivery
            && (Arc::ptr_eq(&self.members, emit.members) || self.has_kinds_of(emit.members))
    }

    /// Those who have to get what they have not got before the message comes
    /// aboard: because they left, or stand elsewhere now, or are left out of it.
    fn displaced_by(&self, emit: &Emit<'_, M>) -> Vec<M> {
        let mut displaced = Vec::new();
        if !Arc::ptr_eq(&self.members, emit.members) {
            let moved = (0..self.members.count()).filter(|place| !self.stays(*place, emit.members));
            displaced.extend(moved.map(|place| self.members.at(place).clone()));
        }
        displaced.extend(emit.left_out.map(|place| emit.members.at(place).clone()));
        displaced
    }

    /// Whoever is displaced has been served.
    fn add(&mut self, emit: Emit<'_, M>) {
        if !Arc::ptr_eq(&self.members, emit.members) {
            self.adopt(emit.members);
        }
        if let Some(place) = emit.left_out {
            self.next[place as usize] = self.end() + 1;
        }
        self.aboard.push_back(self.at);
        let kinds = self.members.kinds().unwrap_or_default();
        for (place, message) in kinds.iter().zip(emit.encodings) {
            let lane = lane_for(&self.lanes, self.members.at(*place));
            self.lanes[lane].add(message);
        }
    }

    /// Visits a few members; returns how many. `due` says that they may be
    /// written to, since nothing else comes after this round.
    pub(super) fn go_on(&mut self, due: bool) -> u32 {
        for lane in &mut self.lanes {
            lane.make_whole(due);
        }
        let first = self.at.place;
        let end = first + self.step(if due { ABREAST } else { QUEUED });
        for place in (first..end).step_by(ABREAST as usize) {
            self.give_to_few(place..end.min(place + ABREAST));
        }
        self.at.place = end;
        self.turn_around();
        self.put_off();
        end - first
    }

    pub(super) fn is_over(&self) -> bool {
        self.aboard.is_empty()
    }

    /// Lets a member have its messages before others, if it gets any and has
    /// not got them.
    pub(super) fn serve(&mut self, member: &M) {
        if let Some(place) = self.members.place(member.id()) {
            self.give(place);
        }
    }

    pub(super) fn messages(&self) -> usize {
        self.aboard.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.bytes).sum()
    }

    /// Goes on among those who are members now; those who came begin with the next
    /// message.
    fn adopt(&mut self, members: &Arc<Members<M>>) {
        let end = self.end();
        let next = (0..members.count()).map(|place| {
            if place < self.members.count() && self.stays(place, members) {
                self.next[place as usize]
            } else {
                end
            }
        });
        self.next = next.collect();
        self.members = Arc::clone(members);
        self.turn_around();
        self.put_off();
    }

    /// Whether the member at this place stands there among these, too.
    fn stays(&self, place: u32, members: &Members<M>) -> bool {
        place < members.count() && self.members.at(place).is(members.at(place))
    }

    fn has_kinds_of(&self, members: &Members<M>) -> bool {
        let Some(kinds) = members.kinds() else {
            return false;
        };
        let known = |place: &u32| {
            let is_like = |lane: &Lane<M>| lane.like.gets_the_same_as(members.at(*place));
            self.lanes.iter().any(is_like)
        };
        kinds.len() == self.lanes.len() && kinds.iter().all(known)
    }

    /// The number of the next message.
    fn end(&self) -> u64 {
        self.gone + self.aboard.len() as u64
    }

    /// So many visits, that the oldest message is put off as soon as it has been
    /// with everybody.
    fn step(&self, most: u32) -> u32 {
        let count = self.members.count();
        let end = match self.aboard.front() {
            Some(oldest) if oldest.lap < self.at.lap => count.min(oldest.place),
            _ => count,
        };
        most.min(end.saturating_sub(self.at.place))
    }

    /// Begins the next lap at the end of one.
    fn turn_around(&mut self) {
        if self.at.place >= self.members.count() {
            self.at = Position {
                lap: self.at.lap + 1,
                place: 0,
            };
        }
    }

    /// Puts off the messages that have been with everybody.
    fn put_off(&mut self) {
        let back = |came: &Position| {
            let lap = came.lap + 1;
            self.at >= Position { lap, ..*came }
        };
        let done = self.aboard.partition_point(back);
        if done == 0 {
            return;
        }
        self.aboard.drain(..done);
        for lane in &mut self.lanes {
            lane.put_off(done);
        }
        self.gone += done as u64;
    }

    /// Gives a few members, at most [`ABREAST`], the messages aboard that they
    /// have not got.
    fn give_to_few(&mut self, places: Range<u32>) {
        for place in places.clone() {
            if self.next[place as usize] > self.gone {
                self.give(place);
            }
        }
        let end = self.end();
        for (number, lane) in self.lanes.iter().enumerate() {
            let mut few = [self.members.at(places.start); ABREAST as usize];
            let mut count = 0;
            for place in places.clone() {
                let member = self.members.at(place);
                let next = &mut self.next[place as usize];
                if *next < end && lane_for(&self.lanes, member) == number {
                    *next = end;
                    few[count] = member;
                    count += 1;
                }
            }
            let burst = Burst::new(&lane.messages, lane.bytes, self.delivery);
            M::take_together(&few[..count], burst.due(lane.whole.as_deref()));
        }
    }

    /// Gives a member the messages aboard that it has not got.
    fn give(&mut self, place: u32) {
        let end = self.end();
        let next = &mut self.next[place as usize];
        if *next >= end {
            return;
        }
        let first = std::mem::replace(next, end);
        // What is not aboard any more it has got.
        let from = usize::try_from(first.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        let member = self.members.at(place);
        let lane = &self.lanes[lane_for(&self.lanes, member)];
        let messages = &lane.messages[from..];
        let bytes = messages.iter().map(Bytes::len).sum();
        member.take(Burst::new(messages, bytes, self.delivery));
    }
}

/// The lane of the messages that a member gets.
fn lane_for<M: Member>(lanes: &[Lane<M>], member: &M) -> usize {
    if lanes.len() == 1 {
        return 0;
    }
    let lane = lanes
        .iter()
        .position(|lane| lane.like.gets_the_same_as(member));
    lane.expect("each member is of one of the kinds")
}

impl<M: Member> Lane<M> {
    fn for_those_like(member: &M) -> Self {
        Self {
            like: member.clone(),
            messages: Vec::new(),
            bytes: 0,
            whole: None,
        }
    }

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
        fn new(number: u32) -> Self {
            let heard = Arc::default();
            Self { number, heard }
        }

        fn kind(&self) -> u32 {
            self.number % 2
        }
    }

    impl Member for Guest {
        fn id(&self) -> ClientId {
            ClientId::parse(&format!("{:020}", self.number)).unwrap()
        }

        fn is(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.heard, &other.heard)
        }

        fn gets_the_same_as(&self, other: &Self) -> bool {
            self.kind() == other.kind()
        }
    }

    impl Receiver for Guest {
        fn take_together(receivers: &[&Self], burst: Burst<'_>) {
            for receiver in receivers {
                receiver.take(burst);
            }
        }

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
        Emit { left_out: Option<u32> },
        GoOn { due: bool },
        Serve(u32),
        Join,
        Leave(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => proptest::option::of(0..60_u32).prop_map(|left_out| Step::Emit { left_out }),
            4 => any::<bool>().prop_map(|due| Step::GoOn { due }),
            2 => (0..110_u32).prop_map(Step::Serve),
            1 => Just(Step::Join),
            1 => any::<u32>().prop_map(Step::Leave),
        ]
    }

    /// A room with what its members, and those who left, have to hear.
    #[derive(Default)]
    struct Hall {
        members: Arc<Members<Guest>>,
        guests: Vec<(Guest, Vec<u32>)>,
        said: u32,
    }

    impl Hall {
        fn join(&mut self) {
            let number = u32::try_from(self.guests.len()).unwrap();
            let guest = Guest::new(number);
            Arc::make_mut(&mut self.members).replace(guest.clone());
            self.guests.push((guest, Vec::new()));
        }

        fn leave(&mut self, which: u32) {
            // Both kinds stay.
            if self.members.count() > 20 {
                let id = self.members.at(which % self.members.count()).id();
                Arc::make_mut(&mut self.members).remove(id);
            }
        }

        fn emit(&mut self, left_out: Option<u32>) -> Emit<'_, Guest> {
            let number = self.said;
            self.said += 1;
            let left_out = left_out.filter(|place| *place < self.members.count());
            for place in (0..self.members.count()).filter(|place| Some(*place) != left_out) {
                let guest = self.members.at(place).number as usize;
                self.guests[guest].1.push(number);
            }
            let kinds = self.members.kinds().unwrap().iter();
            let kinds = kinds.map(|place| self.members.at(*place).kind());
            Emit {
                room: 1,
                members: &self.members,
                left_out,
                delivery: Delivery::RELIABLE,
                encodings: kinds
                    .map(|kind| format!("{kind} {number}").into())
                    .collect(),
            }
        }
    }

    proptest! {
        /// Whenever messages come aboard, whoever comes and goes meanwhile, and whoever is served
        /// out of turn, each member gets each message that was emitted while it was one, once and in
        /// order; and whoever is served has got them then.
        #[test]
        fn each_member_gets_each_message_once_and_in_order(
            count in 1..60_u32,
            steps in vec(step(), 0..80),
        ) {
            let mut hall = Hall::default();
            (0..count).for_each(|_| hall.join());
            let mut rounds = VecDeque::from([Round::new(hall.emit(None))]);
            for step in steps {
                match step {
                    Step::Join => hall.join(),
                    Step::Leave(which) => hall.leave(which),
                    Step::Emit { left_out } => {
                        Round::post(&mut rounds, hall.emit(left_out));
                    }
                    Step::GoOn { due } => {
                        if let Some(round) = rounds.front_mut() {
                            prop_assert!(round.go_on(due) > 0 || round.is_over());
                            if round.is_over() {
                                prop_assert_eq!((round.messages(), round.bytes()), (0, 0));
                                rounds.pop_front();
                            }
                        }
                    }
                    Step::Serve(number) => {
                        let stranger = Guest::new(number);
                        for round in &mut rounds {
                            round.serve(&stranger);
                        }
                        if let Some((guest, expected)) = hall.guests.get(number as usize) {
                            prop_assert_eq!(&*guest.heard.lock().unwrap(), expected);
                        }
                    }
                }
            }
            for mut round in rounds {
                while !round.is_over() {
                    round.go_on(true);
                }
            }
            for (guest, expected) in &hall.guests {
                prop_assert_eq!(&*guest.heard.lock().unwrap(), expected, "{}", guest.number);
            }
        }
    }
}
