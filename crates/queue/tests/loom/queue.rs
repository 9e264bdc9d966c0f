//! Taking, removing and closing.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::{Queue, Running, Taker, Ticket};

/// Takes the first job.
fn next<J>(queue: &Queue<J>) -> Option<(Ticket, J)> {
    queue.next_running(&Running::new(), &mut Taker::new(), || true)
}

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
                thread::spawn(move || next(&queue).unwrap().0)
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
            thread::spawn(move || next(&queue).is_some())
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
                let taken = queue.next_running(&Running::new(), &mut Taker::new(), || !leave.load(SeqCst));
                // The thread may take the job before it must leave, and then leaves the job to the other thread.
                if let Some((ticket, job)) = taken {
                    queue.push(ticket, job).unwrap();
                }
            })
        };
        let staying = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || next(&queue))
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
            thread::spawn(move || {
                queue.next_running(&Running::new(), &mut Taker::new(), || !leave.load(SeqCst)).is_none()
            })
        };
        leave.store(true, SeqCst);
        queue.wake();
        assert!(leaving.join().unwrap());
    });
}

/// A thread that has announced itself takes the next job, and wakes no other thread. Every job finds a thread.
///
/// Fails (deadlock) if `push` counts on the announced thread for two jobs, and if `next_running` does not take the
/// announcement back.
#[test]
fn an_announced_thread_takes_one_job() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let announcing = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                next(&queue).unwrap();
                let mut taker = Taker::new();
                queue.announce(&mut taker);
                queue.next_running(&Running::new(), &mut taker, || true).unwrap();
            })
        };
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || next(&queue).unwrap().0)
        };
        for ticket in 1..=3 {
            queue.push(ticket, ()).unwrap();
        }
        announcing.join().unwrap();
        other.join().unwrap();
    });
}

/// A thread that leaves although it has announced itself hands the job on.
///
/// Fails (deadlock) if `next_running` does not signal when `go_on` is false.
#[test]
fn an_announced_thread_that_leaves_hands_the_job_on() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let mut taker = Taker::new();
        queue.announce(&mut taker);
        let leaving = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.next_running(&Running::new(), &mut taker, || false).is_none())
        };
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || next(&queue).unwrap().0)
        };
        queue.push(1, ()).unwrap();
        assert!(leaving.join().unwrap());
        assert_eq!(other.join().unwrap(), 1);
    });
}
