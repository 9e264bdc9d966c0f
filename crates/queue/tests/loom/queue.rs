//! Taking, removing and closing.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::{Queue, Running};

/// Each of two threads gets a job.
///
/// Fails (deadlock) if `take` waits before it looks for a job, and if `push` does not signal.
#[test]
fn every_thread_gets_a_job() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.next().unwrap().0)
            })
            .collect();
        for ticket in [1, 2] {
            queue.push(ticket, ()).unwrap();
        }
        let mut taken: Vec<u32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    });
}

/// A push and a close at the same time: the job is taken, handed back by `close`, or refused. No thread stays blocked.
///
/// Fails if `push` looks whether the queue is closed before it takes the lock, and (deadlock) without the signal in `close`.
#[test]
fn closing_loses_no_job_and_ends_every_thread() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let taker = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.next().is_some())
        };
        let pusher = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(1, ()).is_err())
        };
        let handed_back = queue.close().len();
        let (taken, refused) = (taker.join().unwrap(), pusher.join().unwrap());
        assert_eq!(usize::from(taken) + usize::from(refused) + handed_back, 1);
        assert!(queue.close().is_empty());
    });
}

/// A thread that leaves because of `go_on` does not swallow the signal for a job that another thread waits for.
///
/// Fails (deadlock) without the signal in `take` after `go_on` has returned false.
#[test]
fn a_leaving_thread_passes_the_signal_on() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let leave = Arc::new(AtomicBool::new(false));
        let leaving = {
            let (queue, leave) = (Arc::clone(&queue), Arc::clone(&leave));
            thread::spawn(move || {
                let taken = queue.next_running(&Running::new(), || !leave.load(SeqCst));
                // The thread may take the job before it must leave, and then leaves the job to the other thread.
                if let Some((ticket, job)) = taken {
                    queue.push(ticket, job).unwrap();
                }
            })
        };
        let staying = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.next())
        };
        leave.store(true, SeqCst);
        queue.push(1, ()).unwrap();
        assert_eq!(staying.join().unwrap(), Some((1, ())));
        queue.wake();
        leaving.join().unwrap();
    });
}

/// A blocked thread sees that it must leave.
///
/// Fails (deadlock) if `wake` does not take the lock.
#[test]
fn waking_is_not_lost() {
    loom::model(|| {
        let queue = Arc::new(Queue::<()>::new());
        let leave = Arc::new(AtomicBool::new(false));
        let leaving = {
            let (queue, leave) = (Arc::clone(&queue), Arc::clone(&leave));
            thread::spawn(move || queue.next_running(&Running::new(), || !leave.load(SeqCst)).is_none())
        };
        leave.store(true, SeqCst);
        queue.wake();
        assert!(leaving.join().unwrap());
    });
}
