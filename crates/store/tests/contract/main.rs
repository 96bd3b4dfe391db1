//! What every store keeps, whichever database it uses: one set of tests, run on each.
//!
//! A test gets a [`Fixture`], which opens the store, and for those that outlive their process opens it again.

#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]

mod account_types;
mod audited_conversions;
mod certificates;
mod clients;
mod conversions;
mod days;
mod directory;
mod fixture;
mod founding;
mod funds;
mod histories;
mod interscheme;
mod journal;
mod notices;
mod outbox;
mod payments;
mod scheme;
mod settlement;
mod settlement_life;
mod settling;
mod units;

use fixture::Fixture;

/// Instantiates the tests: `everywhere` on all stores, `durable` on those that have something to reopen.
macro_rules! contract {
    (everywhere: { $($module:ident::$test:ident,)* } durable: { $($durable_module:ident::$durable:ident,)* }) => {
        mod memory {
            $(#[tokio::test] async fn $test() { super::$module::$test(super::Fixture::memory()).await })*
        }

        mod sqlite {
            $(#[tokio::test] async fn $test() { super::$module::$test(super::Fixture::sqlite()).await })*
            $(#[tokio::test] async fn $durable() { super::$durable_module::$durable(super::Fixture::sqlite()).await })*
        }

        mod postgres {
            $(#[tokio::test] async fn $test() { super::$module::$test(super::Fixture::postgres().await).await })*
            $(#[tokio::test] async fn $durable() {
                super::$durable_module::$durable(super::Fixture::postgres().await).await
            })*
        }
    };
}

contract! {
    everywhere: {
        account_types::a_second_account_type_of_a_name_is_refused_whatever_its_case,
        account_types::account_types_and_what_is_of_them_come_back_as_they_were_written,
        audited_conversions::books_with_conversions_and_proxies_are_right_at_every_step,
        certificates::a_certificate_is_recorded_once_and_listed_with_the_newest_first,
        certificates::a_certificate_is_revoked_once_and_for_good,
        certificates::however_many_revoke_at_once_one_does,
        clients::a_client_comes_back_as_it_was_written_in_every_state,
        clients::a_secret_is_what_was_kept_first_however_many_begin_at_once,
        conversions::a_conversion_claims_the_id_of_its_transfer_and_leaves_it_free,
        conversions::a_conversion_comes_back_as_it_was_stored_in_every_state,
        conversions::a_conversion_is_traced_without_its_transfer,
        conversions::a_payment_is_traced_by_every_id_of_it,
        conversions::a_transfer_brings_its_conversions_whether_it_exists_or_not,
        conversions::a_transfer_through_proxies_comes_back_as_it_was_stored,
        conversions::what_is_due_says_which_payment_it_is_part_of,
        directory::a_changed_directory_comes_back_as_it_was_written,
        directory::a_new_store_knows_the_hub_and_nobody_else,
        directory::a_party_is_registered_replaced_and_removed_by_its_currency,
        directory::an_endpoint_that_is_replaced_keeps_its_place,
        directory::each_unit_with_administrative_changes_makes_one_version,
        directory::only_an_empty_store_takes_the_seed_of_the_settings,
        directory::what_an_administrative_change_posts_moves_both_balances,
        funds::funds_are_found_by_time_and_participant_in_pages,
        histories::whatever_is_decided_the_books_stay_right,
        interscheme::a_participant_is_itself_even_where_its_name_was_behind_a_proxy,
        interscheme::a_question_from_another_scheme_remembers_its_way_back,
        interscheme::a_question_waits_for_every_proxy_and_is_not_asked_twice,
        interscheme::a_question_whose_time_is_up_gives_way_to_a_new_one,
        interscheme::a_route_is_learned_changed_and_never_that_of_a_participant,
        interscheme::an_external_name_stands_in_the_accounts_of_its_proxy_each_once,
        interscheme::payments_through_proxies_hold_and_move_what_their_proxies_have,
        interscheme::questions_end_with_their_time_and_tell_who_has_heard_nothing,
        journal::a_trace_has_everything_of_a_payment_and_nothing_of_others,
        journal::every_row_of_a_unit_is_written_however_many_there_are,
        journal::a_trace_joins_quote_and_look_up_by_transaction_trace_id_and_party,
        journal::old_rows_are_forgotten_in_chunks_and_young_ones_stay,
        journal::what_waits_for_a_payment_is_in_its_trace,
        notices::notices_come_back_as_they_were_made_the_newest_first,
        notices::notices_are_listed_in_pages_by_participant_and_kind,
        notices::a_notice_is_lost_with_its_unit,
        notices::a_delivery_is_claimed_when_it_is_due_and_again_when_the_claim_is_over,
        notices::how_a_delivery_ends_decides_whether_it_is_tried_again,
        notices::a_claim_that_is_over_ends_nothing_but_what_it_sent,
        notices::however_many_claim_at_once_each_delivery_goes_to_one,
        notices::a_step_of_an_alarm_is_taken_from_what_was_said_and_from_nothing_else,
        notices::however_many_take_a_step_at_once_one_does,
        notices::old_notices_are_forgotten_in_chunks_with_their_deliveries_and_young_ones_stay,
        outbox::a_dead_message_is_replayed_once_and_then_waits_again,
        outbox::a_delivered_message_is_gone_and_a_dead_one_does_not_wait,
        outbox::a_process_claims_nothing_of_its_own,
        outbox::a_message_is_dropped_once_and_is_gone,
        outbox::messages_are_listed_in_pages_by_state_and_participant,
        outbox::messages_get_growing_ids_in_their_order,
        outbox::waiting_messages_are_those_of_one_participant_after_a_place,
        payments::a_payment_moves_money_once_however_often_it_is_sent,
        payments::a_repetition_within_the_next_unit_is_told_the_state,
        payments::a_withdrawal_is_never_due,
        payments::due_transfers_come_oldest_first_once_they_have_expired,
        settlement::a_settlement_decision_sees_what_its_scope_asks_for,
        settlement::a_statement_comes_in_pages_and_ends_at_its_balance,
        settlement::an_aborted_settlement_lets_go_of_everything,
        settlement::payments_join_the_window_that_was_opened_and_see_the_active_models,
        settlement::settlements_are_found_by_every_filter,
        settlement::totals_of_a_window_are_what_its_payments_moved,
        settlement::windows_and_settlements_come_back_as_they_were_written,
        settlement::windows_are_found_by_every_filter,
        settlement_life::a_window_is_closed_and_settled_and_positions_go_back,
        settlement_life::an_aborted_settlement_can_be_made_again,
        settlement_life::totals_are_taken_once_however_often_they_are_brought,
        settlement_life::whatever_happens_in_a_day_everything_can_be_settled_in_the_evening,
        units::a_failed_commit_leaves_nothing_behind,
        units::a_quote_comes_back_as_it_was_stored,
        units::a_transfer_comes_back_as_it_was_stored_in_every_state,
        units::a_unit_that_is_left_leaves_no_trace,
        units::an_id_that_was_claimed_and_not_used_stays_free,
        units::an_id_that_was_claimed_and_used_is_found_by_the_next_claim,
        units::ids_of_different_kinds_and_forms_do_not_clash,
        units::locking_loads_participants_and_all_their_accounts_in_the_currency,
        units::no_more_units_count_as_synced_than_were_committed,
        units::the_open_window_is_the_first_one,
        units::time_never_runs_backwards_from_one_unit_to_the_next,
    }
    durable: {
        certificates::what_was_revoked_is_revoked_after_a_restart_and_recorded,
        account_types::account_types_stay_after_a_restart_and_are_recorded,
        account_types::an_account_type_that_went_missing_is_named,
        audited_conversions::every_corruption_of_a_converted_payment_is_named,
        clients::clients_and_secrets_stay_after_a_restart_and_no_hash_is_recorded,
        directory::every_change_leaves_a_row_with_its_actor,
        funds::funds_from_before_the_journal_are_found_by_their_last_change,
        histories::a_balance_that_was_tampered_with_is_named,
        histories::a_hold_that_was_tampered_with_is_named,
        histories::what_was_decided_is_found_after_a_restart,
        interscheme::a_learned_route_is_recorded_as_the_doing_of_its_proxy,
        journal::payments_from_before_the_journal_are_traced_without_its_times,
        journal::the_key_of_the_journal_stays_the_same_and_differs_between_stores,
        settlement_life::a_settlement_goes_on_where_it_was_after_every_restart,
        settlement_life::windows_that_were_closed_before_there_were_contents_are_unfinished,
        settlement::balances_of_the_past_are_found_from_both_ends,
        settlement::every_corruption_of_a_settled_database_is_named,
        settlement::payments_from_before_settlement_are_in_the_first_window,
        settlement::totals_that_leave_64_bits_are_refused,
        settlement::what_settlement_changes_is_recorded_without_its_thousands_of_lines,
        notices::what_waits_and_what_was_said_are_found_after_a_restart,
        outbox::what_an_earlier_process_left_waiting_is_claimed_once_in_chunks,
        outbox::who_replays_or_drops_a_message_is_recorded,
    }
}
