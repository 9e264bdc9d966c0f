//! Cancelling a job that waits, runs or has ended.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::{Queue, Running, Taker};

/// An interrupt reaches the job for which it is meant: the next job never sees the interrupt.
///
/// Fails if `cancel` releases the lock before it calls `interrupt`.
#[test]
fn the_next_job_is_not_interrupted() {
    loom::model(|| {
        let running = Arc::new(Running::new());
        let interrupted = Arc::new(AtomicBool::new(false));
        let thread = {
            let (running, interrupted) = (Arc::clone(&running), Arc::clone(&interrupted));
            thread::spawn(move || {
                for ticket in [1, 2] {
                    interrupted.store(false, SeqCst);
                    running.begin(ticket);
                    let seen = interrupted.load(SeqCst);
                    running.end(ticket);
                    assert!(ticket == 1 || !seen, "the second job was interrupted");
                }
            })
        };
        running.cancel(1, || interrupted.store(true, SeqCst));
        thread.join().unwrap();
    });
}

/// A job that has not ended is found: it waits, or it runs.
///
/// Fails if `next_running` marks the job after it has released the lock of the queue.
#[test]
fn a_job_is_always_found() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let running = Arc::new(Running::new());
        let ended = Arc::new(AtomicBool::new(false));
        queue.push(1, ()).unwrap();
        let thread = {
            let (queue, running, ended) = (Arc::clone(&queue), Arc::clone(&running), Arc::clone(&ended));
            thread::spawn(move || {
                if queue.next_running(&running, &mut Taker::new(), || true).is_some() {
                    ended.store(true, SeqCst);
                    running.end(1);
                }
            })
        };
        let waited = queue.remove(1).is_some();
        let ran = running.cancel(1, || {});
        assert!(!(waited && ran));
        if !waited && !ran {
            assert!(ended.load(SeqCst), "the job neither waited nor ran, but had not ended");
        }
        queue.close();
        thread.join().unwrap();
    });
}
