//! What a preview says is what the next run does, after whatever was done on both sides; and it writes nothing.

use std::collections::BTreeSet;

use daybind_ee_calendar::preview::{Side, plan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::series;
use crate::world::{self, Setting, World};

type Done = Vec<(Option<String>, &'static str, String)>;

fn word(side: Side) -> &'static str {
    match side {
        Side::Schedule => "schedule",
        Side::Calendar => "calendar",
        Side::None => "none",
    }
}

/// Entry, side and action of each step; what is left alone is not recorded by every run.
async fn foreseen(world: &World<'_>) -> Done {
    let plan = plan(&world.engine, world.row().await).await.unwrap();
    let known = world.entry_ids().await;
    let steps = plan.steps.iter().filter(|step| step.action != "skipped");
    let mut done: Done = steps
        .map(|step| {
            // An occurrence that gets an entry of its own has none yet.
            let entry = step.entry.filter(|id| known.contains(id));
            (
                entry.map(|id| id.to_string()),
                word(step.side),
                step.action.to_owned(),
            )
        })
        .collect();
    done.sort();
    done
}

async fn recorded(
    world: &World<'_>,
    known: &BTreeSet<uuid::Uuid>,
    entries: &BTreeSet<daybind_domain::ids::EntryId>,
) -> Done {
    let changes = world.changes().await;
    let new = changes.into_iter().filter(|change| {
        !known.contains(&change.change_id)
            && !matches!(change.action.as_str(), "skipped" | "resolved")
    });
    let mut done: Done = new
        .map(|change| {
            let side = match change.side.as_str() {
                "schedule" => "schedule",
                "calendar" => "calendar",
                _ => "none",
            };
            let entry = change.entry_id.filter(|id| entries.contains(id));
            (entry.map(|id| id.to_string()), side, change.action)
        })
        .collect();
    done.sort();
    done
}

async fn case(store: &world::Stored, seed: u64, google: bool, with_series: bool) {
    let mut rng = StdRng::seed_from_u64(seed);
    let setting = Setting {
        google,
        conflict_policy: crate::CONFLICTS[rng.random_range(0..4)],
        deletion_policy: crate::DELETIONS[rng.random_range(0..3)],
        direction: ["bidirectional", "to_external", "from_external"][rng.random_range(0..3)],
    };
    let mut world = World::new(store, seed, &setting).await;
    for _ in 0..3 {
        for _ in 0..rng.random_range(1..7) {
            if with_series {
                series::step(&mut world, &mut rng).await;
                continue;
            }
            match rng.random_range(0..10) {
                0..3 if world.count() < 8 => {
                    world.add(rng.random_bool(0.3)).await;
                }
                0..5 => world.edit_here(&mut rng).await,
                5..7 => world.edit_there(&mut rng),
                7 => world.delete_there().await,
                8 => world.lose_cursors(),
                _ => world.assign_or_call_off(&mut rng).await,
            }
        }
        let before = world.changes().await;
        let known = before.iter().map(|change| change.change_id).collect();
        let (rows, row, writes) = (world.mappings().await, world.row().await, world.writes());
        let entries = world.entry_ids().await;
        let foreseen = foreseen(&world).await;
        assert_eq!(world.mappings().await, rows, "a preview writes nothing");
        assert_eq!(
            world.row().await.version,
            row.version,
            "a preview writes nothing"
        );
        assert_eq!(world.writes(), writes, "a preview writes nothing there");
        world.notify().await;
        world.drain().await;
        assert_eq!(
            foreseen,
            recorded(&world, &known, &entries).await,
            "{setting:?}"
        );
        if world.status().await != "connected" {
            break;
        }
    }
    world.end().await;
}

/// As in the other cases: `DAYBIND_TEST_SEED` and `DAYBIND_TEST_CASES`.
async fn cases(store: world::Stored, google: bool, count: u64) {
    let one = crate::number("DAYBIND_TEST_SEED");
    let count = crate::number("DAYBIND_TEST_CASES").unwrap_or(count);
    // The last one had occurrences counted that only follow their series.
    let seeds: Vec<u64> = match one {
        Some(seed) => vec![seed],
        None => (0..count).chain([101]).collect(),
    };
    for seed in seeds {
        for with_series in [false, true] {
            println!("DAYBIND_TEST_SEED={seed}, series: {with_series}");
            case(&store, seed, google, with_series).await;
        }
    }
}

#[tokio::test]
async fn google_previews_on_sqlite() {
    cases(world::sqlite().await, true, 60).await;
}

#[tokio::test]
async fn microsoft_previews_on_sqlite() {
    cases(world::sqlite().await, false, 60).await;
}

#[tokio::test]
async fn google_previews_on_postgres() {
    cases(world::postgres().await, true, 20).await;
}

#[tokio::test]
async fn microsoft_previews_on_postgres() {
    cases(world::postgres().await, false, 20).await;
}
