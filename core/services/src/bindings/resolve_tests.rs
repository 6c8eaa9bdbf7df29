//! The rule as a table, and the table against broken rules (M-07, W65).
//!
//! Each mutant below is the rule with one fault somebody could make. The table must tell every one of them from the
//! rule; a mutant it cannot tell apart fails the test, which says that a case is missing.

use chrono::DateTime;
use daybind_domain::ids::UserId;
use daybind_domain::profile::ProfileFields;
use daybind_storage::SecretMeta;
use uuid::Uuid;

use super::*;

type Rule = for<'a> fn(
    Edition,
    TenantId,
    Consumer,
    Option<&Binding>,
    Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved>;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const OTHER: TenantId = TenantId(Uuid::from_u128(2));
const PROFILE: ProfileId = ProfileId(Uuid::from_u128(3));
const STRAY: ProfileId = ProfileId(Uuid::from_u128(4));

fn profile(tenant_id: TenantId, profile_id: ProfileId) -> Profile {
    Profile {
        client_secret_sealed: Some("sealed".to_owned()),
        ..blank(tenant_id, profile_id)
    }
}

fn blank(tenant_id: TenantId, profile_id: ProfileId) -> Profile {
    Profile {
        tenant_id,
        profile_id,
        fields: ProfileFields {
            display_name: "Main".to_owned(),
            display_name_normalized: "main".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            directory_id: "contoso.example".to_owned(),
            cloud: daybind_domain::Cloud::Global,
        },
        client_secret_sealed: None,
        client_secret_last4: None,
        secret: SecretMeta::default(),
        archived_at: None,
        version: 1,
        created_by: UserId(Uuid::from_u128(9)),
        created_at: DateTime::UNIX_EPOCH,
        updated_by: None,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

fn binding(tenant_id: TenantId, consumer: Consumer, profile_id: ProfileId) -> Binding {
    Binding {
        tenant_id,
        consumer,
        profile_id,
        updated_by: UserId(Uuid::from_u128(9)),
        updated_at: DateTime::UNIX_EPOCH,
    }
}

struct Case {
    name: &'static str,
    edition: Edition,
    consumer: Consumer,
    binding: Option<Binding>,
    profile: Option<Profile>,
    expected: Result<(), Unresolved>,
}

fn cases() -> Vec<Case> {
    use Consumer::{Calendar, Email, MspSso, Teams};
    use Edition::{Community, Enterprise};
    let archived = Profile {
        archived_at: Some(DateTime::UNIX_EPOCH),
        ..profile(TENANT, PROFILE)
    };
    let case = |name, edition, consumer, binding, profile, expected| Case {
        name,
        edition,
        consumer,
        binding,
        profile,
        expected,
    };
    let bound = |consumer| Some(binding(TENANT, consumer, PROFILE));
    let ready = || Some(profile(TENANT, PROFILE));
    let mut all = vec![
        case(
            "archived",
            Community,
            MspSso,
            bound(MspSso),
            Some(archived.clone()),
            Err(Unresolved::Archived),
        ),
        case(
            "archived, Enterprise",
            Enterprise,
            Calendar,
            bound(Calendar),
            Some(archived),
            Err(Unresolved::Archived),
        ),
        case(
            "row without its profile",
            Enterprise,
            Calendar,
            bound(Calendar),
            None,
            Err(Unresolved::ProfileMissing),
        ),
        case(
            "another profile than the row names",
            Enterprise,
            Calendar,
            bound(Calendar),
            Some(profile(TENANT, STRAY)),
            Err(Unresolved::ProfileMissing),
        ),
        case(
            "another tenant's profile of the same id",
            Enterprise,
            Calendar,
            bound(Calendar),
            Some(profile(OTHER, PROFILE)),
            Err(Unresolved::ProfileMissing),
        ),
        case(
            "another tenant's row",
            Enterprise,
            Calendar,
            Some(binding(OTHER, Calendar, PROFILE)),
            ready(),
            Err(Unresolved::NotBound),
        ),
        case(
            "another consumer's row",
            Enterprise,
            Calendar,
            Some(binding(TENANT, MspSso, PROFILE)),
            ready(),
            Err(Unresolved::NotBound),
        ),
        case(
            "no secret",
            Enterprise,
            Calendar,
            bound(Calendar),
            Some(blank(TENANT, PROFILE)),
            Err(Unresolved::Incomplete(missing(&blank(TENANT, PROFILE)))),
        ),
    ];
    for consumer in [MspSso, Email, Calendar, Teams] {
        all.push(case(
            "bound",
            Enterprise,
            consumer,
            bound(consumer),
            ready(),
            Ok(()),
        ));
        // A usable profile lies about, and it is the only one: still nothing.
        all.push(case(
            "unbound",
            Enterprise,
            consumer,
            None,
            ready(),
            Err(Unresolved::NotBound),
        ));
        all.push(case(
            "nothing at all",
            Enterprise,
            consumer,
            None,
            None,
            Err(Unresolved::NotBound),
        ));
        let (expected, unbound) = if consumer == MspSso {
            (Ok(()), Unresolved::NotBound)
        } else {
            (Err(Unresolved::EnterpriseOnly), Unresolved::EnterpriseOnly)
        };
        all.push(case(
            "Community, bound",
            Community,
            consumer,
            bound(consumer),
            ready(),
            expected,
        ));
        all.push(case(
            "Community, unbound",
            Community,
            consumer,
            None,
            ready(),
            Err(unbound),
        ));
    }
    all
}

/// The cases a rule gets wrong.
fn wrong(rule: Rule) -> Vec<String> {
    cases()
        .into_iter()
        .filter(|case| {
            let got = rule(
                case.edition,
                TENANT,
                case.consumer,
                case.binding.as_ref(),
                case.profile.as_ref(),
            );
            got.map(|found| assert_eq!(Some(found), case.profile.as_ref())) != case.expected
        })
        .map(|case| format!("{}: {:?}", case.name, case.consumer))
        .collect()
}

/// A consumer resolves through its explicit binding or not at all (M-07).
#[test]
fn only_the_explicit_row_counts() {
    assert_eq!(wrong(decide), Vec::<String>::new());
}

fn ignores_the_edition<'a>(
    _: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    decide(Edition::Enterprise, tenant, consumer, binding, profile)
}

fn never_enterprise<'a>(
    _: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    decide(Edition::Community, tenant, consumer, binding, profile)
}

fn falls_back_to_any_profile<'a>(
    edition: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    match decide(edition, tenant, consumer, binding, profile) {
        Err(Unresolved::NotBound) if binding.is_none() => profile.ok_or(Unresolved::NotBound),
        other => other,
    }
}

fn falls_back_to_another_consumer<'a>(
    edition: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    let borrowed = binding.map(|row| Binding {
        consumer,
        ..row.clone()
    });
    decide(edition, tenant, consumer, borrowed.as_ref(), profile)
}

fn ignores_the_tenant_of_the_row<'a>(
    edition: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    let own = binding.map(|row| Binding {
        tenant_id: tenant,
        ..row.clone()
    });
    decide(edition, tenant, consumer, own.as_ref(), profile)
}

/// Which of the profile's own states a mutant looks at.
struct Looks {
    archived: bool,
    complete: bool,
}

/// As the rule, with the checks of the profile as given.
fn with_profile_checks<'a>(
    edition: Edition,
    tenant: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
    fits: impl Fn(&Profile, &Binding) -> bool,
    looks: &Looks,
) -> Result<&'a Profile, Unresolved> {
    if !edition.visible_consumers().contains(&consumer) {
        return Err(Unresolved::EnterpriseOnly);
    }
    let row = binding
        .filter(|row| row.tenant_id == tenant && row.consumer == consumer)
        .ok_or(Unresolved::NotBound)?;
    let found = profile
        .filter(|profile| fits(profile, row))
        .ok_or(Unresolved::ProfileMissing)?;
    if looks.archived && found.archived_at.is_some() {
        return Err(Unresolved::Archived);
    }
    let lacking = if found.archived_at.is_some() {
        Vec::new()
    } else {
        missing(found)
    };
    if looks.complete && !lacking.is_empty() {
        return Err(Unresolved::Incomplete(lacking));
    }
    Ok(found)
}

macro_rules! profile_mutant {
    ($name:ident, $fits:expr, $archived:literal, $complete:literal) => {
        fn $name<'a>(
            edition: Edition,
            tenant: TenantId,
            consumer: Consumer,
            binding: Option<&Binding>,
            profile: Option<&'a Profile>,
        ) -> Result<&'a Profile, Unresolved> {
            let looks = Looks {
                archived: $archived,
                complete: $complete,
            };
            with_profile_checks(edition, tenant, consumer, binding, profile, $fits, &looks)
        }
    };
}

profile_mutant!(
    copy_of_the_rule,
    |p, row| p.tenant_id == row.tenant_id && p.profile_id == row.profile_id,
    true,
    true
);
profile_mutant!(
    ignores_the_profiles_tenant,
    |p, row| p.profile_id == row.profile_id,
    true,
    true
);
profile_mutant!(
    ignores_which_profile,
    |p, row| p.tenant_id == row.tenant_id,
    true,
    true
);
profile_mutant!(
    uses_archived_profiles,
    |p, row| p.tenant_id == row.tenant_id && p.profile_id == row.profile_id,
    false,
    true
);
profile_mutant!(
    uses_incomplete_profiles,
    |p, row| p.tenant_id == row.tenant_id && p.profile_id == row.profile_id,
    true,
    false
);

fn refuses_everything<'a>(
    _: Edition,
    _: TenantId,
    _: Consumer,
    _: Option<&Binding>,
    _: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    Err(Unresolved::NotBound)
}

/// The table tells every mutant from the rule, and a faithful copy from none (M-07).
#[test]
fn the_table_finds_every_mutant() {
    assert_eq!(wrong(copy_of_the_rule), Vec::<String>::new());
    let mutants: [(&str, Rule); 10] = [
        ("ignores the edition", ignores_the_edition),
        ("never Enterprise", never_enterprise),
        ("falls back to any profile", falls_back_to_any_profile),
        (
            "falls back to another consumer",
            falls_back_to_another_consumer,
        ),
        (
            "ignores the tenant of the row",
            ignores_the_tenant_of_the_row,
        ),
        ("ignores the profile's tenant", ignores_the_profiles_tenant),
        ("ignores which profile the row names", ignores_which_profile),
        ("uses archived profiles", uses_archived_profiles),
        ("uses incomplete profiles", uses_incomplete_profiles),
        ("refuses everything", refuses_everything),
    ];
    let survivors: Vec<_> = mutants
        .into_iter()
        .filter(|(_, mutant)| wrong(*mutant).is_empty())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(survivors, Vec::<&str>::new());
}

/// Every refusal says what is wrong and what to do next; in Community none names a hidden consumer.
#[test]
fn refusals_carry_a_next_step() {
    for why in [
        Unresolved::NotBound,
        Unresolved::ProfileMissing,
        Unresolved::Archived,
        Unresolved::Incomplete(vec!["the client secret is missing".to_owned()]),
    ] {
        let error = why.error(Consumer::MspSso);
        assert_eq!(error.code, ErrorCode::NotReady);
        assert!(error.message.contains("MSP SSO"), "{error}");
        assert!(error.next_step.is_some(), "{error}");
    }
    let hidden = Unresolved::EnterpriseOnly.error(Consumer::Calendar);
    assert_eq!(hidden.code, ErrorCode::EnterpriseOnly);
    assert!(!hidden.message.contains("Calendar"));
}
