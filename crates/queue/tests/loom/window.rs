//! The limit on replies that are on their way.

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use strongroom_queue::Window;

/// A thread with more replies than places gets on as places are given back.
///
/// Fails (deadlock) without the signal in `give_back`.
#[test]
fn a_place_given_back_is_not_lost() {
    loom::model(|| {
        let window = Arc::new(Window::new(1));
        let on_their_way = Arc::new(AtomicUsize::new(0));
        let thread = {
            let (window, on_their_way) = (Arc::clone(&window), Arc::clone(&on_their_way));
            thread::spawn(move || {
                for _ in 0..2 {
                    assert!(window.take());
                    assert_eq!(on_their_way.fetch_add(1, SeqCst), 0, "more replies than places");
                }
            })
        };
        while on_their_way.load(SeqCst) == 0 {
            thread::yield_now();
        }
        on_their_way.fetch_sub(1, SeqCst);
        window.give_back();
        thread.join().unwrap();
    });
}

/// A stop ends a thread that waits for a place, whenever the stop comes.
///
/// Fails (deadlock) without the signal in `stop`.
#[test]
fn a_stop_is_not_lost() {
    loom::model(|| {
        let window = Arc::new(Window::new(0));
        let thread = {
            let window = Arc::clone(&window);
            thread::spawn(move || window.take())
        };
        window.stop();
        assert!(!thread.join().unwrap());
    });
}
