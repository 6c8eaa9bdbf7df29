//! Each request has a current reactive owner of its own.
//!
//! Leptos keeps the current [`Owner`] in the thread, and a rendering page leaves it there whenever it waits. The next
//! request polled on that thread would read and change contexts of the one before: a file served meanwhile took the
//! headers of a page, and a page that went on elsewhere missed its contexts.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use leptos::prelude::Owner;

/// Answers with an owner that no other request sees.
pub async fn alone(request: Request, next: Next) -> Response {
    let answer = Box::pin(next.run(request));
    Alone {
        answer,
        owner: None,
    }
    .await
}

struct Alone<F> {
    answer: Pin<Box<F>>,
    /// The owner that was current when the answer last had to wait.
    owner: Option<Owner>,
}

impl<F: Future> Future for Alone<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        clear();
        if let Some(owner) = &self.owner {
            owner.set();
        }
        let answer = self.answer.as_mut().poll(context);
        self.owner = Owner::current();
        clear();
        answer
    }
}

/// Leaves the thread without a current owner.
fn clear() {
    Owner::new_root(None).unset();
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Waker;

    use leptos::prelude::{provide_context, use_context};

    use super::*;

    /// Provides a number, waits once, and says which number it then sees.
    async fn page(number: u8) -> Option<u8> {
        let _owner = Owner::new_root(None);
        provide_context(number);
        let mut waited = false;
        poll_fn(|_| {
            if std::mem::replace(&mut waited, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        use_context()
    }

    #[test]
    fn requests_that_take_turns_on_a_thread_keep_their_own_contexts() {
        let alone = |number| Alone {
            answer: Box::pin(page(number)),
            owner: None,
        };
        let (mut one, mut two) = (pin!(alone(1)), pin!(alone(2)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut context).is_pending());
        assert_eq!(use_context::<u8>(), None);
        assert!(two.as_mut().poll(&mut context).is_pending());
        assert_eq!(one.as_mut().poll(&mut context), Poll::Ready(Some(1)));
        assert_eq!(two.as_mut().poll(&mut context), Poll::Ready(Some(2)));
        assert!(Owner::current().is_none());
    }
}
