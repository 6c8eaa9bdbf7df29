//! Whose fault it is that entries fail: theirs, or the provider's.

use daybind_domain::ids::EntryId;
use daybind_ee_storage::calendar;
use daybind_storage::StorageError;

use crate::activity::Noted;
use crate::faults::Fault;
use crate::provider::ProviderError;
use crate::push::{Push, about};
use crate::tokens::Stop;

/// So many entries without an answer, one after the other, are the provider's fault and end the run.
pub const IN_A_ROW: usize = 3;
/// After that many failures in a row an entry counts as failed and is tried less and less often.
pub const ATTEMPTS: i32 = 3;
/// Entries that failed one after the other, as long as it is not clear whether they or the provider are to blame.
#[derive(Default)]
pub struct Doubts {
    open: Vec<(EntryId, Option<i64>, Stop)>,
}

impl Doubts {
    /// Takes in how an entry went. One that failed alone does not stop the others.
    ///
    /// # Errors
    /// What concerns more than the entry.
    pub async fn weigh(
        &mut self,
        push: &Push<'_, '_>,
        (entry, version): (EntryId, Option<i64>),
        done: Result<(), Stop>,
    ) -> Result<(), Stop> {
        match done {
            Ok(()) => self.settle(push).await,
            Err(stop) if !is_about_the_entry(&stop) => Err(stop),
            Err(stop @ (Stop::Provider(ProviderError::Permanent(_)) | Stop::Storage(_))) => {
                push.blame(entry, version, &stop).await
            }
            Err(stop) if self.open.len() + 1 >= IN_A_ROW => Err(stop),
            Err(stop) => {
                self.open.push((entry, version, stop));
                Ok(())
            }
        }
    }

    /// The provider answers: it was the entries.
    ///
    /// # Errors
    /// [`Stop::Storage`]
    pub async fn settle(&mut self, push: &Push<'_, '_>) -> Result<(), Stop> {
        for (entry, version, stop) in self.open.drain(..) {
            push.blame(entry, version, &stop).await?;
        }
        Ok(())
    }
}

impl Push<'_, '_> {
    /// Notes at a mapping that the calendar refused its entry, or gave no usable answer about it alone.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn blame(
        &self,
        entry: EntryId,
        version: Option<i64>,
        why: &Stop,
    ) -> Result<(), Stop> {
        let (engine, connection) = (self.lane.engine, &self.lane.connection);
        let mut unit = engine.read(connection.tenant_id).await?;
        let found = calendar(unit.as_mut())?
            .find_mapping(connection.tenant_id, connection.connection_id, entry)
            .await?;
        drop(unit);
        let Some(mut mapping) = found else {
            return Ok(());
        };
        let (fault, reason) = blamed(why);
        tracing::warn!(mapping = %mapping.mapping_id, reason, "an entry could not be synced");
        let refused = matches!(why, Stop::Provider(ProviderError::Permanent(_)));
        match mapping.state.as_str() {
            "removing" => {}
            // It may have been made all the same; only a repeated create with the same content tells.
            "creating" if !refused => {}
            _ => mapping.state = "failed".to_owned(),
        }
        mapping.error = Some(fault.code());
        mapping.attempts = mapping.attempts.saturating_add(1);
        if refused {
            // The same words will be refused again.
            mapping.attempts = mapping.attempts.max(ATTEMPTS);
        }
        if mapping.attempts < ATTEMPTS {
            self.lane.run.leave(mapping.attempts);
        }
        if let Some(version) = version.filter(|_| mapping.state == "failed") {
            mapping.entry_version = version;
        }
        let noted = Noted {
            reason: Some(&reason),
            ..about(&mapping, "none", "refused")
        };
        self.store(&mapping, Some(noted)).await
    }
}

/// Whether a failure says nothing about other entries. Several in a row do say something about the provider.
#[must_use]
pub fn is_about_the_entry(stop: &Stop) -> bool {
    match stop {
        Stop::Provider(error) => matches!(
            error,
            ProviderError::Permanent(_)
                | ProviderError::Transient(_)
                | ProviderError::Conflict
                | ProviderError::PreconditionFailed
                | ProviderError::Gone
        ),
        Stop::Storage(error) => matches!(error, StorageError::Inconsistent { .. }),
        _ => false,
    }
}

/// Why an entry could not be synced: for its mapping, and as the record of a run has it.
fn blamed(why: &Stop) -> (Fault, String) {
    match why {
        Stop::Provider(ProviderError::Permanent(status)) => {
            (Fault::Refused(*status), status.to_string())
        }
        Stop::Storage(_) => (Fault::Unreadable, "unreadable".to_owned()),
        _ => (Fault::NoAnswer, "no_answer".to_owned()),
    }
}
