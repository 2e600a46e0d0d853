//! The adapter without a wire keeps these properties.

use std::sync::Arc;

use nest_gateway_testkit::adapter_conformance;
use nest_gateway_testkit::conformance::{Power, Setup, Subject};
use nest_gateway_testkit::memory::Memory;

fn subject() -> Subject {
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
        Power::SlowReading,
        Power::Standing,
    ];
    Subject::new("memory", powers, || {
        let memory = Memory::new();
        let adapter = memory.adapter();
        Setup {
            mount: Box::new(|app| app.adapter(adapter)),
            connect: Box::new(move |_| Arc::new(memory.connector())),
        }
    })
}

adapter_conformance! {
    subject: subject;
    acks {
        a_handler_asks_its_client_and_gets_the_answer,
        a_question_without_an_answer_times_out,
        an_answer_to_no_question_is_ignored,
        a_question_is_answered_by_the_client_that_was_asked,
        a_room_is_asked_and_each_member_answers,
        a_room_is_asked_and_who_does_not_answer_is_named,
        many_questions_at_once_find_their_own_answers,
        a_question_to_a_client_that_leaves_ends,
    }
    catch_all {
        what_nobody_subscribed_to_goes_to_the_handler_of_all_others,
        a_handler_of_all_others_does_not_get_names_of_the_protocol,
        an_observer_hears_of_all_that_is_sent_once,
        an_observer_that_panics_is_not_noticed,
    }
    close {
        a_client_that_the_server_disconnects_is_told,
        what_was_emitted_before_a_disconnect_arrives,
        a_client_whose_connection_is_closed_is_told,
        an_application_closes_with_a_code_of_its_own,
        the_disconnect_reason_has_the_clients_code_and_text,
        a_connection_above_its_age_is_closed,
    }
    drain {
        clients_are_told_that_the_server_goes,
        handlers_in_flight_finish_and_their_replies_arrive,
        no_client_gets_in_during_a_shutdown,
        streams_are_dropped_at_shutdown,
        a_handler_that_never_ends_does_not_hold_up_the_shutdown,
        a_client_that_does_not_read_does_not_hold_up_the_shutdown,
        replies_queued_before_a_shutdown_arrive,
    }
    lifecycle {
        every_after_init_ends_before_a_client_can_connect,
        a_failing_after_init_stops_the_start_up,
        messages_wait_for_the_end_of_on_connection,
        a_client_that_on_connection_refuses_is_told_and_closed,
        what_on_connection_emits_arrives_first,
        on_disconnect_runs_once_with_rooms_and_state,
        on_disconnect_runs_once_for_a_client_that_was_cut,
        on_disconnect_waits_for_the_last_handler,
        what_a_client_left_unhandled_does_not_keep_it,
        a_panic_in_on_disconnect_harms_nobody_else,
        two_gateways_share_a_namespace,
        a_namespace_has_path_parameters,
        a_connection_guard_refuses_before_the_client_is_in,
        a_connection_guard_leaves_the_clients_identity,
        an_unknown_namespace_is_refused,
        a_foreign_origin_is_refused,
        a_host_that_is_not_listed_is_refused,
        a_hundred_clients_connect_at_once,
    }
    limits {
        a_malformed_frame_is_an_exception_and_no_more,
        unknown_keys_are_ignored_and_the_last_of_duplicates_wins,
        a_binary_frame_may_carry_the_envelope,
        a_binary_frame_goes_to_the_binary_handler_or_is_an_exception,
        a_client_that_sends_only_noise_is_closed,
        a_message_of_a_million_bytes_fits,
        an_event_name_may_have_128_bytes,
        json_comes_back_as_it_went,
        unknown_events_are_ignored_if_the_policy_says_so,
        an_unknown_event_closes_if_the_policy_says_so,
        a_client_above_the_limit_is_refused_with_503,
        a_client_above_its_rate_gets_exceptions,
        a_handler_above_its_deadline_is_cancelled,
        noise_of_one_client_does_not_disturb_another,
    }
    order {
        messages_of_one_client_are_handled_in_order,
        an_async_guard_does_not_reorder_messages,
        a_slow_handler_delays_what_its_client_sends_next,
        concurrent_handlers_run_beside_the_queue,
        concurrent_handlers_are_bounded_for_each_client,
        a_client_that_sends_too_fast_is_held_up_and_loses_nothing,
        a_message_sees_what_the_one_before_it_did,
        emits_of_one_handler_arrive_in_order_and_before_its_reply,
    }
    paths {
        what_a_client_sends_stays_in_its_path,
        membership_in_one_path_is_none_in_another,
        the_server_of_a_pattern_reaches_all_of_its_paths,
        all_paths_of_a_pattern_are_asked,
        the_server_of_one_path_reaches_that_path_alone,
        each_path_has_its_own_clients,
        a_client_is_reached_by_its_id_in_its_path,
        a_path_is_forgotten_when_its_last_client_has_left,
        a_refused_client_leaves_no_path,
        clients_that_come_and_go_are_where_the_others_are,
        an_observer_hears_at_which_path,
    }
    pipeline {
        the_pipeline_runs_from_global_to_method_and_back,
        an_error_passes_the_interceptors_and_then_one_filter,
        a_guards_no_stops_the_message,
        a_denied_client_is_closed_if_the_policy_says_so,
        a_guard_sees_client_event_data_and_handshake,
        interceptors_map_short_circuit_and_time_out,
        an_interceptor_may_run_the_handler_again,
        an_interceptor_maps_each_item_of_a_stream,
        a_pipe_changes_or_refuses_the_body,
        the_nearest_filter_that_fits_gets_the_error,
        a_filter_may_answer_in_place_of_the_error,
        a_filter_that_fails_costs_its_message_only,
        global_enhancers_apply_to_every_gateway_and_exist_once,
    }
    replies {
        a_handler_that_returns_nothing_answers_a_request_without_data,
        a_handler_that_returns_nothing_says_nothing_unasked,
        a_value_answers_a_request_however_empty_it_looks,
        a_value_is_sent_unasked_under_the_events_name,
        a_frame_has_exactly_the_keys_of_the_contract,
        a_response_reroutes_its_value_to_its_own_event,
        data_that_looks_like_a_response_is_data,
        a_stream_sends_each_item_and_then_its_end,
        a_stream_nobody_asked_for_sends_its_items_alone,
        an_error_amid_a_stream_ends_it_as_an_exception,
        an_error_nobody_asked_for_is_an_exception_event,
        an_error_answers_its_request,
        an_exception_of_an_object_is_sent_as_that_object,
        an_error_of_the_application_keeps_its_message_and_code,
        an_internal_error_tells_the_client_nothing_but_a_log_id,
        an_exception_does_not_repeat_the_requests_data,
        an_exception_repeats_the_requests_data_when_told_to,
        a_body_that_does_not_fit_names_the_field,
        a_field_of_the_body_can_be_taken_alone,
        an_unknown_event_is_named,
        reserved_events_are_unknown_to_clients,
        a_handler_that_takes_the_ack_answers_by_itself,
        a_response_beside_a_taken_ack_is_still_sent,
        the_connection_stays_open_after_an_exception,
    }
    rooms {
        a_room_is_heard_by_its_members_and_by_nobody_else,
        membership_ends_with_leave_and_with_disconnect,
        a_client_is_reached_by_its_id,
        namespaces_do_not_hear_each_other,
        several_rooms_and_exceptions_make_one_set_of_receivers,
        the_sockets_of_a_selection_are_those_that_an_emit_reaches,
        a_rooms_messages_arrive_in_the_order_emitted,
        a_crowd_hears_everything_in_the_order_in_which_it_was_said,
        a_crowd_is_counted_as_it_is_when_somebody_speaks,
        an_emit_counts_its_receivers,
        a_client_may_be_in_so_many_rooms_and_no_more,
        each_client_has_its_own_state,
    }
    slow {
        a_client_that_does_not_read_is_closed_by_default,
        drop_oldest_keeps_the_newest_and_says_what_is_missing,
        drop_newest_keeps_the_oldest_and_says_what_is_missing,
        a_client_that_does_not_read_delays_nobody,
        volatile_messages_go_first,
        a_client_that_does_not_read_can_be_cut,
    }
    startup {
        a_duplicate_event_names_both_places,
        a_reserved_event_is_refused_for_handlers,
        a_missing_provider_is_named_with_who_needs_it,
        a_cycle_of_providers_is_shown,
        an_option_without_sense_is_named,
        a_namespace_that_is_no_path_is_named,
        a_gateway_and_its_server_are_injected_elsewhere,
        a_gateway_listed_twice_is_one_gateway,
    }
    streams {
        a_client_talks_on_while_its_stream_runs,
        many_streams_of_one_client_run_at_once,
        a_long_stream_arrives_whole_and_in_order,
        what_a_producer_sends_between_its_items_keeps_its_place,
        a_producer_waits_for_a_reader_that_stands_still,
        a_stream_is_dropped_when_its_client_leaves,
        a_request_is_cancelled_by_its_id,
        all_streams_of_an_event_are_cancelled_by_its_name,
        a_text_is_tried_as_an_id_before_it_is_an_event,
        cancelling_what_does_not_run_is_no_error,
        a_handler_learns_of_its_cancellation_by_its_token,
    }
}
