//! Calendar events and notes as attachments (contract sections 2.3 and 3.4).

use crate::kernel::limits::{CARD_FIELD_CHARS_MAX, CARD_TEXT_CHARS_MAX, EVENT_REPETITIONS_MAX};

use super::aliases::{self, pick};
use super::findings::{Findings, Place};
use super::sanitise::COLOR_NAMES;
use super::tree::{Entries, Tree};
use super::{Attachment, CalendarEvent, Card, Field, FieldStyle, Note};
use crate::inbound::card::value::Maybe;

/// How often an event repeats.
const SCHEDULES: [&str; 6] = ["None", "Day", "Weekday", "Week", "Month", "Year"];
/// What ends the repetition.
const ENDINGS: [&str; 3] = ["None", "Count", "Date"];

/// Reads an event. Without a start it cannot stand in a calendar and becomes a card.
pub(super) fn read_event(
    entries: &Entries<'_>,
    id: String,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Attachment {
    let [
        title,
        start,
        end,
        all_day,
        recurrence,
        condition,
        after,
        on,
        color,
        location,
        description,
    ] = pick(&aliases::EVENT, entries, place, findings);
    let title = findings.short_text(title, place);
    let start_time = findings.time(start, place);
    let end_time = findings.time(end, place);
    let location = findings.short_text(location, place);
    let description = findings.text(description, place, CARD_TEXT_CHARS_MAX);
    let color = findings.name_of(color, place, &COLOR_NAMES);
    let recurrence = read_recurrence([recurrence, condition, after, on], place, findings);
    let title = title.unwrap_or_else(|| {
        findings.note(
            &place.key("title"),
            "missing: the event has a general title",
        );
        "Event".to_owned()
    });
    let Some(start_time) = start_time else {
        findings.note(
            &place.key("startTime"),
            "missing: the event is shown as a card",
        );
        let fields = location.map(|value| Field {
            title: "Location".to_owned(),
            value,
            style: FieldStyle::Long,
        });
        return Attachment::Card(Card {
            id,
            title: Some(title),
            text: description,
            color: color.map(str::to_owned),
            fields: fields.into_iter().collect(),
            ..Card::default()
        });
    };
    let end_time = match end_time {
        Some(end_time) if end_time >= start_time => end_time,
        Some(_) => {
            findings.note(
                &place.key("endTime"),
                "before the start: taken as the start",
            );
            start_time
        }
        None => {
            findings.note(&place.key("endTime"), "missing: taken as the start");
            start_time
        }
    };
    Attachment::Event(CalendarEvent {
        id,
        title,
        start_time,
        end_time,
        all_day: findings.boolean(all_day, place).unwrap_or_default(),
        recurrence: recurrence.schedule.map(str::to_owned),
        ending_condition: recurrence.condition.map(str::to_owned),
        ending_after: recurrence.after,
        ending_on: recurrence.on,
        color: color.map(str::to_owned),
        location,
        description,
    })
}

#[derive(Default)]
struct Recurrence {
    schedule: Option<&'static str>,
    condition: Option<&'static str>,
    after: Option<u8>,
    on: Option<String>,
}

/// Reads a recurrence: flat in the older generation, an object in the newer.
fn read_recurrence(
    [schedule, condition, after, on]: [Maybe<'_, '_>; 4],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Recurrence {
    if let Some(given) = schedule
        && let Tree::Object(entries) = given.value
    {
        let place = place.key(given.name);
        let parts = pick(&aliases::RECURRENCE, entries, &place, findings);
        return read_recurrence(parts, &place, findings);
    }
    let schedule = findings.name_of(schedule, place, &SCHEDULES);
    let condition = findings.name_of(condition, place, &ENDINGS);
    // The oldest documents name the condition here.
    let on_is_condition = on
        .and_then(|given| given.value.as_text())
        .is_some_and(|text| ENDINGS.contains(&text));
    if on_is_condition {
        let named = findings.name_of(on, place, &ENDINGS);
        return Recurrence {
            schedule,
            condition: condition.or(named),
            after: read_repetitions(after, place, findings),
            on: None,
        };
    }
    Recurrence {
        schedule,
        condition,
        after: read_repetitions(after, place, findings),
        on: findings.time(on, place).map(|time| time.to_string()),
    }
}

fn read_repetitions(
    given: Maybe<'_, '_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<u8> {
    let given = given?;
    let count = match given.value {
        Tree::Number(number) => number.as_u64().and_then(|count| u8::try_from(count).ok()),
        Tree::Text(text) => text.parse().ok(),
        _ => None,
    };
    let count = count.filter(|count| (1..=EVENT_REPETITIONS_MAX).contains(count));
    if count.is_none() {
        let warning = format!("not a whole number from 1 to {EVENT_REPETITIONS_MAX}: left out");
        findings.note(&place.key(given.name), warning);
    }
    count
}

/// Reads a note. One without title and text is nothing.
pub(super) fn read_note(
    entries: &Entries<'_>,
    id: String,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Attachment> {
    let [title, text] = pick(&aliases::NOTE, entries, place, findings);
    let title = findings.text(title, place, CARD_FIELD_CHARS_MAX);
    let text = findings.text(text, place, CARD_TEXT_CHARS_MAX);
    if title.is_none() && text.is_none() {
        findings.note(place, "a note without title and text: left out");
        return None;
    }
    Some(Attachment::Note(Note {
        id,
        title: title.unwrap_or_else(|| "Note".to_owned()),
        text,
    }))
}
