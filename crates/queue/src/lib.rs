//! The queues between JavaScript's thread and the threads of the connections.
//!
//! JavaScript's thread pushes jobs into a [`Queue`], from which one or several threads, each with a [`Taker`], take them. The threads push their
//! replies into [`Replies`], and learn from it when to wake JavaScript's thread. A [`Window`] limits the replies of one job
//! that are on their way. [`Running`] ties an interrupt to the job for which the interrupt is meant.
//!
//! The crate knows neither SQL nor JavaScript, so that the order of its steps can be checked: the tests in `tests/loom` run
//! each type in every interleaving of a few threads.
//!
//! ```
//! use strongroom_queue::{Queue, Running, Taker};
//!
//! let queue = Queue::new();
//! let running = Running::new();
//! assert!(queue.push(7, "SELECT 1").is_ok());
//! assert_eq!(queue.next_running(&running, &mut Taker::new(), || true), Some((7, "SELECT 1")));
//! assert!(running.cancel(7, || {}));
//! running.end(7);
//! assert!(!running.cancel(7, || {}));
//! ```
#![forbid(unsafe_code)]

mod look;
mod pace;
mod queue;
mod replies;
mod running;
mod sync;
mod taker;
mod window;

pub use look::Look;
pub use queue::Queue;
pub use replies::Replies;
pub use running::Running;
pub use taker::Taker;
pub use window::Window;

/// The number of a call, which JavaScript's thread chooses.
pub type Ticket = u32;
