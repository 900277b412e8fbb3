//! Runs each model as a test.

macro_rules! models {
    ($($topic:ident: $($model:ident),+;)+) => {
        $(mod $topic {
            $(#[test]
            fn $model() {
                lockcheck_models::$topic::$model();
            })+
        })+
    };
}

models! {
    waits:
        what_is_seen_of_a_wait_belongs_together,
        what_a_thread_that_waits_polls_belongs_together,
        of_two_that_close_a_cycle_one_sees_it,
        of_three_that_close_a_cycle_one_sees_it;
    holds:
        what_a_thread_holds_while_it_waits_is_seen_exactly,
        whoever_reads_a_stack_that_grows_sees_whole_entries,
        a_hold_that_ends_elsewhere_is_taken_off_once;
}
