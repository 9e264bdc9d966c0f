//! Taking, removing and closing.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::{Queue, Running};

/// Each job is taken by one of two threads, or is returned by `close`.
///
/// Fails if `push` asks `closed` before it takes the lock for the job: a job pushed into the closed queue is lost.
#[test]
fn a_job_is_taken_once_or_handed_back() {
    loom::model(|| {
        let queue = Arc::new(Queue::new());
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.next())
            })
            .collect();
        let accepted = [1, 2].map(|ticket| queue.push(ticket, ticket).is_ok());
        assert_eq!(accepted, [true, true]);
        let mut seen: Vec<u32> = queue.close().into_iter().map(|(ticket, _)| ticket).collect();
        seen.extend(threads.into_iter().filter_map(|thread| thread.join().unwrap()).map(|(ticket, _)| ticket));
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}

/// A push and a close at the same time: the job is taken, handed back by `close`, or refused. No thread stays blocked.
///
/// Fails (deadlock) without the signal in `close`.
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
            thread::spawn(move || queue.next_running(&Running::new(), || !leave.load(SeqCst)).is_some())
        };
        let staying = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.next().is_some())
        };
        leave.store(true, SeqCst);
        queue.push(1, ()).unwrap();
        // The leaving thread may have taken the job before it was told to leave.
        if !leaving_took(&queue, leaving) {
            assert!(staying.join().unwrap());
        } else {
            queue.close();
            assert!(!staying.join().unwrap());
        }
    });
}

fn leaving_took(queue: &Queue<()>, leaving: thread::JoinHandle<bool>) -> bool {
    queue.wake();
    leaving.join().unwrap()
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
