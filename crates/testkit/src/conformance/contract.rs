//! Which property proves which line of CONTRACT.md.

use std::fmt::Write as _;

/// One line of the contract.
#[derive(Clone, Copy, Debug)]
pub struct ContractLine {
    /// The section's number in CONTRACT.md.
    pub section: u8,
    /// What it says, in short.
    pub text: &'static str,
    /// The properties that prove it, as `module::name`. Those of `hosting`
    /// are tests of their own, since they are about ports and not about an
    /// adapter's clients.
    pub properties: &'static [&'static str],
}

/// The table as Markdown, for the book.
pub fn contract_table() -> String {
    let mut out = String::from("| section | the contract says | proven by |\n|---|---|---|\n");
    for line in CONTRACT {
        let properties: Vec<_> = line
            .properties
            .iter()
            .map(|property| format!("`{property}`"))
            .collect();
        let text = line.text.replace('|', "\\|");
        let properties = properties.join("<br>");
        writeln!(out, "| {} | {text} | {properties} |", line.section)
            .expect("a String takes every write");
    }
    out
}

/// The contract, as far as an adapter can break it.
pub const CONTRACT: &[ContractLine] = &[
    ContractLine {
        section: 1,
        text: "`MessageBody`, `#[body(\"field\")]`, and a field problem is named",
        properties: &[
            "replies::a_field_of_the_body_can_be_taken_alone",
            "replies::a_body_that_does_not_fit_names_the_field",
        ],
    },
    ContractLine {
        section: 1,
        text: "guards see client, event, data, handshake and metadata",
        properties: &["pipeline::a_guard_sees_client_event_data_and_handshake"],
    },
    ContractLine {
        section: 1,
        text: "`Ack`, `State<T>`, `Auth<T>`, `Binary`, `CancellationToken`, path parameters",
        properties: &[
            "replies::a_handler_that_takes_the_ack_answers_by_itself",
            "rooms::each_client_has_its_own_state",
            "lifecycle::a_connection_guard_leaves_the_clients_identity",
            "limits::binary_data_arrives_as_it_was_sent",
            "streams::a_handler_learns_of_its_cancellation_by_its_token",
            "lifecycle::a_namespace_has_path_parameters",
        ],
    },
    ContractLine {
        section: 1,
        text: "`server.emit`, `.to(..)`, `.except(..)`, `.volatile()`, `client.to(..)`",
        properties: &[
            "rooms::a_room_is_heard_by_its_members_and_by_nobody_else",
            "rooms::several_rooms_and_exceptions_make_one_set_of_receivers",
            "rooms::an_emit_counts_its_receivers",
            "slow::volatile_messages_go_first",
        ],
    },
    ContractLine {
        section: 1,
        text: "`.sockets()`",
        properties: &["rooms::the_sockets_of_a_selection_are_those_that_an_emit_reaches"],
    },
    ContractLine {
        section: 1,
        text: "`client.emit_with_ack`, `server.timeout(d).emit_with_ack::<T>(..)`",
        properties: &[
            "acks::a_handler_asks_its_client_and_gets_the_answer",
            "acks::a_room_is_asked_and_each_member_answers",
            "acks::a_room_is_asked_and_who_does_not_answer_is_named",
            "acks::a_question_without_an_answer_times_out",
            "acks::many_questions_at_once_find_their_own_answers",
            "acks::a_question_to_a_client_that_leaves_ends",
        ],
    },
    ContractLine {
        section: 1,
        text: "`client.disconnect`, with a code of the application's own",
        properties: &[
            "close::a_client_that_the_server_disconnects_is_told",
            "close::what_was_emitted_before_a_disconnect_arrives",
            "close::an_application_closes_with_a_code_of_its_own",
        ],
    },
    ContractLine {
        section: 1,
        text: "`client.close_connection`, `.close_connections` of a selection: with all namespaces of the connection",
        properties: &[
            "close::a_client_whose_connection_is_closed_is_told",
            "close::closing_a_connection_ends_its_clients_of_all_namespaces",
        ],
    },
    ContractLine {
        section: 1,
        text: "`#[subscribe_any]`: events that nobody subscribed to; `OnGatewayEmit`: all that is sent",
        properties: &[
            "catch_all::what_nobody_subscribed_to_goes_to_the_handler_of_all_others",
            "catch_all::a_handler_of_all_others_does_not_get_names_of_the_protocol",
            "catch_all::an_observer_hears_of_all_that_is_sent_once",
            "catch_all::an_observer_that_panics_is_not_noticed",
        ],
    },
    ContractLine {
        section: 1,
        text: "the server of a pattern stands for all of its paths, `server.at(path)` and a handler's `Server` for one",
        properties: &[
            "paths::the_server_of_a_pattern_reaches_all_of_its_paths",
            "paths::all_paths_of_a_pattern_are_asked",
            "paths::the_server_of_one_path_reaches_that_path_alone",
            "paths::each_path_has_its_own_clients",
            "paths::an_observer_hears_at_which_path",
        ],
    },
    ContractLine {
        section: 2,
        text: "unknown path 404; plain GET 426; bad version 426; bad key 400",
        properties: &[
            "lifecycle::an_unknown_namespace_is_refused",
            "lifecycle::a_plain_get_at_a_namespace_is_told_to_upgrade",
            "lifecycle::a_wrong_upgrade_request_gets_its_status",
        ],
    },
    ContractLine {
        section: 2,
        text: "foreign Origin 403, foreign Host 421; refused by a connection guard 401/403",
        properties: &[
            "lifecycle::a_foreign_origin_is_refused",
            "lifecycle::a_host_that_is_not_listed_is_refused",
            "lifecycle::a_connection_guard_refuses_before_the_client_is_in",
        ],
    },
    ContractLine {
        section: 2,
        text: "path parameters, whose spelling in the URL does not matter",
        properties: &[
            "lifecycle::a_namespace_has_path_parameters",
            "paths::a_path_is_one_in_all_its_spellings",
        ],
    },
    ContractLine {
        section: 2,
        text: "text or binary frame with JSON; a binary frame that is not goes to the binary handler",
        properties: &[
            "limits::a_binary_frame_may_carry_the_envelope",
            "limits::a_binary_frame_goes_to_the_binary_handler_or_is_an_exception",
        ],
    },
    ContractLine {
        section: 2,
        text: "unknown keys are ignored; of duplicate keys the last wins",
        properties: &["limits::unknown_keys_are_ignored_and_the_last_of_duplicates_wins"],
    },
    ContractLine {
        section: 2,
        text: "server to client `{event, data}`, with `id` when it answers a request, and nothing else",
        properties: &["replies::a_frame_has_exactly_the_keys_of_the_contract"],
    },
    ContractLine {
        section: 2,
        text: "server asks the client, the client answers `{ack, data}`",
        properties: &[
            "acks::a_handler_asks_its_client_and_gets_the_answer",
            "acks::an_answer_to_no_question_is_ignored",
            "acks::a_question_is_answered_by_the_client_that_was_asked",
        ],
    },
    ContractLine {
        section: 2,
        text: "`Native::at(\"/ws\")`; only configured subprotocols; a plain GET belongs to the user's route if there is one",
        properties: &[
            "hosting::a_prefix_moves_every_namespace",
            "hosting::only_configured_subprotocols_are_accepted",
            "hosting::a_plain_get_at_a_gateways_path_belongs_to_the_users_route",
        ],
    },
    ContractLine {
        section: 3,
        text: "connection state recovery: id, rooms, client state and missed events; `recovered` is visible",
        properties: &[
            "recovery::a_lost_client_comes_back_with_all_that_it_had_and_missed",
            "recovery::an_emit_reaches_a_client_that_is_away",
            "recovery::nothing_is_lost_or_doubled_while_a_client_comes_and_goes",
            "recovery::volatile_events_are_not_sent_again",
            "recovery::a_client_may_come_back_more_than_once",
            "recovery::a_client_that_notices_the_loss_first_takes_its_place_over",
        ],
    },
    ContractLine {
        section: 3,
        text: "a client that is away, or comes back, is in the rooms of its own path",
        properties: &[
            "paths::a_client_that_comes_back_is_at_its_path",
            "paths::a_recovered_client_is_in_the_rooms_of_its_path",
            "paths::a_path_ends_with_the_client_that_did_not_come_back",
        ],
    },
    ContractLine {
        section: 3,
        text: "namespaces of a pattern on one connection are as apart as any two",
        properties: &["paths::one_connection_is_a_client_of_each_path"],
    },
    ContractLine {
        section: 3,
        text: "a client that cannot come back, or missed too much, begins anew and is told",
        properties: &[
            "recovery::a_client_that_missed_too_much_begins_anew_and_is_told",
            "recovery::a_client_that_comes_back_too_late_begins_anew",
            "recovery::a_client_that_left_on_purpose_begins_anew",
            "recovery::a_wrong_session_or_offset_begins_anew",
            "recovery::a_session_belongs_to_its_namespace",
        ],
    },
    ContractLine {
        section: 3,
        text: "what is kept for recovery is bounded in clients, events, bytes and time",
        properties: &[
            "recovery::what_is_kept_of_a_client_is_bounded_in_bytes",
            "recovery::what_is_kept_of_all_clients_is_bounded_in_bytes",
            "recovery::so_many_clients_may_be_away_and_no_more",
            "recovery::a_client_that_was_too_slow_may_come_back",
        ],
    },
    ContractLine {
        section: 3,
        text: "guards run again on recovery",
        properties: &["recovery::guards_are_asked_again_about_a_client_that_comes_back"],
    },
    ContractLine {
        section: 4,
        text: "`()` / `None`",
        properties: &[
            "replies::a_handler_that_returns_nothing_answers_a_request_without_data",
            "replies::a_handler_that_returns_nothing_says_nothing_unasked",
        ],
    },
    ContractLine {
        section: 4,
        text: "value (0, false, \"\" too)",
        properties: &[
            "replies::a_value_answers_a_request_however_empty_it_looks",
            "replies::a_value_is_sent_unasked_under_the_events_name",
            "replies::a_value_nobody_asked_for_is_not_sent",
        ],
    },
    ContractLine {
        section: 4,
        text: "`WsResponse::new(e2, v)`",
        properties: &["replies::a_response_reroutes_its_value_to_its_own_event"],
    },
    ContractLine {
        section: 4,
        text: "stream of values, stream of `WsResponse`",
        properties: &[
            "replies::a_stream_sends_each_item_and_then_its_end",
            "replies::a_stream_nobody_asked_for_sends_its_items_alone",
        ],
    },
    ContractLine {
        section: 4,
        text: "`Err`, panic",
        properties: &[
            "replies::an_error_nobody_asked_for_is_an_exception_event",
            "replies::an_error_answers_its_request",
            "replies::an_error_amid_a_stream_ends_it_as_an_exception",
        ],
    },
    ContractLine {
        section: 4,
        text: "only the type reroutes a reply",
        properties: &["replies::data_that_looks_like_a_response_is_data"],
    },
    ContractLine {
        section: 4,
        text: "`Ack` taken by value; a returned `WsResponse` is still sent",
        properties: &[
            "replies::a_handler_that_takes_the_ack_answers_by_itself",
            "replies::a_response_beside_a_taken_ack_is_still_sent",
        ],
    },
    ContractLine {
        section: 5,
        text: "`exception` with status, message, code, details, cause; an object is sent as it is",
        properties: &[
            "replies::an_error_nobody_asked_for_is_an_exception_event",
            "replies::an_exception_of_an_object_is_sent_as_that_object",
        ],
    },
    ContractLine {
        section: 5,
        text: "to an ack or id the same object is the answer",
        properties: &["replies::an_error_answers_its_request"],
    },
    ContractLine {
        section: 5,
        text: "the request's data is not echoed unless switched on",
        properties: &[
            "replies::an_exception_does_not_repeat_the_requests_data",
            "replies::an_exception_repeats_the_requests_data_when_told_to",
        ],
    },
    ContractLine {
        section: 5,
        text: "errors of the application keep message and code; others and panics are internal, with a log id",
        properties: &[
            "replies::an_error_of_the_application_keeps_its_message_and_code",
            "replies::an_internal_error_tells_the_client_nothing_but_a_log_id",
        ],
    },
    ContractLine {
        section: 5,
        text: "guard says false: \"Forbidden resource\"",
        properties: &["pipeline::a_guards_no_stops_the_message"],
    },
    ContractLine {
        section: 5,
        text: "bad body: code `bad_request`, the field paths in `details`",
        properties: &["replies::a_body_that_does_not_fit_names_the_field"],
    },
    ContractLine {
        section: 5,
        text: "unknown event: says so and names it (policy: error, ignore, close)",
        properties: &[
            "replies::an_unknown_event_is_named",
            "limits::unknown_events_are_ignored_if_the_policy_says_so",
            "limits::an_unknown_event_closes_if_the_policy_says_so",
        ],
    },
    ContractLine {
        section: 5,
        text: "malformed frame: exception, counted; after a limit 1008",
        properties: &[
            "limits::a_malformed_frame_is_an_exception_and_no_more",
            "limits::a_client_that_sends_only_noise_is_closed",
            "limits::noise_of_one_client_does_not_disturb_another",
        ],
    },
    ContractLine {
        section: 5,
        text: "reserved names are refused at start-up and unknown to clients",
        properties: &[
            "startup::a_reserved_event_is_refused_for_handlers",
            "replies::reserved_events_are_unknown_to_clients",
        ],
    },
    ContractLine {
        section: 5,
        text: "the connection stays open after an exception (policy `close`: 1008 for denial)",
        properties: &[
            "replies::the_connection_stays_open_after_an_exception",
            "pipeline::a_denied_client_is_closed_if_the_policy_says_so",
        ],
    },
    ContractLine {
        section: 6,
        text: "guards, interceptors, pipes: global, gateway, method, argument; interceptors outwards in reverse",
        properties: &["pipeline::the_pipeline_runs_from_global_to_method_and_back"],
    },
    ContractLine {
        section: 6,
        text: "stop at the first no",
        properties: &["pipeline::a_guards_no_stops_the_message"],
    },
    ContractLine {
        section: 6,
        text: "interceptors map, short-circuit, run again; per stream item too",
        properties: &[
            "pipeline::interceptors_map_short_circuit_and_time_out",
            "pipeline::an_interceptor_may_run_the_handler_again",
            "pipeline::an_interceptor_maps_each_item_of_a_stream",
        ],
    },
    ContractLine {
        section: 6,
        text: "pipes on the payload only",
        properties: &["pipeline::a_pipe_changes_or_refuses_the_body"],
    },
    ContractLine {
        section: 6,
        text: "an error passes the interceptors outwards, then exactly one filter: method, gateway, global",
        properties: &[
            "pipeline::an_error_passes_the_interceptors_and_then_one_filter",
            "pipeline::the_nearest_filter_that_fits_gets_the_error",
        ],
    },
    ContractLine {
        section: 6,
        text: "a filter may answer, and if it fails the client gets the internal error and stays",
        properties: &[
            "pipeline::a_filter_may_answer_in_place_of_the_error",
            "pipeline::a_filter_that_fails_costs_its_message_only",
        ],
    },
    ContractLine {
        section: 6,
        text: "dropping the inner future cancels the handler",
        properties: &["pipeline::interceptors_map_short_circuit_and_time_out"],
    },
    ContractLine {
        section: 6,
        text: "global ones apply to every gateway; all are providers, resolved once",
        properties: &["pipeline::global_enhancers_apply_to_every_gateway_and_exist_once"],
    },
    ContractLine {
        section: 7,
        text: "every `after_init` awaited; an error stops start-up",
        properties: &[
            "lifecycle::every_after_init_ends_before_a_client_can_connect",
            "lifecycle::a_failing_after_init_stops_the_start_up",
        ],
    },
    ContractLine {
        section: 7,
        text: "duplicate events, missing providers, cycles, bad options: error naming both places",
        properties: &[
            "startup::a_duplicate_event_names_both_places",
            "startup::a_missing_provider_is_named_with_who_needs_it",
            "startup::a_cycle_of_providers_is_shown",
            "startup::an_option_without_sense_is_named",
            "startup::a_namespace_that_is_no_path_is_named",
        ],
    },
    ContractLine {
        section: 7,
        text: "`can_connect` before the client is in; typed identity for `Auth<T>`",
        properties: &[
            "lifecycle::a_connection_guard_refuses_before_the_client_is_in",
            "lifecycle::a_connection_guard_leaves_the_clients_identity",
            "lifecycle::a_refused_namespace_leaves_the_connections_others_alone",
        ],
    },
    ContractLine {
        section: 7,
        text: "`on_connection` before the first message; messages that arrive meanwhile wait",
        properties: &["lifecycle::messages_wait_for_the_end_of_on_connection"],
    },
    ContractLine {
        section: 7,
        text: "`Err` or panic there: told and closed, nothing it sent is handled",
        properties: &["lifecycle::a_client_that_on_connection_refuses_is_told_and_closed"],
    },
    ContractLine {
        section: 7,
        text: "what `on_connection` emits arrives first",
        properties: &[
            "lifecycle::what_on_connection_emits_arrives_first",
            "lifecycle::a_hundred_clients_connect_at_once",
        ],
    },
    ContractLine {
        section: 7,
        text: "`on_disconnect` exactly once, after the last handler, typed reason, rooms and state readable",
        properties: &[
            "lifecycle::on_disconnect_runs_once_with_rooms_and_state",
            "lifecycle::on_disconnect_runs_once_for_a_client_that_was_cut",
            "lifecycle::on_disconnect_waits_for_the_last_handler",
            "lifecycle::what_a_client_left_unhandled_does_not_keep_it",
            "lifecycle::a_panic_in_on_disconnect_harms_nobody_else",
            "close::the_disconnect_reason_has_the_clients_code_and_text",
        ],
    },
    ContractLine {
        section: 7,
        text: "two gateways may share a namespace; one registered twice is one instance",
        properties: &[
            "lifecycle::two_gateways_share_a_namespace",
            "startup::a_gateway_listed_twice_is_one_gateway",
        ],
    },
    ContractLine {
        section: 7,
        text: "`port = N` and `adapter = ..` of a gateway",
        properties: &[
            "hosting::a_gateway_with_a_port_has_a_listener_of_its_own",
            "hosting::a_gateway_may_choose_its_adapter",
        ],
    },
    ContractLine {
        section: 8,
        text: "every client is in the room of its own id",
        properties: &[
            "rooms::a_client_is_reached_by_its_id",
            "paths::a_client_is_reached_by_its_id_in_its_path",
        ],
    },
    ContractLine {
        section: 8,
        text: "membership ends with leave or disconnect; empty rooms vanish",
        properties: &[
            "rooms::membership_ends_with_leave_and_with_disconnect",
            "paths::membership_in_one_path_is_none_in_another",
        ],
    },
    ContractLine {
        section: 8,
        text: "per receiver, messages of one emitter arrive in the order emitted",
        properties: &[
            "rooms::a_rooms_messages_arrive_in_the_order_emitted",
            "rooms::a_crowd_hears_everything_in_the_order_in_which_it_was_said",
            "order::emits_of_one_handler_arrive_in_order_and_before_its_reply",
        ],
    },
    ContractLine {
        section: 8,
        text: "an emit never waits for a client, and counts its receivers",
        properties: &[
            "slow::a_client_that_does_not_read_delays_nobody",
            "rooms::an_emit_counts_its_receivers",
            "rooms::a_crowd_is_counted_as_it_is_when_somebody_speaks",
        ],
    },
    ContractLine {
        section: 8,
        text: "`server` of a gateway never reaches another namespace",
        properties: &["rooms::namespaces_do_not_hear_each_other"],
    },
    ContractLine {
        section: 8,
        text: "each path of a pattern is a namespace of its own; it begins with its first client and ends with its last",
        properties: &[
            "paths::what_a_client_sends_stays_in_its_path",
            "paths::a_path_is_forgotten_when_its_last_client_has_left",
            "paths::a_refused_client_leaves_no_path",
            "paths::clients_that_come_and_go_are_where_the_others_are",
        ],
    },
    ContractLine {
        section: 8,
        text: "a room, and a path of a pattern, holds clients of both adapters",
        properties: &[
            "hosting::a_room_holds_clients_of_both_adapters",
            "hosting::a_path_holds_clients_of_both_adapters",
        ],
    },
    ContractLine {
        section: 9,
        text: "one after another in the order received, guards included",
        properties: &[
            "order::messages_of_one_client_are_handled_in_order",
            "order::an_async_guard_does_not_reorder_messages",
            "order::a_slow_handler_delays_what_its_client_sends_next",
            "order::a_message_sees_what_the_one_before_it_did",
        ],
    },
    ContractLine {
        section: 9,
        text: "backpressure is the transport's own",
        properties: &["order::a_client_that_sends_too_fast_is_held_up_and_loses_nothing"],
    },
    ContractLine {
        section: 9,
        text: "`concurrent`, bounded by `max_in_flight`",
        properties: &[
            "order::concurrent_handlers_run_beside_the_queue",
            "order::concurrent_handlers_are_bounded_for_each_client",
        ],
    },
    ContractLine {
        section: 9,
        text: "outbox full: `close`, `drop_oldest`, `drop_newest` with a `gap` notice; volatile first",
        properties: &[
            "slow::a_client_that_does_not_read_is_closed_by_default",
            "slow::drop_oldest_keeps_the_newest_and_says_what_is_missing",
            "slow::drop_newest_keeps_the_oldest_and_says_what_is_missing",
            "slow::volatile_messages_go_first",
            "slow::a_client_that_does_not_read_can_be_cut",
        ],
    },
    ContractLine {
        section: 9,
        text: "streams wait for room; dropped within 100 ms when the client leaves; many at once",
        properties: &[
            "streams::a_producer_waits_for_a_reader_that_stands_still",
            "streams::a_stream_is_dropped_when_its_client_leaves",
            "streams::many_streams_of_one_client_run_at_once",
            "streams::a_long_stream_arrives_whole_and_in_order",
            "streams::what_a_producer_sends_between_its_items_keeps_its_place",
            "streams::a_client_talks_on_while_its_stream_runs",
        ],
    },
    ContractLine {
        section: 9,
        text: "cancel by id or event name; cancelling what is not running is not an error",
        properties: &[
            "streams::a_request_is_cancelled_by_its_id",
            "streams::all_streams_of_an_event_are_cancelled_by_its_name",
            "streams::a_text_is_tried_as_an_id_before_it_is_an_event",
            "streams::cancelling_what_does_not_run_is_no_error",
            "streams::a_handler_learns_of_its_cancellation_by_its_token",
        ],
    },
    ContractLine {
        section: 10,
        text: "message 1,000,000 bytes: 1009",
        properties: &[
            "limits::a_message_above_the_limit_is_1009",
            "limits::a_message_of_a_million_bytes_fits",
        ],
    },
    ContractLine {
        section: 10,
        text: "request head: 431",
        properties: &["close::a_request_head_that_is_too_large_is_431"],
    },
    ContractLine {
        section: 10,
        text: "connections, when limited: 503 and Retry-After; of one address: 429",
        properties: &[
            "limits::a_client_above_the_limit_is_refused_with_503",
            "limits::an_address_has_so_many_clients_and_no_more",
        ],
    },
    ContractLine {
        section: 10,
        text: "rooms per client",
        properties: &["rooms::a_client_may_be_in_so_many_rooms_and_no_more"],
    },
    ContractLine {
        section: 10,
        text: "event name 128 bytes; JSON depth; every JSON value survives",
        properties: &[
            "limits::an_event_name_may_have_128_bytes",
            "limits::a_malformed_frame_is_an_exception_and_no_more",
            "limits::json_comes_back_as_it_went",
        ],
    },
    ContractLine {
        section: 10,
        text: "ping interval and timeout",
        properties: &["close::a_client_that_ignores_pings_is_dropped"],
    },
    ContractLine {
        section: 10,
        text: "ack waits; handler deadline; message rate; life of a connection",
        properties: &[
            "acks::a_question_without_an_answer_times_out",
            "limits::a_handler_above_its_deadline_is_cancelled",
            "limits::a_client_above_its_rate_gets_exceptions",
            "close::a_connection_above_its_age_is_closed",
        ],
    },
    ContractLine {
        section: 10,
        text: "drain at shutdown",
        properties: &[
            "drain::a_handler_that_never_ends_does_not_hold_up_the_shutdown",
            "drain::a_client_that_does_not_read_does_not_hold_up_the_shutdown",
        ],
    },
    ContractLine {
        section: 11,
        text: "RFC 6455 violations are answered with a close frame: 1002, 1007, 1009",
        properties: &[
            "close::a_breach_of_rfc_6455_is_answered_with_its_code",
            "close::a_message_amid_fragments_is_1002",
            "close::the_close_frame_arrives_while_the_client_still_sends",
            "close::a_close_is_echoed_and_the_server_ends_the_connection",
            "close::a_ping_is_answered_amid_fragments",
            "close::frames_may_come_byte_by_byte",
        ],
    },
    ContractLine {
        section: 11,
        text: "shutdown: no new clients, clients told",
        properties: &[
            "drain::no_client_gets_in_during_a_shutdown",
            "drain::clients_are_told_that_the_server_goes",
        ],
    },
    ContractLine {
        section: 11,
        text: "handlers in flight finish and their replies are delivered, `on_disconnect` awaited",
        properties: &[
            "drain::handlers_in_flight_finish_and_their_replies_arrive",
            "drain::replies_queued_before_a_shutdown_arrive",
            "drain::clients_are_told_that_the_server_goes",
        ],
    },
    ContractLine {
        section: 11,
        text: "streams dropped",
        properties: &["drain::streams_are_dropped_at_shutdown"],
    },
    ContractLine {
        section: 12,
        text: "gateways are providers, injectable elsewhere; `ServerOf<Gateway>`",
        properties: &["startup::a_gateway_and_its_server_are_injected_elsewhere"],
    },
    ContractLine {
        section: 12,
        text: "`WebSocketServer` from anywhere; HTTP routes share port and providers; `into_router()` in somebody else's axum",
        properties: &[
            "hosting::the_server_of_a_gateway_reaches_its_clients_from_anywhere",
            "hosting::routes_and_gateways_share_the_port_and_the_providers",
            "hosting::somebody_elses_axum_hosts_the_whole_application",
        ],
    },
];
