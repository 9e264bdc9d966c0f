//! The bell of the replies.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use strongroom_queue::Replies;

#[test]
fn only_the_first_reply_rings() {
    let replies = Replies::new();
    assert!(replies.push(1));
    assert!(!replies.push(2));
    assert_eq!(replies.take(), Some(1));
    assert!(!replies.push(3), "the receiver is awake");
    assert_eq!((replies.take(), replies.take(), replies.take()), (Some(2), Some(3), None));
    assert!(!replies.rest());
    assert!(replies.push(4), "the receiver rests");
}

#[test]
fn a_receiver_does_not_rest_while_a_reply_waits() {
    let replies = Replies::new();
    assert!(replies.push(1));
    assert_eq!(replies.take(), Some(1));
    assert!(!replies.push(2));
    assert!(replies.rest());
    assert!(!replies.push(3), "the receiver is still awake");
}

#[test]
fn every_reply_is_delivered_and_the_receiver_wakes_only_for_a_bell() {
    const SENDERS: usize = 3;
    const REPLIES: usize = 2_000;
    let replies = Arc::new(Replies::new());
    let (bell, woken) = mpsc::channel();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (replies, bell) = (Arc::clone(&replies), bell.clone());
            thread::spawn(move || {
                for number in 0..REPLIES {
                    if replies.push((sender, number)) {
                        bell.send(()).unwrap();
                    }
                }
            })
        })
        .collect();
    let mut next = [0; SENDERS];
    while next.iter().sum::<usize>() < SENDERS * REPLIES {
        // If a reply were lost, no bell would ring and this test would not end.
        woken.recv().unwrap();
        loop {
            while let Some((sender, number)) = replies.take() {
                assert_eq!(number, next[sender], "the replies of one thread keep their order");
                next[sender] += 1;
            }
            if !replies.rest() {
                break;
            }
        }
    }
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn replies_are_not_shown() {
    let replies = Replies::new();
    assert!(replies.push("secret"));
    assert_eq!(format!("{replies:?}"), "Replies { waiting: 1, woken: true, .. }");
}
