//! Occurrences that the calendar forgot: it tells what is changed about an occurrence, and nothing when that ends, because a series
//! was rewritten or one of its occurrences put back to what the series says. Where the calendar alone says what is, those that
//! were changed are looked at again when their series is told of. Writes nothing.
//!
//! Where the schedule says it too, they are given back to the calendar instead, see [`crate::occurrences`].

use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::calendar;
use daybind_services::recurrence::{first_day, has_day};

use crate::integrate::base_of;
use crate::merge::Flow;
use crate::occurrences::original;
use crate::provider::Original;
use crate::reading::{Pass, Reader};
use crate::sync::is_live;
use crate::tokens::Stop;

impl Reader<'_> {
    /// Looks at the occurrences of a series with values of their own that were not told of with it. `says` is what the series
    /// says now, if that is known.
    ///
    /// # Errors
    /// [`Stop`]
    pub(crate) async fn look_for_forgotten(
        &self,
        pass: &mut Pass,
        series: &str,
        says: Option<&EntryContent>,
    ) -> Result<(), Stop> {
        if Flow::parse(&self.connection.direction) != Flow::In {
            return Ok(());
        }
        for at in self.untold(pass, series, says).await? {
            let found = self
                .provider
                .find_occurrence(self.calendar, series, at)
                .await?;
            if let Some(event) = found {
                pass.told.entry(event.id.clone()).or_insert(event);
            }
        }
        Ok(())
    }

    /// When they are by the series' rule.
    async fn untold(
        &self,
        pass: &Pass,
        series: &str,
        says: Option<&EntryContent>,
    ) -> Result<Vec<Original>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.engine.read(tenant_id).await?;
        let tie = calendar(unit.as_mut())?
            .find_mapping_by_event(tenant_id, id, series)
            .await?;
        let Some(tie) = tie.filter(|tie| is_live(tie) && tie.beside.is_none()) else {
            return Ok(Vec::new());
        };
        let there = match says {
            Some(says) => Some(says.clone()),
            None => base_of(&tie)?,
        };
        let Some((there, rule)) = there.and_then(|there| {
            let rule = there.repeats.clone()?;
            Some((there, rule))
        }) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for row in unit.list_occurrences(tenant_id, &[tie.entry_id]).await? {
            let Some(of) = row.occurrence_of else {
                continue;
            };
            if !has_day(&rule, first_day(&there.when), of.day) {
                continue;
            }
            let at = original(&there, of.day);
            let told = pass.told.values().any(|event| {
                let part = event.part.as_ref();
                part.is_some_and(|part| part.series == series && part.original == Some(at))
            });
            let mine = calendar(unit.as_mut())?
                .find_mapping(tenant_id, id, row.entry_id)
                .await?;
            let mine = mine.is_some_and(|tie| is_live(&tie) && tie.series_event_id.is_some());
            if mine && !told {
                found.push(at);
            }
        }
        Ok(found)
    }
}
