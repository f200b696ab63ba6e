//! Claims about scenarios.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::events::type_name::TypeName;
use crate::kernel::ids::ID_MAX;

fn told(scenario: &Scenario, run: &Run) -> Vec<Value> {
    let steps = scenario.steps.iter();
    steps
        .map(|step| serde_json::from_slice(&step.data(run)).unwrap())
        .collect()
}

fn named(name: &str) -> &'static Scenario {
    Scenario::named(name).unwrap()
}

/// The different values of a member, over all steps that have it.
fn values<'a>(told: &'a [Value], pointer: &str) -> BTreeSet<&'a str> {
    told.iter()
        .filter_map(|data| data.pointer(pointer)?.as_str())
        .collect()
}

#[test]
fn scenarios_have_names_of_their_own_and_readable_steps() {
    let names: BTreeSet<_> = SCENARIOS.iter().map(|known| known.name).collect();
    assert_eq!(names.len(), SCENARIOS.len());
    for scenario in &SCENARIOS {
        assert!(!scenario.is_empty() && !scenario.title.is_empty());
        assert!(!scenario.description.contains("  "), "{}", scenario.name);
        for step in scenario.steps {
            assert!(TypeName::parse(step.type_name).is_ok());
            assert!(!step.title.is_empty() && !step.description.is_empty());
        }
    }
    assert!(Scenario::named("no-such").is_none());
}

#[test]
fn an_invoice_stays_the_same_from_step_to_step() {
    let told = told(named("invoice-paid"), &Run::EXAMPLE);
    assert_eq!(values(&told, "/invoiceId").len(), 1);
    assert!(told.iter().all(|data| data["invoiceId"].is_string()));
    let amounts: BTreeSet<_> = told
        .iter()
        .filter_map(|data| data["totalCents"].as_u64().or(data["amountCents"].as_u64()))
        .collect();
    assert_eq!(amounts.len(), 1, "{amounts:?}");
    let first = &told[0];
    let cents = |value: &Value| value.as_u64().unwrap();
    let lines: u64 = first["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            assert_eq!(
                cents(&line["quantity"]) * cents(&line["unitCents"]),
                cents(&line["amountCents"])
            );
            cents(&line["amountCents"])
        })
        .sum();
    assert_eq!(lines, cents(&first["netCents"]));
    assert_eq!(
        lines + cents(&first["taxCents"]),
        cents(&first["totalCents"])
    );
    let last = &told[5];
    assert_eq!(last["amountDueCents"], 0);
    assert_eq!(last["paymentId"], told[4]["paymentId"]);
    assert_ne!(told[3]["paymentId"], told[4]["paymentId"]);
    assert_eq!(last["sentTime"], told[1]["sentTime"]);
    assert_eq!(last["openedTime"], told[2]["openedTime"]);
    assert_eq!(last["paidTime"], told[4]["time"]);
}

#[test]
fn a_team_stays_the_same_from_step_to_step() {
    let told = told(named("team"), &Run::EXAMPLE);
    let chats = told.iter().filter(|data| data["members"].is_array());
    let teams: BTreeSet<_> = chats.map(|data| data["id"].as_str().unwrap()).collect();
    assert_eq!(teams, values(&told, "/groupId"));
    assert_eq!(teams.len(), 1);
    assert_eq!(told[3]["id"], told[5]["id"], "one post, then changed");
    assert_eq!(
        told[4]["parentPostId"], told[3]["id"],
        "the reply names its post"
    );
    assert_eq!(told[7]["id"], told[4]["id"], "the reply goes");
    assert_eq!(told[2]["addedPersonIds"], serde_json::json!(["2071417012"]));
}

#[test]
fn each_run_has_its_own_ids_and_times() {
    let later = Run {
        number: ID_MAX - 10,
        begun_at: Run::EXAMPLE.begun_at + Duration::from_secs(60),
        pause: Duration::ZERO,
    };
    for scenario in &SCENARIOS {
        let pairs = told(scenario, &Run::EXAMPLE)
            .into_iter()
            .zip(told(scenario, &later));
        for (one, other) in pairs {
            for member in ["id", "invoiceId", "paymentId", "creationTime"] {
                if one.get(member).is_some() {
                    assert_ne!(one[member], other[member], "{member}");
                }
            }
        }
        assert_eq!(told(scenario, &later), told(scenario, &later));
    }
    let paced = told(named("invoice-paid"), &Run::EXAMPLE);
    assert_eq!(paced[1]["sentTime"], "2026-09-21T14:13:21.000Z");
}

#[test]
fn a_step_becomes_an_event_of_its_type() {
    let about = (AccountId(1), Audience::Account, Timestamp::from_millis(5));
    for scenario in &SCENARIOS {
        for (at, step) in (0..).zip(scenario.steps) {
            let event = scenario.event(at, &Run::EXAMPLE, about.clone()).unwrap();
            assert_eq!(event.type_name(), step.type_name);
            assert_eq!(event.occurred_at, about.2);
            let source = event.attributes.as_ref().unwrap().source.clone();
            let expect = format!("/hookyard/scenarios/{}", scenario.name);
            assert_eq!(source, Some(expect));
        }
        let past = scenario.event(scenario.len(), &Run::EXAMPLE, about.clone());
        assert!(past.is_none());
    }
}
