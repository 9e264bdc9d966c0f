//! Order, removal and closing of a queue.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use strongroom_queue::{Queue, Running, Taker, Ticket};

/// Takes the first job.
fn next<J>(queue: &Queue<J>) -> Option<(Ticket, J)> {
    queue.next_running(&Running::new(), &mut Taker::new(), || true)
}

fn filled(tickets: impl IntoIterator<Item = u32>) -> Queue<String> {
    let queue = Queue::new();
    for ticket in tickets {
        queue.push(ticket, format!("job {ticket}")).unwrap();
    }
    queue
}

#[test]
fn jobs_are_taken_in_the_order_of_their_calls() {
    let queue = filled([3, 1, 2]);
    for ticket in [3, 1, 2] {
        assert_eq!(next(&queue), Some((ticket, format!("job {ticket}"))));
    }
}

#[test]
fn a_removed_job_is_not_taken_and_the_others_keep_their_order() {
    let queue = filled(1..=4);
    assert_eq!(queue.remove(2), Some("job 2".to_owned()));
    assert_eq!(queue.remove(2), None);
    assert_eq!(queue.remove(9), None);
    let rest: Vec<u32> = (0..3).map(|_| next(&queue).unwrap().0).collect();
    assert_eq!(rest, [1, 3, 4]);
}

#[test]
fn closing_returns_the_waiting_jobs_once_and_refuses_new_ones() {
    let queue = filled(1..=3);
    assert_eq!(next(&queue).unwrap().0, 1);
    let waiting: Vec<u32> = queue.close().into_iter().map(|(ticket, _)| ticket).collect();
    assert_eq!(waiting, [2, 3]);
    assert_eq!(queue.close(), []);
    assert_eq!(next(&queue), None);
    assert_eq!(queue.push(4, "late".to_owned()), Err("late".to_owned()));
}

#[test]
fn closing_wakes_every_blocked_thread() {
    let queue = Arc::new(Queue::<()>::new());
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || next(&queue))
        })
        .collect();
    queue.close();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), None);
    }
}

#[test]
fn a_taken_job_is_marked_as_running() {
    let queue = filled([5]);
    let running = Running::new();
    queue.next_running(&running, &mut Taker::new(), || true).unwrap();
    assert_eq!(running.ticket(), Some(5));
}

#[test]
fn a_thread_that_must_stop_leaves_the_jobs_to_the_others() {
    let queue = filled([1, 2]);
    let (leaving, staying) = (Running::new(), Running::new());
    let asked = Cell::new(0);
    let go_on = || {
        asked.set(asked.get() + 1);
        asked.get() == 1
    };
    assert_eq!(queue.next_running(&leaving, &mut Taker::new(), go_on).unwrap().0, 1);
    assert_eq!(queue.next_running(&leaving, &mut Taker::new(), go_on), None);
    assert_eq!(leaving.ticket(), Some(1));
    assert_eq!(queue.next_running(&staying, &mut Taker::new(), || true).unwrap().0, 2);
}

#[test]
fn waking_makes_a_blocked_thread_leave() {
    let queue = Arc::new(Queue::<()>::new());
    let leave = Arc::new(AtomicBool::new(false));
    let blocked = {
        let (queue, leave) = (Arc::clone(&queue), Arc::clone(&leave));
        thread::spawn(move || queue.next_running(&Running::new(), &mut Taker::new(), || !leave.load(SeqCst)))
    };
    leave.store(true, SeqCst);
    queue.wake();
    assert_eq!(blocked.join().unwrap(), None);
}

#[test]
fn several_threads_take_each_job_once() {
    const JOBS: u32 = 2_000;
    let queue = Arc::new(Queue::new());
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut taken = Vec::new();
                while let Some((ticket, last)) = next(&queue) {
                    taken.push(ticket);
                    if last {
                        queue.close();
                    }
                }
                taken
            })
        })
        .collect();
    for ticket in 1..=JOBS {
        queue.push(ticket, ticket == JOBS).unwrap();
    }
    let mut taken: Vec<u32> = Vec::new();
    for thread in threads {
        let own = thread.join().unwrap();
        assert!(own.is_sorted(), "a thread took jobs out of order");
        taken.extend(own);
    }
    taken.sort_unstable();
    assert!(taken.into_iter().eq(1..=JOBS));
}

#[test]
fn a_queue_does_not_show_its_jobs() {
    let queue = filled([1]);
    assert_eq!(format!("{queue:?}"), "Queue { waiting: 1, closed: false, .. }");
}

type Job = Box<dyn FnOnce() + Send>;

/// Serves a queue until it is closed, and announces the next job as the threads of connections do.
fn serve(queue: &Queue<Job>) {
    let (running, mut taker) = (Running::new(), Taker::new());
    while let Some((_, job)) = queue.next_running(&running, &mut taker, || true) {
        job();
        queue.announce(&mut taker);
    }
}

/// One thread takes short jobs alone. Once it and all threads but one run long jobs, the last thread must take the next job,
/// even if all were pushed before the first long one began.
#[test]
fn a_job_behind_long_ones_gets_the_last_thread() {
    for count in [2, 4] {
        let queue = Arc::new(Queue::<Job>::new());
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || serve(&queue))
            })
            .collect();
        let push = |job: Job| assert!(queue.push(0, job).is_ok());
        for _ in 0..20 {
            let (ended, end) = mpsc::channel();
            for _ in 0..100 {
                let ended = ended.clone();
                push(Box::new(move || ended.send(Ok(())).unwrap()));
            }
            assert_eq!(end.iter().take(100).count(), 100);
            let mut waiting = Vec::new();
            for _ in 1..count {
                let ended = ended.clone();
                let (quick, long) = mpsc::channel();
                waiting.push(quick);
                push(Box::new(move || ended.send(long.recv_timeout(Duration::from_secs(60))).unwrap()));
            }
            push(Box::new(move || waiting.iter().for_each(|quick| quick.send(()).unwrap())));
            drop(ended);
            assert!(end.iter().all(|end| end.is_ok()), "the job waited for a long one");
        }
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
