//! A page whose address chooses one of several parts, each with code of its own.

use std::pin::Pin;

use leptos::prelude::*;
use send_wrapper::SendWrapper;

/// A part on its way: its code is fetched first, where that is not there yet.
pub type Loading = Pin<Box<dyn Future<Output = AnyView>>>;

/// Shows the part that the address asks for. The one before stays until the next one's code is there.
///
/// The first part must be there at once when a page is taken over from the server: its route fetches it in `preload`.
pub fn part<K>(shown: Memo<K>, load: fn(K) -> Loading) -> AnyView
where
    K: Copy + PartialEq + Send + Sync + 'static,
{
    (move || Suspend::new(SendWrapper::new(load(shown.get())))).into_any()
}
