//! Loom models of the room index, of the courier's rounds and of the paths of a
//! pattern: every interleaving of a few operations.
//!
//! `cargo xtask test` runs them; alone they are
//! `RUSTFLAGS="--cfg loom" cargo test -p nest-gateway-core --lib --release models`.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::members::Members;
use super::memberships::{JoinProblem, Memberships};
use super::paths::{PathKey, Paths};
use super::room::Member;
use super::rooms::{Indexes, Rooms};
use super::round::{Emit, Receiver};
use super::rounds::{Posted, Rounds};
use crate::adapter::Burst;
use crate::id::ClientId;
use crate::message::Delivery;

const NO_LIMIT: usize = usize::MAX;

/// What stands for a client.
#[derive(Clone)]
struct Person(Arc<Inner>);

struct Inner {
    id: ClientId,
    memberships: Memberships,
}

impl Member for Person {
    fn id(&self) -> ClientId {
        self.0.id
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn gets_the_same_as(&self, _: &Self) -> bool {
        true
    }
}

impl Person {
    fn new(name: char) -> Self {
        let id = name.to_string().repeat(20);
        Self(Arc::new(Inner {
            id: ClientId::parse(&id).expect("20 letters are an id"),
            memberships: Memberships::default(),
        }))
    }

    fn join(&self, index: &Index, room: &str) -> Result<(), JoinProblem> {
        self.join_in(&Indexes::new(index, None), room)
    }

    fn join_in(&self, indexes: &Indexes<'_, Self>, room: &str) -> Result<(), JoinProblem> {
        let memberships = &self.0.memberships;
        memberships.join(indexes, self, room.into(), NO_LIMIT)
    }

    fn leave(&self, index: &Index, room: &str) {
        self.leave_in(&Indexes::new(index, None), room);
    }

    fn leave_in(&self, indexes: &Indexes<'_, Self>, room: &str) {
        self.0.memberships.leave(indexes, self.id(), room);
    }

    fn disconnect(&self, index: &Index) {
        let indexes = Indexes::new(index, None);
        self.0.memberships.end(&indexes, self.id());
    }

    fn is_in(&self, room: &str) -> bool {
        self.0.memberships.contains(room)
    }
}

type Index = Rooms<Person>;

fn members(index: &Index, room: &str) -> Vec<ClientId> {
    let mut ids = Vec::new();
    if let Some(room) = index.get(room) {
        room.for_each(|person| ids.push(person.id()));
    }
    ids.sort_unstable();
    ids
}

/// Does something in a thread of the model.
fn meanwhile(
    index: &Arc<Index>,
    person: &Person,
    act: impl FnOnce(&Index, &Person) + 'static,
) -> thread::JoinHandle<()> {
    let (index, person) = (Arc::clone(index), person.clone());
    thread::spawn(move || act(&index, &person))
}

#[test]
fn one_who_joins_while_the_last_one_leaves_is_in_the_room() {
    loom::model(|| {
        let (index, ada, ben) = (Arc::default(), Person::new('a'), Person::new('b'));
        ada.join(&index, "r").unwrap();
        let leaving = meanwhile(&index, &ada, |index, ada| ada.leave(index, "r"));
        ben.join(&index, "r").unwrap();
        leaving.join().unwrap();
        assert_eq!(members(&index, "r"), [ben.id()]);
        ben.leave(&index, "r");
        assert_eq!(index.len(), 0, "an empty room vanishes");
    });
}

#[test]
fn two_who_join_at_once_are_in_the_same_room() {
    loom::model(|| {
        let (index, ada, ben) = (Arc::default(), Person::new('a'), Person::new('b'));
        let joining = meanwhile(&index, &ada, |index, ada| ada.join(index, "r").unwrap());
        ben.join(&index, "r").unwrap();
        joining.join().unwrap();
        assert_eq!(members(&index, "r"), [ada.id(), ben.id()]);
    });
}

#[test]
fn a_room_vanishes_whoever_leaves_last() {
    loom::model(|| {
        let (index, ada, ben) = (Arc::default(), Person::new('a'), Person::new('b'));
        ada.join(&index, "r").unwrap();
        ben.join(&index, "r").unwrap();
        let leaving = meanwhile(&index, &ada, |index, ada| ada.leave(index, "r"));
        ben.leave(&index, "r");
        leaving.join().unwrap();
        assert_eq!(index.len(), 0);
    });
}

#[test]
fn three_who_join_leave_and_replace_each_other_lose_nobody() {
    loom::model(|| {
        let index = Arc::<Index>::default();
        let [ada, ben, eve] = ['a', 'b', 'e'].map(Person::new);
        ada.join(&index, "r").unwrap();
        let leaving = meanwhile(&index, &ada, |index, ada| ada.leave(index, "r"));
        let passing = meanwhile(&index, &ben, |index, ben| {
            ben.join(index, "r").unwrap();
            ben.leave(index, "r");
        });
        eve.join(&index, "r").unwrap();
        leaving.join().unwrap();
        passing.join().unwrap();
        assert_eq!(members(&index, "r"), [eve.id()]);
        assert_eq!(index.len(), 1);
    });
}

#[test]
fn one_who_left_gets_nothing_any_more() {
    loom::model(|| {
        let (index, ada) = (Arc::<Index>::default(), Person::new('a'));
        let gone = Arc::new(AtomicBool::new(false));
        ada.join(&index, "r").unwrap();
        let sending = meanwhile(&index, &ada, {
            let gone = Arc::clone(&gone);
            move |index, _| {
                if let Some(room) = index.get("r") {
                    room.for_each(|_| assert!(!gone.load(Ordering::SeqCst)));
                }
            }
        });
        ada.leave(&index, "r");
        gone.store(true, Ordering::SeqCst);
        sending.join().unwrap();
    });
}

#[test]
fn one_who_stays_gets_every_message_once_while_others_come_and_go() {
    loom::model(|| {
        let index = Arc::<Index>::default();
        let [ada, ben, eve] = ['a', 'b', 'e'].map(Person::new);
        ada.join(&index, "r").unwrap();
        ben.join(&index, "r").unwrap();
        let churning = meanwhile(&index, &ada, move |index, ada| {
            ada.leave(index, "r");
            eve.join(index, "r").unwrap();
        });
        let received = members(&index, "r");
        churning.join().unwrap();
        assert_eq!(received.iter().filter(|id| **id == ben.id()).count(), 1);
    });
}

#[test]
fn one_who_disconnects_while_joining_is_in_no_room_afterwards() {
    loom::model(|| {
        let (index, ada) = (Arc::<Index>::default(), Person::new('a'));
        ada.join(&index, "old").unwrap();
        let disconnecting = meanwhile(&index, &ada, |index, ada| ada.disconnect(index));
        let joined = ada.join(&index, "new");
        disconnecting.join().unwrap();
        assert!(matches!(joined, Ok(()) | Err(JoinProblem::Gone)));
        assert_eq!(index.len(), 0);
        assert_eq!(ada.join(&index, "new"), Err(JoinProblem::Gone));
    });
}

#[test]
fn one_who_takes_over_the_rooms_of_another_under_the_same_id_keeps_them() {
    loom::model(|| {
        let index = Arc::<Index>::default();
        let [former, successor] = ['a', 'a'].map(Person::new);
        former.join(&index, "r").unwrap();
        let late_handler = meanwhile(&index, &former, |index, former| {
            let _ = former.join(index, "late");
        });
        for room in former.0.memberships.hand_over() {
            successor.join(&index, &room).unwrap();
        }
        late_handler.join().unwrap();
        former.leave(&index, "r");
        assert_eq!(members(&index, "r"), [successor.id()]);
        successor.disconnect(&index);
        assert_eq!(index.len(), 0, "nobody is left behind");
    });
}

#[test]
fn a_clients_list_and_the_index_agree_after_a_join_and_a_leave_at_once() {
    loom::model(|| {
        let (index, ada) = (Arc::<Index>::default(), Person::new('a'));
        let leaving = meanwhile(&index, &ada, |index, ada| ada.leave(index, "r"));
        ada.join(&index, "r").unwrap();
        leaving.join().unwrap();
        assert_eq!(ada.is_in("r"), members(&index, "r") == [ada.id()]);
        assert_eq!(ada.is_in("r"), index.len() == 1);
    });
}

#[test]
fn a_fan_out_that_leaves_out_a_room_waits_for_nobody_who_joins_or_leaves() {
    loom::model(|| {
        let (index, ada) = (Arc::<Index>::default(), Person::new('a'));
        ada.join(&index, "r").unwrap();
        let moving = meanwhile(&index, &ada, |index, ada| {
            ada.leave(index, "r");
            ada.join(index, "r").unwrap();
        });
        // `server.to("r").except("quiet").emit(..)`; a deadlock fails the model.
        if let Some(room) = index.get("r") {
            room.for_each(|person| assert!(!person.is_in("quiet")));
        }
        moving.join().unwrap();
    });
}

#[test]
fn one_who_waits_for_a_room_keeps_nobody_from_others() {
    loom::model(|| {
        let index = Arc::<Index>::default();
        let [ada, ben, eve] = ['a', 'b', 'e'].map(Person::new);
        ada.join(&index, "busy").unwrap();
        let waiting = meanwhile(&index, &ben, |index, ben| ben.join(index, "busy").unwrap());
        index.get("busy").unwrap().for_each(|_| {
            // Only if the one who waits for this room holds no lock of the map,
            // somebody can open another room now.
            let _ = eve.join(&index, "other");
        });
        waiting.join().unwrap();
        assert_eq!(members(&index, "busy"), [ada.id(), ben.id()]);
    });
}

/// What stands for the hub of a path: rooms of its own, beside those of all paths.
struct House {
    street: Arc<Street>,
    key: PathKey,
    index: Index,
}

/// What stands for the hub of a pattern.
#[derive(Default)]
struct Street {
    houses: Paths<House>,
    index: Index,
    /// References are counted by the standard library, which loom does not see.
    /// A step that it sees goes before, so that it tries their orders too.
    steps: AtomicUsize,
}

impl Street {
    fn house(self: &Arc<Self>, number: &str) -> Arc<House> {
        self.steps.fetch_add(1, Ordering::SeqCst);
        let params = [("number".into(), number.into())];
        self.houses.open(&params, |key| {
            Arc::new(House {
                street: Arc::clone(self),
                key,
                index: Index::default(),
            })
        })
    }
}

impl House {
    /// Lets go of it.
    fn leave(self: Arc<Self>) {
        self.street.steps.fetch_add(1, Ordering::SeqCst);
    }

    fn indexes(&self) -> Indexes<'_, Person> {
        Indexes::new(&self.index, Some(&self.street.index))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.street.houses.forget(&self.key);
    }
}

#[test]
fn one_who_comes_while_the_last_one_leaves_is_where_others_come() {
    loom::model(|| {
        let street = Arc::<Street>::default();
        let last = street.house("7");
        let leaving = thread::spawn(move || last.leave());
        let house = street.house("7");
        leaving.join().unwrap();
        assert!(Arc::ptr_eq(&house, &street.house("7")));
        house.leave();
        assert_eq!(
            street.houses.known(),
            0,
            "a path that nobody is at is forgotten"
        );
    });
}

#[test]
fn two_who_come_to_a_path_at_once_are_at_the_same_one() {
    loom::model(|| {
        let street = Arc::<Street>::default();
        let coming = thread::spawn({
            let street = Arc::clone(&street);
            move || street.house("7")
        });
        let house = street.house("7");
        assert!(Arc::ptr_eq(&house, &coming.join().unwrap()));
    });
}

#[test]
fn a_path_is_forgotten_whoever_leaves_last_and_whoever_looks_on() {
    loom::model(|| {
        let street = Arc::<Street>::default();
        let [ada, ben] = [street.house("7"), street.house("7")];
        let leaving = thread::spawn(move || ada.leave());
        let counting = thread::spawn({
            let street = Arc::clone(&street);
            move || assert!(street.houses.hubs().len() <= 1)
        });
        ben.leave();
        leaving.join().unwrap();
        counting.join().unwrap();
        assert_eq!(street.houses.known(), 0);
    });
}

#[test]
fn rooms_of_one_name_at_two_paths_are_two_and_one_for_all_paths() {
    loom::model(|| {
        let street = Arc::<Street>::default();
        let [ada, ben] = ['a', 'b'].map(Person::new);
        let [seven, nine] = ["7", "9"].map(|number| street.house(number));
        ben.join_in(&nine.indexes(), "r").unwrap();
        let leaving = thread::spawn({
            let nine = Arc::clone(&nine);
            move || ben.leave_in(&nine.indexes(), "r")
        });
        ada.join_in(&seven.indexes(), "r").unwrap();
        leaving.join().unwrap();
        assert_eq!(members(&seven.index, "r"), [ada.id()]);
        assert_eq!(members(&street.index, "r"), [ada.id()]);
        assert_eq!(nine.index.len(), 0);
        ada.leave_in(&seven.indexes(), "r");
        assert_eq!(street.index.len(), 0, "an empty room vanishes");
    });
}

#[test]
fn the_rooms_of_a_path_and_of_all_paths_agree_after_a_join_and_a_leave_at_once() {
    loom::model(|| {
        let street = Arc::<Street>::default();
        let (house, ada) = (street.house("7"), Person::new('a'));
        let leaving = thread::spawn({
            let (house, ada) = (Arc::clone(&house), ada.clone());
            move || ada.leave_in(&house.indexes(), "r")
        });
        ada.join_in(&house.indexes(), "r").unwrap();
        leaving.join().unwrap();
        assert_eq!(ada.is_in("r"), members(&house.index, "r") == [ada.id()]);
        assert_eq!(members(&house.index, "r"), members(&street.index, "r"));
    });
}

/// Somebody in a crowd, and what it has heard.
#[derive(Clone)]
struct Listener(ClientId, Arc<Mutex<String>>);

impl Listener {
    fn new(name: char) -> Self {
        let id = ClientId::parse(&name.to_string().repeat(20)).expect("20 letters are an id");
        Self(id, Arc::default())
    }

    fn hears(&self, text: &str) {
        self.1.lock().unwrap().push_str(text);
    }

    fn heard(&self) -> String {
        self.1.lock().unwrap().clone()
    }
}

impl Member for Listener {
    fn id(&self) -> ClientId {
        self.0
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.1, &other.1)
    }

    fn gets_the_same_as(&self, _: &Self) -> bool {
        true
    }
}

impl Receiver for Listener {
    fn take_together(receivers: &[&Self], burst: Burst<'_>) {
        for receiver in receivers {
            receiver.take(burst);
        }
    }

    fn take(&self, burst: Burst<'_>) {
        for message in burst.messages() {
            self.hears(std::str::from_utf8(message).unwrap());
        }
    }
}

fn crowd(listeners: &[&Listener]) -> Arc<Members<Listener>> {
    let mut members = Members::default();
    for listener in listeners {
        members.replace((*listener).clone());
    }
    Arc::new(members)
}

fn post(rounds: &Rounds<Listener>, members: &Arc<Members<Listener>>, text: &'static str) {
    let posted = rounds.post(Emit {
        room: 1,
        members,
        left_out: None,
        delivery: Delivery::RELIABLE,
        encodings: vec![text.into()],
    });
    assert_eq!(posted, Posted::Taken);
}

/// Until all that waits has been brought.
fn walk_to_the_end(rounds: &Rounds<Listener>) {
    while rounds.walk() {
        thread::yield_now();
    }
}

#[test]
fn what_is_said_to_a_crowd_and_then_to_one_of_it_is_heard_in_that_order() {
    loom::model(|| {
        let rounds = Arc::new(Rounds::walked_by_hand());
        let (ada, eve) = (Listener::new('a'), Listener::new('e'));
        let members = crowd(&[&eve, &ada]);
        let courier = thread::spawn({
            let rounds = Arc::clone(&rounds);
            move || {
                rounds.walk();
            }
        });
        post(&rounds, &members, "1");
        rounds.serve(&ada);
        ada.hears("2");
        post(&rounds, &members, "3");
        courier.join().unwrap();
        walk_to_the_end(&rounds);
        assert_eq!((ada.heard(), eve.heard()), ("123".into(), "13".into()));
    });
}

#[test]
fn two_who_speak_to_a_crowd_and_to_one_of_it_are_each_heard_in_their_order() {
    loom::model(|| {
        let rounds = Arc::new(Rounds::walked_by_hand());
        let ada = Listener::new('a');
        let members = crowd(&[&ada]);
        let speaks = |all: &'static str, one: &'static str| {
            let (rounds, members, ada) = (Arc::clone(&rounds), Arc::clone(&members), ada.clone());
            move || {
                post(&rounds, &members, all);
                rounds.serve(&ada);
                ada.hears(one);
            }
        };
        let other = thread::spawn(speaks("A", "B"));
        speaks("1", "2")();
        other.join().unwrap();
        walk_to_the_end(&rounds);
        let heard = ada.heard();
        assert_eq!(heard.len(), 4, "{heard}");
        for pair in ["12", "AB"] {
            let order: String = heard.chars().filter(|c| pair.contains(*c)).collect();
            assert_eq!(order, pair, "{heard}");
        }
    });
}
