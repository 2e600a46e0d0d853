//! The properties of CONTRACT.md, each written once, for any adapter.
//!
//! A property is an `async fn` over the [`Client`](crate::client::Client) API,
//! named by a sentence, against the one application that the suite contains.
//! An adapter's test file says what it is, `adapter_conformance!(memory)`, or
//! lists the sentences that it keeps, too:
//!
//! ```text
//! adapter_conformance! {
//!     subject: memory;
//!     replies { an_error_answers_its_request }
//!     order { messages_of_one_client_are_handled_in_order }
//! }
//! ```
//!
//! [`PROPERTIES`] names all of them with the [`Power`]s they need, and
//! [`CONTRACT`] maps each line of the contract to the properties that prove
//! it.

mod app;
mod backstage;
mod contract;
mod enhancers;
mod served;
mod stage;
mod subject;

pub mod acks;
pub mod catch_all;
pub mod close;
pub mod drain;
pub mod lifecycle;
pub mod limits;
pub mod order;
pub mod paths;
pub mod pipeline;
pub mod recovery;
pub mod replies;
pub mod rooms;
pub mod slow;
pub mod startup;
pub mod streams;

pub use self::backstage::{Backstage, Gates, Log};
pub use self::contract::{CONTRACT, ContractLine, contract_table};
pub use self::served::Served;
pub use self::stage::Stage;
pub use self::subject::{Power, Setup, Subject};

use crate::client::BoxFuture;

/// One property of the suite.
#[derive(Clone, Copy)]
pub struct Property {
    /// The module it is in: `replies`.
    pub module: &'static str,
    /// Its sentence, with underscores.
    pub name: &'static str,
    /// What the adapter under test has to be able to do.
    pub needs: &'static [Power],
    run: fn(Subject) -> BoxFuture<'static, ()>,
}

impl Property {
    /// The property of this module and name.
    pub fn find(module: &str, name: &str) -> Option<&'static Self> {
        PROPERTIES
            .iter()
            .find(|property| property.module == module && property.name == name)
    }

    /// Whether this adapter has to keep it.
    pub fn applies_to(&self, subject: &Subject) -> bool {
        self.excused(subject).is_none() && self.needs.iter().all(|power| subject.can(*power))
    }

    /// Why the subject does not keep it, though it has the powers.
    fn excused<'a>(&self, subject: &'a Subject) -> Option<&'a str> {
        subject.excuse_for(self.name)
    }

    /// Runs it if the adapter has the powers for it; panics when it does not
    /// hold.
    #[expect(
        clippy::print_stderr,
        reason = "the output of a test says why it did nothing"
    )]
    pub async fn run_if_it_applies(&self, subject: Subject) {
        if self.applies_to(&subject) {
            self.run(subject).await;
        } else {
            let why = self.excused(&subject).unwrap_or("it lacks a power");
            eprintln!("not for {}, since {why}: {self:?}", subject.name());
        }
    }

    /// Runs it; panics when it does not hold.
    pub async fn run(&self, subject: Subject) {
        let lacking: Vec<_> = self.needs.iter().filter(|p| !subject.can(**p)).collect();
        assert!(
            lacking.is_empty(),
            "{} cannot keep {}: it lacks {lacking:?}; take the property off its list",
            subject.name(),
            self.name
        );
        (self.run)(subject).await;
    }
}

impl std::fmt::Debug for Property {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{} needs {:?}", self.module, self.name, self.needs)
    }
}

macro_rules! properties {
    ($dollar:tt $($module:ident { $($name:ident $([$($need:ident)*])?,)* })*) => {
        /// All properties.
        pub const PROPERTIES: &[Property] = &[$($(
            Property {
                module: stringify!($module),
                name: stringify!($name),
                needs: &[$($(Power::$need),*)?],
                run: |subject| Box::pin($module::$name(subject)),
            },
        )*)*];

        #[doc(hidden)]
        #[macro_export]
        macro_rules! __conformance_to_all {
            ($dollar subject:expr) => {
                $(mod $module {
                    #[allow(unused_imports, reason = "the subject may be given by a path")]
                    use super::*;

                    $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        let (module, name) = (stringify!($module), stringify!($name));
                        let property = $dollar crate::conformance::Property::find(module, name);
                        property.expect("the suite has it").run_if_it_applies(($dollar subject)()).await;
                    })*
                })*
            };
        }
    };
}

properties! { $
    acks {
        a_handler_asks_its_client_and_gets_the_answer [Requests Questions],
        a_question_without_an_answer_times_out [Requests Questions],
        an_answer_to_no_question_is_ignored [Requests Questions],
        a_question_is_answered_by_the_client_that_was_asked [Requests Questions],
        a_room_is_asked_and_each_member_answers [Requests Questions],
        a_room_is_asked_and_who_does_not_answer_is_named [Requests Questions],
        many_questions_at_once_find_their_own_answers [Requests Questions],
        a_question_to_a_client_that_leaves_ends [Requests Questions],
    }
    catch_all {
        what_nobody_subscribed_to_goes_to_the_handler_of_all_others [Requests],
        a_handler_of_all_others_does_not_get_names_of_the_protocol [Requests],
        an_observer_hears_of_all_that_is_sent_once [Requests Questions],
        an_observer_that_panics_is_not_noticed [Requests],
    }
    close {
        a_client_that_the_server_disconnects_is_told,
        what_was_emitted_before_a_disconnect_arrives,
        a_client_whose_connection_is_closed_is_told [Requests],
        closing_a_connection_ends_its_clients_of_all_namespaces [Multiplexing Requests],
        an_application_closes_with_a_code_of_its_own [CloseCodes],
        the_disconnect_reason_has_the_clients_code_and_text [CloseCodes Requests],
        a_client_that_ignores_pings_is_dropped [Heartbeat Requests],
        a_connection_above_its_age_is_closed,
        a_breach_of_rfc_6455_is_answered_with_its_code [WebSocket Requests],
        a_message_amid_fragments_is_1002 [WebSocket],
        a_ping_is_answered_amid_fragments [WebSocket],
        a_close_is_echoed_and_the_server_ends_the_connection [WebSocket],
        the_close_frame_arrives_while_the_client_still_sends [WebSocket],
        frames_may_come_byte_by_byte [WebSocket],
        a_request_head_that_is_too_large_is_431 [WebSocket],
    }
    drain {
        clients_are_told_that_the_server_goes [Requests],
        handlers_in_flight_finish_and_their_replies_arrive [Requests],
        no_client_gets_in_during_a_shutdown,
        streams_are_dropped_at_shutdown,
        a_handler_that_never_ends_does_not_hold_up_the_shutdown,
        a_client_that_does_not_read_does_not_hold_up_the_shutdown [SlowReading Requests],
        replies_queued_before_a_shutdown_arrive [Requests],
    }
    lifecycle {
        every_after_init_ends_before_a_client_can_connect,
        a_failing_after_init_stops_the_start_up,
        messages_wait_for_the_end_of_on_connection [Requests],
        a_client_that_on_connection_refuses_is_told_and_closed [Requests],
        what_on_connection_emits_arrives_first [Requests],
        on_disconnect_runs_once_with_rooms_and_state [Requests],
        on_disconnect_runs_once_for_a_client_that_was_cut [Requests Standing],
        on_disconnect_waits_for_the_last_handler [Requests],
        what_a_client_left_unhandled_does_not_keep_it [Requests],
        a_panic_in_on_disconnect_harms_nobody_else [Requests],
        two_gateways_share_a_namespace [Requests],
        a_namespace_has_path_parameters [Requests],
        a_connection_guard_refuses_before_the_client_is_in [Headers],
        a_connection_guard_leaves_the_clients_identity [Headers Requests],
        an_unknown_namespace_is_refused,
        a_foreign_origin_is_refused [Headers],
        a_host_that_is_not_listed_is_refused [Headers],
        a_plain_get_at_a_namespace_is_told_to_upgrade [HttpPaths],
        a_wrong_upgrade_request_gets_its_status [WebSocket],
        a_hundred_clients_connect_at_once [Requests],
        a_refused_namespace_leaves_the_connections_others_alone [Multiplexing Requests],
    }
    limits {
        a_malformed_frame_is_an_exception_and_no_more [Envelope Requests],
        unknown_keys_are_ignored_and_the_last_of_duplicates_wins [Envelope Requests],
        a_binary_frame_may_carry_the_envelope [Envelope BinaryMessages],
        a_binary_frame_goes_to_the_binary_handler_or_is_an_exception [BinaryMessages Requests],
        binary_data_arrives_as_it_was_sent [BinaryData Requests],
        a_client_that_sends_only_noise_is_closed [Envelope],
        a_message_above_the_limit_is_1009 [WebSocket Requests],
        a_message_of_a_million_bytes_fits [Requests],
        an_event_name_may_have_128_bytes [Requests],
        json_comes_back_as_it_went [Requests],
        unknown_events_are_ignored_if_the_policy_says_so [Requests],
        an_unknown_event_closes_if_the_policy_says_so,
        a_client_above_the_limit_is_refused_with_503 [Requests],
        an_address_has_so_many_clients_and_no_more [Requests Port],
        a_client_above_its_rate_gets_exceptions [Requests],
        a_handler_above_its_deadline_is_cancelled [Requests],
        noise_of_one_client_does_not_disturb_another [Envelope Requests],
    }
    order {
        messages_of_one_client_are_handled_in_order [Requests],
        an_async_guard_does_not_reorder_messages [Requests],
        a_slow_handler_delays_what_its_client_sends_next [Requests],
        concurrent_handlers_run_beside_the_queue [Requests],
        concurrent_handlers_are_bounded_for_each_client,
        a_client_that_sends_too_fast_is_held_up_and_loses_nothing [Requests Backpressure],
        a_message_sees_what_the_one_before_it_did [Requests],
        emits_of_one_handler_arrive_in_order_and_before_its_reply [Requests],
    }
    paths {
        what_a_client_sends_stays_in_its_path [Requests],
        membership_in_one_path_is_none_in_another [Requests],
        the_server_of_a_pattern_reaches_all_of_its_paths [Requests],
        all_paths_of_a_pattern_are_asked [Requests Questions],
        the_server_of_one_path_reaches_that_path_alone [Requests],
        each_path_has_its_own_clients [Requests],
        a_client_is_reached_by_its_id_in_its_path [Requests],
        a_path_is_forgotten_when_its_last_client_has_left [Requests],
        a_refused_client_leaves_no_path,
        clients_that_come_and_go_are_where_the_others_are [Requests],
        one_connection_is_a_client_of_each_path [Multiplexing Requests],
        a_path_is_one_in_all_its_spellings [HttpPaths Requests],
        an_observer_hears_at_which_path [Requests],
        a_client_that_comes_back_is_at_its_path [Recovery Standing Requests],
        a_recovered_client_is_in_the_rooms_of_its_path [Recovery Standing Requests],
        a_path_ends_with_the_client_that_did_not_come_back [Recovery Standing Requests],
    }
    pipeline {
        the_pipeline_runs_from_global_to_method_and_back [Requests],
        an_error_passes_the_interceptors_and_then_one_filter [Requests],
        a_guards_no_stops_the_message [Requests],
        a_denied_client_is_closed_if_the_policy_says_so,
        a_guard_sees_client_event_data_and_handshake [Requests],
        interceptors_map_short_circuit_and_time_out [Requests],
        an_interceptor_may_run_the_handler_again [Requests],
        an_interceptor_maps_each_item_of_a_stream [Requests],
        a_pipe_changes_or_refuses_the_body [Requests],
        the_nearest_filter_that_fits_gets_the_error [Requests],
        a_filter_may_answer_in_place_of_the_error [Requests],
        a_filter_that_fails_costs_its_message_only [Requests],
        global_enhancers_apply_to_every_gateway_and_exist_once [Requests],
    }
    recovery {
        a_lost_client_comes_back_with_all_that_it_had_and_missed [Recovery Standing Requests],
        an_emit_reaches_a_client_that_is_away [Recovery Standing Requests],
        nothing_is_lost_or_doubled_while_a_client_comes_and_goes [Recovery Standing Requests],
        volatile_events_are_not_sent_again [Recovery Standing Requests],
        a_client_may_come_back_more_than_once [Recovery Standing Requests],
        a_client_that_notices_the_loss_first_takes_its_place_over [Recovery Requests],
        a_client_that_missed_too_much_begins_anew_and_is_told [Recovery Standing Requests],
        what_is_kept_of_a_client_is_bounded_in_bytes [Recovery Standing Requests],
        what_is_kept_of_all_clients_is_bounded_in_bytes [Recovery Requests],
        a_client_that_comes_back_too_late_begins_anew [Recovery Standing Requests],
        so_many_clients_may_be_away_and_no_more [Recovery Standing Requests],
        a_client_that_left_on_purpose_begins_anew [Recovery Requests],
        a_wrong_session_or_offset_begins_anew [Recovery Standing Requests],
        a_session_belongs_to_its_namespace [Recovery Standing Requests],
        guards_are_asked_again_about_a_client_that_comes_back [Recovery Standing Headers Requests],
        a_client_that_was_too_slow_may_come_back [Recovery Standing SlowReading Requests],
    }
    replies {
        a_handler_that_returns_nothing_answers_a_request_without_data [Requests],
        a_handler_that_returns_nothing_says_nothing_unasked [Requests],
        a_value_answers_a_request_however_empty_it_looks [Requests],
        a_value_is_sent_unasked_under_the_events_name [RepliesAsEvents Requests],
        a_value_nobody_asked_for_is_not_sent [RepliesAsAcks Requests],
        a_frame_has_exactly_the_keys_of_the_contract [RepliesAsEvents TextIds],
        a_response_reroutes_its_value_to_its_own_event [Requests],
        data_that_looks_like_a_response_is_data [Requests],
        a_stream_sends_each_item_and_then_its_end [Requests],
        a_stream_nobody_asked_for_sends_its_items_alone [Requests],
        an_error_amid_a_stream_ends_it_as_an_exception [Requests],
        an_error_nobody_asked_for_is_an_exception_event [Requests],
        an_error_answers_its_request [Requests],
        an_exception_of_an_object_is_sent_as_that_object [Requests],
        an_error_of_the_application_keeps_its_message_and_code [Requests],
        an_internal_error_tells_the_client_nothing_but_a_log_id [Requests],
        an_exception_does_not_repeat_the_requests_data [Requests],
        an_exception_repeats_the_requests_data_when_told_to [Requests],
        a_body_that_does_not_fit_names_the_field [Requests],
        a_field_of_the_body_can_be_taken_alone [Requests],
        an_unknown_event_is_named [Requests],
        reserved_events_are_unknown_to_clients [Requests],
        a_handler_that_takes_the_ack_answers_by_itself [Requests],
        a_response_beside_a_taken_ack_is_still_sent [Requests],
        the_connection_stays_open_after_an_exception [Requests],
    }
    rooms {
        a_room_is_heard_by_its_members_and_by_nobody_else [Requests],
        membership_ends_with_leave_and_with_disconnect [Requests],
        a_client_is_reached_by_its_id [Requests],
        namespaces_do_not_hear_each_other [Requests],
        several_rooms_and_exceptions_make_one_set_of_receivers [Requests],
        the_sockets_of_a_selection_are_those_that_an_emit_reaches [Requests],
        a_rooms_messages_arrive_in_the_order_emitted [Requests],
        a_crowd_hears_everything_in_the_order_in_which_it_was_said [Requests],
        a_crowd_is_counted_as_it_is_when_somebody_speaks [Requests],
        an_emit_counts_its_receivers [Requests],
        a_client_may_be_in_so_many_rooms_and_no_more [Requests],
        each_client_has_its_own_state [Requests],
    }
    slow {
        a_client_that_does_not_read_is_closed_by_default [SlowReading Requests],
        drop_oldest_keeps_the_newest_and_says_what_is_missing [SlowReading Requests],
        drop_newest_keeps_the_oldest_and_says_what_is_missing [SlowReading Requests],
        a_client_that_does_not_read_delays_nobody [SlowReading Requests],
        volatile_messages_go_first [SlowReading Requests],
        a_client_that_does_not_read_can_be_cut [SlowReading Standing Requests],
    }
    startup {
        a_duplicate_event_names_both_places,
        a_reserved_event_is_refused_for_handlers,
        a_missing_provider_is_named_with_who_needs_it,
        a_cycle_of_providers_is_shown,
        an_option_without_sense_is_named,
        a_namespace_that_is_no_path_is_named,
        a_gateway_and_its_server_are_injected_elsewhere [Requests],
        a_gateway_listed_twice_is_one_gateway [Requests],
    }
    streams {
        a_client_talks_on_while_its_stream_runs [Requests],
        many_streams_of_one_client_run_at_once [Requests RepliesAsEvents],
        a_long_stream_arrives_whole_and_in_order [Requests],
        what_a_producer_sends_between_its_items_keeps_its_place,
        a_producer_waits_for_a_reader_that_stands_still [SlowReading Requests],
        a_stream_is_dropped_when_its_client_leaves,
        a_request_is_cancelled_by_its_id [Requests],
        all_streams_of_an_event_are_cancelled_by_its_name [Requests],
        a_text_is_tried_as_an_id_before_it_is_an_event [TextIds],
        cancelling_what_does_not_run_is_no_error [Requests],
        a_handler_learns_of_its_cancellation_by_its_token [Requests],
    }
}

/// Runs properties against an adapter, each as a test of its own name.
///
/// `adapter_conformance!(my_adapter)` runs all that the powers of the subject
/// allow, where `my_adapter` is a function `fn() -> Subject`; the others pass
/// and say so. With a list behind it, in their modules, those of the list
/// are run, and one more test compares the list with the powers: so the file
/// shows what the adapter keeps.
#[macro_export]
macro_rules! adapter_conformance {
    (subject: $subject:expr; $($module:ident { $($name:ident),* $(,)? })*) => {
        $(mod $module {
            #[allow(unused_imports, reason = "the subject may be given by a path")]
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let property = $crate::conformance::Property::find(
                    stringify!($module),
                    stringify!($name),
                );
                property.expect("the suite has it").run($subject()).await;
            })*
        })*

        #[test]
        fn the_list_has_every_property_that_applies() {
            let listed = [$($(concat!(stringify!($module), "::", stringify!($name)),)*)*];
            $crate::conformance::assert_complete(&$subject(), &listed);
        }
    };
    ($subject:expr $(,)?) => {
        $crate::__conformance_to_all!($subject);
    };
}

/// Panics unless `listed` (`module::name`) are exactly the properties that
/// apply to the subject.
pub fn assert_complete(subject: &Subject, listed: &[&str]) {
    let name = |property: &Property| format!("{}::{}", property.module, property.name);
    let missing: Vec<String> = PROPERTIES
        .iter()
        .filter(|property| property.applies_to(subject))
        .map(name)
        .filter(|name| !listed.contains(&name.as_str()))
        .collect();
    let excess: Vec<_> = listed
        .iter()
        .filter(|listed| {
            !PROPERTIES
                .iter()
                .any(|property| property.applies_to(subject) && name(property) == **listed)
        })
        .collect();
    assert!(
        missing.is_empty() && excess.is_empty(),
        "the list of {} lacks {missing:#?} and has too much: {excess:#?}",
        subject.name()
    );
}
