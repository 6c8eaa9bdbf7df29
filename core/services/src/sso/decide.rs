//! What follows from a proven Microsoft account: one pure function, so that every case can be written down.
//!
//! An address never decides anything. It can make a *suggestion* for the administrator who approves a match, and only
//! when Microsoft says that the directory owns the address's domain.

/// What the person wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To sign in.
    SignIn,
    /// To add the account to themselves, while signed in.
    Link,
}

/// Whose the account is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's.
    Nobody,
    /// The signed-in person's (only when linking).
    Caller,
    /// Somebody's; when signing in, that is who wants to come in.
    Somebody,
}

/// The standing of the person it is about: the owner when signing in, the caller when linking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Active, and works for the MSP.
    Staff,
    /// Switched off.
    Inactive,
    /// A client-portal user.
    ClientPortal,
}

/// What an administrator has said about the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nothing: nobody has asked.
    Never,
    /// It waits.
    Pending,
    /// It was declined.
    Declined,
}

/// What Microsoft says about the account's address (claim `xms_edov`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// The directory owns its domain.
    Verified,
    /// It does not.
    Unverified,
    /// Microsoft says nothing, which counts as unverified.
    Unknown,
}

/// Who in the tenant has that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidate {
    /// Nobody.
    None,
    /// An active person who works for the MSP and has no Microsoft account yet.
    Free,
    /// Such a person who has one.
    Linked,
    /// Somebody who may not sign in here.
    Barred,
}

/// Everything the decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the person wanted.
    pub intent: Intent,
    /// Whose the account is.
    pub owner: Owner,
    /// Of the person it is about; not looked at when signing in with an account of nobody.
    pub standing: Standing,
    /// What an administrator has said.
    pub asked: Asked,
    /// What Microsoft says about the address.
    pub address: Address,
    /// Who has that address.
    pub candidate: Candidate,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Open a session for the owner.
    SignIn,
    /// Add the account to the caller.
    Link,
    /// It is the caller's already.
    Keep,
    /// It is another person's: nothing is added.
    Elsewhere,
    /// Ask an administrator, with or without the candidate as a suggestion.
    Ask {
        /// Whether to suggest the candidate.
        suggest: bool,
    },
    /// An administrator has been asked.
    Wait,
    /// An administrator declined the account.
    Declined,
    /// The person may not sign in here.
    Barred,
}

/// Decides.
#[must_use]
pub fn decide(facts: Facts) -> Decision {
    let staff = facts.standing == Standing::Staff;
    match (facts.intent, facts.owner) {
        (Intent::SignIn, Owner::Nobody) => match facts.asked {
            Asked::Never => Decision::Ask {
                suggest: facts.address == Address::Verified && facts.candidate == Candidate::Free,
            },
            Asked::Pending => Decision::Wait,
            Asked::Declined => Decision::Declined,
        },
        (Intent::SignIn, Owner::Somebody | Owner::Caller) if staff => Decision::SignIn,
        (Intent::Link, Owner::Nobody) if staff => Decision::Link,
        (Intent::Link, Owner::Caller) if staff => Decision::Keep,
        (Intent::Link, Owner::Somebody) if staff => Decision::Elsewhere,
        _ => Decision::Barred,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Facts> {
        let mut all = Vec::new();
        for intent in [Intent::SignIn, Intent::Link] {
            for owner in [Owner::Nobody, Owner::Caller, Owner::Somebody] {
                for standing in [Standing::Staff, Standing::Inactive, Standing::ClientPortal] {
                    for asked in [Asked::Never, Asked::Pending, Asked::Declined] {
                        for address in [Address::Verified, Address::Unverified, Address::Unknown] {
                            for candidate in [
                                Candidate::None,
                                Candidate::Free,
                                Candidate::Linked,
                                Candidate::Barred,
                            ] {
                                all.push(Facts {
                                    intent,
                                    owner,
                                    standing,
                                    asked,
                                    address,
                                    candidate,
                                });
                            }
                        }
                    }
                }
            }
        }
        all
    }

    /// M-14, T16, T17, W35, U12: every one of the 648 cases. Each outcome is pinned by "exactly when", so no case can
    /// move without a failure here; the sum shows that nothing was left out.
    #[test]
    fn every_case_is_decided_as_written_down() {
        let exactly = |decision: Decision, when: &dyn Fn(Facts) -> bool| {
            let mut count = 0;
            for facts in all() {
                let wanted = when(facts);
                assert_eq!(decide(facts) == decision, wanted, "{decision:?}: {facts:?}");
                count += usize::from(wanted);
            }
            count
        };
        let staff = |f: Facts| f.standing == Standing::Staff;
        let unknown = |f: Facts| f.intent == Intent::SignIn && f.owner == Owner::Nobody;
        let suggested = |f: Facts| f.address == Address::Verified && f.candidate == Candidate::Free;
        let counts = [
            // Nobody comes in but the staff member whose account it is.
            exactly(Decision::SignIn, &|f| {
                f.intent == Intent::SignIn && f.owner != Owner::Nobody && staff(f)
            }),
            // Nothing is added but by a signed-in staff member to themselves.
            exactly(Decision::Link, &|f| {
                f.intent == Intent::Link && f.owner == Owner::Nobody && staff(f)
            }),
            exactly(Decision::Keep, &|f| {
                f.intent == Intent::Link && f.owner == Owner::Caller && staff(f)
            }),
            exactly(Decision::Elsewhere, &|f| {
                f.intent == Intent::Link && f.owner == Owner::Somebody && staff(f)
            }),
            exactly(Decision::Ask { suggest: true }, &|f| {
                unknown(f) && f.asked == Asked::Never && suggested(f)
            }),
            exactly(Decision::Ask { suggest: false }, &|f| {
                unknown(f) && f.asked == Asked::Never && !suggested(f)
            }),
            exactly(Decision::Wait, &|f| unknown(f) && f.asked == Asked::Pending),
            exactly(Decision::Declined, &|f| {
                unknown(f) && f.asked == Asked::Declined
            }),
            exactly(Decision::Barred, &|f| !unknown(f) && !staff(f)),
        ];
        assert_eq!(counts, [72, 36, 36, 36, 3, 33, 36, 36, 360]);
        assert_eq!(counts.iter().sum::<usize>(), 648);
    }

    /// T16: whatever an address says and whoever has it, it changes a suggestion and nothing else.
    #[test]
    fn an_address_changes_nothing_but_a_suggestion() {
        for facts in all() {
            let without = decide(Facts {
                address: Address::Unknown,
                candidate: Candidate::None,
                ..facts
            });
            let with = decide(facts);
            let same_but_suggestion = matches!(
                (with, without),
                (Decision::Ask { .. }, Decision::Ask { suggest: false })
            );
            assert!(with == without || same_but_suggestion, "{facts:?}");
        }
    }
}
