//! Cancelling the job that a thread runs.

use strongroom_queue::Running;

#[test]
fn only_the_running_job_is_interrupted() {
    let running = Running::new();
    let mut interrupts = Vec::new();
    assert!(!running.cancel(1, || interrupts.push("idle")));
    running.begin(1);
    assert!(!running.cancel(2, || interrupts.push("other")));
    assert!(running.cancel(1, || interrupts.push("this")));
    running.end(1);
    assert!(!running.cancel(1, || interrupts.push("ended")));
    assert_eq!(interrupts, ["this"]);
}

#[test]
fn ending_an_earlier_job_does_not_end_the_running_one() {
    let running = Running::new();
    running.begin(1);
    running.begin(2);
    running.end(1);
    assert_eq!(running.ticket(), Some(2));
}
