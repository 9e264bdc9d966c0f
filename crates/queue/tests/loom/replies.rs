//! The bell of the replies.

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::Replies;

/// After the last bell, no reply waits: each reply is taken, or its bell is still to be heard.
///
/// Fails if `rest` sets `woken` to false and always returns false, without a look at the waiting replies.
#[test]
fn no_reply_is_lost() {
    loom::model(|| {
        let replies = Arc::new(Replies::new());
        let bells = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..2)
            .map(|number| {
                let (replies, bells) = (Arc::clone(&replies), Arc::clone(&bells));
                thread::spawn(move || {
                    if replies.push(number) {
                        bells.fetch_add(1, SeqCst);
                    }
                })
            })
            .collect();
        let mut seen = 0;
        // One turn of the event loop, in the middle of the pushes.
        seen += turn(&replies, &bells);
        for sender in senders {
            sender.join().unwrap();
        }
        // Every bell that was rung is heard in the end.
        seen += turn(&replies, &bells);
        seen += turn(&replies, &bells);
        assert_eq!(seen, 2);
    });
}

/// Drains as the addon does, if a bell has been rung. Returns the number of replies.
fn turn(replies: &Replies<i32>, bells: &AtomicUsize) -> usize {
    if bells.load(SeqCst) == 0 {
        return 0;
    }
    bells.fetch_sub(1, SeqCst);
    let mut taken = 0;
    loop {
        while replies.take().is_some() {
            taken += 1;
        }
        if !replies.rest() {
            return taken;
        }
    }
}
