//! What goes on with a series that ends earlier in the calendar than it did: whether its owner split it, and which is its other
//! half, is told by the whole of a delta and by the provider's store. Writes nothing.

use std::collections::BTreeMap;

use daybind_ee_storage::Mapping;

use crate::admit::Import;
use crate::integrate::imported;
use crate::provider::{Continues, RemoteEvent, RemoteState};
use crate::reading::{Known, Pass, Reader};
use crate::split;
use crate::tokens::Stop;

impl Reader<'_> {
    /// Keeps the series that end earlier now for the last page, and takes note of those that are nobody's.
    ///
    /// # Errors
    /// [`Stop`]
    pub(crate) fn hold_back(
        &self,
        there: Vec<RemoteEvent>,
        known: &Known,
        pass: &mut Pass,
    ) -> Result<Vec<RemoteEvent>, Stop> {
        let mut others = Vec::with_capacity(there.len());
        for event in there {
            match known.get(&event.id) {
                Some(mapping) if split::ends_earlier(mapping, &event)? => {
                    let held = (mapping.clone(), event);
                    pass.ending.insert(held.1.id.clone(), held);
                    continue;
                }
                None if matches!(&event.state, RemoteState::Present(content) if content.repeats.is_some()) =>
                {
                    pass.fresh.push(event.clone());
                }
                _ => {}
            }
            others.push(event);
        }
        Ok(others)
    }

    /// The series that were held back, and those that go on with them where only the provider's store tells.
    ///
    /// # Errors
    /// [`Stop`]
    pub(crate) async fn ending(&self, pass: &mut Pass) -> Result<Vec<RemoteEvent>, Stop> {
        let mut found = Vec::new();
        for (series, (mapping, mut event)) in std::mem::take(&mut pass.ending) {
            let told = pass.fresh.iter().any(|fresh| {
                let continues = fresh.about.continues.as_ref();
                continues.is_some_and(|of| series.starts_with(&of.series))
            });
            if !told {
                let following = self.following(&series).await?;
                if following.is_empty() {
                    event.about.perhaps_split = self.perhaps_split(&mapping, &event, pass)?;
                }
                found.extend(following);
            }
            found.push(event);
        }
        Ok(found)
    }

    async fn following(&self, series: &str) -> Result<Vec<RemoteEvent>, Stop> {
        let found = self.provider.continuations(self.calendar, series).await?;
        let found = found.into_iter().map(|event| (event.id.clone(), event));
        let found: BTreeMap<String, RemoteEvent> = found.collect();
        let tied = self.known(&found).await?;
        let new = found.into_values().filter(|event| {
            !tied.contains_key(&event.id) && matches!(event.state, RemoteState::Present(_))
        });
        Ok(new
            .map(|mut event| {
                event.about.continues = Some(Continues {
                    series: series.to_owned(),
                    original: None,
                });
                event
            })
            .collect())
    }

    /// Whether a series that would not come in begins where this one went on.
    fn perhaps_split(
        &self,
        mapping: &Mapping,
        event: &RemoteEvent,
        pass: &Pass,
    ) -> Result<bool, Stop> {
        for other in &pass.fresh {
            let stays = matches!(imported(self.connection, other), Import::Skip(_));
            if stays && split::fits(mapping, event, other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
