//! The limit on replies that are on their way.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use strongroom_queue::Window;

#[test]
fn a_place_is_free_again_once_given_back() {
    let window = Window::new(2);
    assert!(window.take() && window.take());
    window.give_back();
    assert!(window.take());
    assert_eq!(format!("{window:?}"), "Window { free: 0, stopped: false, .. }");
}

#[test]
fn a_stopped_window_has_no_place_even_if_one_is_free() {
    let window = Window::new(2);
    assert!(window.take());
    window.stop();
    assert!(!window.take());
    window.give_back();
    assert!(!window.take());
}

#[test]
fn stopping_ends_a_blocked_take() {
    let window = Arc::new(Window::new(0));
    let blocked = {
        let window = Arc::clone(&window);
        thread::spawn(move || window.take())
    };
    window.stop();
    assert!(!blocked.join().unwrap());
}

#[test]
fn at_most_as_many_replies_as_places_are_on_their_way() {
    const PLACES: usize = 4;
    const REPLIES: usize = 2_000;
    let window = Arc::new(Window::new(PLACES));
    let on_their_way = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = {
        let (window, on_their_way) = (Arc::clone(&window), Arc::clone(&on_their_way));
        thread::spawn(move || {
            for _ in 0..REPLIES {
                assert!(window.take());
                assert!(on_their_way.fetch_add(1, SeqCst) < PLACES);
                sender.send(()).unwrap();
            }
        })
    };
    for () in receiver {
        on_their_way.fetch_sub(1, SeqCst);
        window.give_back();
    }
    thread.join().unwrap();
}
