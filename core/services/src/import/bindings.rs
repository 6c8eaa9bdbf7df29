//! From explicit bindings, and from what fell back to a default, to explicit bindings: where the rules allow it.

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::{Consumer, Edition};
use daybind_storage::{AlgaDomain, AlgaProfile};
use uuid::Uuid;

use super::facts::Facts;
use super::plan::{Here, NewBinding, Plan, named};
use super::report::Line;

/// Whether a log-in domain was in use over there.
pub(super) fn in_use(domain: &AlgaDomain) -> bool {
    domain.is_active && !matches!(domain.claim_status.as_str(), "rejected" | "revoked")
}

/// Why a binding cannot be made: code, what, what to do.
type Obstacle = (&'static str, String, &'static str);

const BIND: &str = "Bind a profile in Settings > Integrations > Providers.";

/// The profile here that a profile over there became, if it may be bound.
fn usable(facts: &Facts, plan: &Plan, wanted: Uuid) -> Result<ProfileId, Obstacle> {
    let Some(source) = facts.profiles.iter().find(|p| p.profile_id == wanted) else {
        return Err((
            "binding_profile_missing",
            "names a profile that does not exist; it stays unbound".to_owned(),
            BIND,
        ));
    };
    if source.is_archived {
        return Err((
            "binding_profile_archived",
            format!(
                "was bound to {}, which is archived; it stays unbound",
                named(source)
            ),
            "Restore that profile here and bind it, or bind another one.",
        ));
    }
    plan.active.get(&wanted).copied().ok_or_else(|| {
        (
            "binding_profile_not_imported",
            format!(
                "belongs to {}, which was not brought over; it stays unbound",
                named(source)
            ),
            "Mend that profile first (see its line), then run the import again or bind it by hand.",
        )
    })
}

/// Explicit bindings are kept, those of consumers that this edition does not show included.
pub(super) fn explicit(
    edition: Edition,
    target: TenantId,
    facts: &Facts,
    here: &Here,
    plan: &mut Plan,
) {
    let (mut kept, mut left) = (0, 0);
    for binding in &facts.bindings {
        let Some(consumer) = Consumer::parse(&binding.consumer) else {
            plan.lines.push(Line::left(
                "binding_unknown_consumer",
                target,
                "a binding",
                "of a consumer that Daybind does not have",
            ));
            continue;
        };
        let visible = edition.visible_consumers().contains(&consumer);
        let wanted = match binding.foreign_tenant {
            Some(owner) => Err((
                "binding_cross_tenant",
                format!("was bound to a profile of another MSP ({owner}); it stays unbound"),
                "Create a profile of this MSP's own and bind it.",
            )),
            None => usable(facts, plan, binding.profile_id),
        };
        let line = match settled(target, consumer, here, wanted.as_ref().ok().copied()) {
            Some(line) => line,
            None => match wanted {
                Ok(profile_id) => {
                    plan.bindings.push(NewBinding {
                        consumer,
                        profile_id,
                        reason: "explicit",
                    });
                    kept += usize::from(!visible);
                    Line::done(
                        "binding_imported",
                        target,
                        consumer.label(),
                        format!(
                            "is bound to {}, as over there",
                            source_name(facts, binding.profile_id)
                        ),
                    )
                }
                Err((code, what, todo)) => {
                    left += usize::from(!visible);
                    Line::todo(code, target, consumer.label(), what, todo)
                }
            },
        };
        if visible {
            plan.lines.push(line);
        }
    }
    // What this edition does not show is not named by it either.
    if kept > 0 {
        plan.lines.push(Line::done(
            "binding_imported",
            target,
            "Enterprise features",
            format!("{kept} explicit bindings are kept for the Enterprise edition"),
        ));
    }
    if left > 0 {
        plan.lines.push(Line::left(
            "enterprise_left",
            target,
            "Enterprise features",
            format!("{left} bindings were left; an import by the Enterprise edition says why"),
        ));
    }
}

fn source_name(facts: &Facts, id: Uuid) -> String {
    facts
        .profiles
        .iter()
        .find(|p| p.profile_id == id)
        .map_or_else(|| "a profile".to_owned(), named)
}

/// A line when the consumer is dealt with: by an earlier run, or by somebody here.
fn settled(
    target: TenantId,
    consumer: Consumer,
    here: &Here,
    wanted: Option<ProfileId>,
) -> Option<Line> {
    let now = here.bindings.iter().find(|b| b.consumer == consumer);
    if here.dealt_with("binding", consumer.as_str()).is_some() {
        return Some(Line::already(
            "binding_present",
            target,
            consumer.label(),
            "was dealt with earlier; it is left as it is now",
        ));
    }
    let now = now?;
    Some(if Some(now.profile_id) == wanted {
        Line::already(
            "binding_present",
            target,
            consumer.label(),
            "is bound so already",
        )
    } else {
        Line::already(
            "binding_kept",
            target,
            consumer.label(),
            "is bound here to another profile than over there; it is left as it is",
        )
    })
}

/// Consumers without a binding that worked through the default profile over there. One is bound only when it was in use
/// and there is no doubt which profile served it; the mark "default" decides nothing.
pub(super) fn from_use(
    edition: Edition,
    target: TenantId,
    facts: &Facts,
    here: &Here,
    plan: &mut Plan,
) {
    for consumer in edition.visible_consumers().iter().copied() {
        if facts
            .bindings
            .iter()
            .any(|b| Consumer::parse(&b.consumer) == Some(consumer))
        {
            continue;
        }
        let sign = sign(facts, consumer);
        if let Some(line) = settled(target, consumer, here, None) {
            plan.lines.push(line);
            continue;
        }
        let Some((sign, chosen)) = sign else {
            if facts.profiles.iter().any(|p| p.is_default) {
                plan.lines.push(Line::left(
                    "default_not_used",
                    target,
                    consumer.label(),
                    "stays unbound: it was not in use, and a default profile binds nothing",
                ));
            }
            continue;
        };
        let wanted = match chosen {
            Some(profile) => usable(facts, plan, profile).map(|id| (profile, id, "selected")),
            None => candidate(facts, consumer).and_then(|profile| {
                usable(facts, plan, profile.profile_id)
                    .map(|id| (profile.profile_id, id, "only_candidate"))
            }),
        };
        plan.lines.push(match wanted {
            Ok((source, profile_id, reason)) => {
                plan.bindings.push(NewBinding {
                    consumer,
                    profile_id,
                    reason,
                });
                Line::done(
                    "binding_from_use",
                    target,
                    consumer.label(),
                    format!(
                        "had no binding, but was in use ({sign}): it is bound to {}, the only one it can have used",
                        source_name(facts, source)
                    ),
                )
            }
            Err((code, what, todo)) => Line::todo(
                code,
                target,
                consumer.label(),
                format!("was in use without a binding ({sign}): {what}"),
                todo,
            ),
        });
    }
}

fn sign(facts: &Facts, consumer: Consumer) -> Option<(String, Option<Uuid>)> {
    if consumer == Consumer::MspSso {
        let count = facts.domains.iter().filter(|domain| in_use(domain)).count();
        return (count > 0).then(|| (format!("active log-in domains: {count}"), None));
    }
    facts
        .usage
        .iter()
        .find(|usage| usage.consumer == consumer)
        .map(|usage| (usage.sign.clone(), usage.chosen))
}

/// The one profile that can have served an unbound consumer.
fn candidate(facts: &Facts, consumer: Consumer) -> Result<&AlgaProfile, Obstacle> {
    // Teams never fell back to anything; without a selection it did not work over there either.
    if consumer == Consumer::Teams {
        return Err((
            "binding_not_chosen",
            "no profile was selected for it; it stays unbound".to_owned(),
            BIND,
        ));
    }
    let active: Vec<&AlgaProfile> = facts.profiles.iter().filter(|p| !p.is_archived).collect();
    match active.as_slice() {
        [] => Err((
            "binding_no_profile",
            "no active profile exists; it stays unbound".to_owned(),
            BIND,
        )),
        [only] => Ok(only),
        several => {
            let same = |profile: &&&AlgaProfile| {
                facts.legacy.as_ref().is_some_and(|legacy| {
                    profile.client_id.trim().to_lowercase() == legacy.client_id
                        && legacy
                            .directory_id
                            .as_ref()
                            .is_none_or(|id| profile.directory_id.trim().to_lowercase() == *id)
                })
            };
            let matching: Vec<_> = several.iter().filter(same).collect();
            match matching.as_slice() {
                [one] => Ok(one),
                _ => Err((
                    "binding_ambiguous",
                    format!(
                        "{} profiles can be meant, and which was the default over there decides nothing here; it stays \
                         unbound",
                        several.len()
                    ),
                    BIND,
                )),
            }
        }
    }
}
