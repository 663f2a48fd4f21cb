//! The store: the same cases against every kind of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

#[path = "store/admission.rs"]
mod admission;
#[path = "store/gateways.rs"]
mod gateways;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/listing.rs"]
mod listing;
#[path = "store/logins.rs"]
mod logins;
#[path = "store/messages.rs"]
mod messages;
#[path = "store/outages.rs"]
mod outages;
#[path = "store/permits.rs"]
mod permits;
#[path = "store/quotas.rs"]
mod quotas;
#[path = "store/renewal.rs"]
mod renewal;
#[path = "store/resume.rs"]
mod resume;
#[path = "store/revocation.rs"]
mod revocation;
#[path = "store/sample.rs"]
mod sample;
#[path = "store/sharing.rs"]
mod sharing;

/// Runs each case against each kind of store.
macro_rules! cases {
    ($($file:ident: $($case:ident)*;)*) => {
        mod memory {
            use std::sync::Arc;

            use fanlight::store::memory::Memory;

            $($(
                #[tokio::test]
                async fn $case() {
                    crate::$file::$case(Arc::new(Memory::default())).await;
                }
            )*)*
        }

        mod redis {
            use crate::common::redis::RedisServer;

            $($(
                #[tokio::test]
                async fn $case() {
                    let server = RedisServer::start(&[]).await;
                    crate::$file::$case(server.store().await).await;
                }
            )*)*
        }
    };
}

cases! {
    admission:
        of_two_hundred_with_one_token_one_gets_in
        a_token_opens_as_many_sessions_as_it_may
        a_use_is_given_back_when_no_picture_came
        a_refusal_uses_nothing_up;
    revocation:
        a_revoked_console_ends_and_opens_no_more
        a_label_is_revoked_up_to_an_instant
        an_earlier_instant_takes_nothing_back
        an_ended_session_is_over_but_not_its_token
        what_was_ended_does_not_come_back;
    sharing:
        who_gets_in_beside_whom
        another_machine_is_another_matter
        those_that_are_lost_are_in_nobodys_way
        whoever_is_put_out_is_told;
    quotas:
        there_are_as_many_sessions_as_there_may_be
        those_that_are_put_out_make_room
        those_that_are_lost_keep_their_seat_until_their_grace_is_over
        a_browser_that_moves_takes_its_seat_along;
    resume:
        a_lost_session_comes_back_as_it_was
        a_secret_works_until_the_next_was_used
        a_wrong_secret_or_none_opens_nothing
        after_its_grace_a_session_is_gone
        a_session_whose_time_is_over_stays_over
        a_resume_displaces_the_leg_that_was_there
        a_leg_that_was_displaced_changes_nothing
        a_resumed_leg_without_a_picture_is_lost_again;
    renewal:
        what_a_gateway_says_is_what_others_see
        those_that_may_not_go_on_are_named
        a_session_nobody_heard_of_is_taken_in
        a_session_nobody_heard_of_is_not_taken_in_when_it_was_revoked
        a_session_nobody_heard_of_yields_to_whoever_is_there
        a_late_word_wakes_nobody;
    permits:
        a_change_holds_for_the_session_and_for_its_return
        a_gateway_that_missed_a_change_hears_of_it
        of_two_changes_of_the_same_one_is_made;
    listing:
        pages_follow_each_other_in_order
        a_filter_takes_what_fits_it_whole
        one_session_is_found_by_its_id;
    messages:
        everybody_is_told_in_order
        an_end_is_told_even_if_nobody_is_meant
        what_a_gateway_told_itself_is_told_by_nobody_else;
}
