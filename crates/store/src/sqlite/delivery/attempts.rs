//! Attempts at deliveries.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::{
    AccountId, Attempt, AttemptOutcome, DeliveryId, DeliveryState, SubscriptionId, Timestamp,
    Timings, Transcript, UnreachableReason,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::deliveries::advance;
use crate::commit::Recorded;
use crate::records::{TranscriptRecord, from_json, to_json};
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, unreadable};

/// What both sides of an attempt said, as JSON.
#[derive(Debug)]
pub(in crate::sqlite) struct AttemptColumns {
    transcript: Option<String>,
}

pub(in crate::sqlite) fn encode(attempt: &Attempt) -> AttemptColumns {
    let transcript = attempt.transcript.as_deref();
    AttemptColumns {
        transcript: transcript.map(|said| to_json(&TranscriptRecord::from(said))),
    }
}

/// Appends an attempt and moves its delivery on. A delivery that is no longer waiting stays as it
/// is, and the attempt is still kept: it was made. Of one that was erased nothing is kept.
pub(in crate::sqlite) fn record(
    db: &Connection,
    attempt: &Attempt,
    columns: &AttemptColumns,
    state: &DeliveryState,
) -> Result<Recorded, Fault> {
    let sql =
        "insert into attempts (delivery_id, number, account_id, started_at, connect_us, total_us,
            outcome, status, retry_after_ms, peer, answer_excerpt, dns_us, tls_us, wait_us,
            transcript)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15
        where exists (select 1 from deliveries where id = ?1)
        on conflict (delivery_id, number) do nothing";
    let (outcome, retry_after) = match attempt.outcome {
        AttemptOutcome::Accepted { .. } => ("accepted", None),
        AttemptOutcome::Refused { retry_after, .. } => ("refused", retry_after),
        AttemptOutcome::Unreachable { reason } => (reason.name(), None),
    };
    let values = params![
        attempt.delivery.as_i64(),
        attempt.number,
        attempt.account.as_i64(),
        attempt.started_at.as_millis(),
        attempt.timings.connect_us.cast_signed(),
        attempt.timings.total_us.cast_signed(),
        outcome,
        attempt.outcome.status(),
        retry_after.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
        attempt.peer,
        attempt.answer_excerpt,
        attempt.timings.dns_us.cast_signed(),
        attempt.timings.tls_us.cast_signed(),
        attempt.timings.wait_us.cast_signed(),
        columns.transcript,
    ];
    let fresh = execute(db, sql, values)? > 0;
    let moved = advance(
        db,
        attempt.account,
        attempt.delivery,
        state,
        Some((attempt, outcome)),
    )?;
    Ok(Recorded { fresh, moved })
}

pub(in crate::sqlite) fn attempts(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
) -> Result<Vec<Attempt>, Fault> {
    let sql = "select a.number, a.started_at, a.connect_us, a.total_us, a.outcome, a.status,
            a.retry_after_ms, a.peer, a.answer_excerpt, d.subscription_id, a.dns_us, a.tls_us,
            a.wait_us, a.transcript
        from attempts a join deliveries d on d.id = a.delivery_id
        where a.delivery_id = ?1 and a.account_id = ?2 order by a.number";
    many(
        db,
        sql,
        params![delivery.as_i64(), account.as_i64()],
        |row| {
            let outcome: String = row.get(4)?;
            let status: Option<u16> = row.get(5)?;
            let retry_after: Option<i64> = row.get(6)?;
            let outcome = match (outcome.as_str(), status) {
                ("accepted", Some(status)) => AttemptOutcome::Accepted { status },
                ("refused", Some(status)) => AttemptOutcome::Refused {
                    status,
                    retry_after: retry_after.map(|ms| Duration::from_millis(ms.cast_unsigned())),
                },
                (name, _) => AttemptOutcome::Unreachable {
                    reason: UnreachableReason::from_name(name)
                        .ok_or_else(|| unreadable(4, "the outcome of an attempt"))?,
                },
            };
            Ok(Attempt {
                account,
                delivery,
                subscription: SubscriptionId(Uuid::from_bytes(row.get(9)?)),
                number: row.get(0)?,
                started_at: Timestamp::from_millis(row.get(1)?),
                timings: Timings {
                    dns_us: row.get::<_, i64>(10)?.cast_unsigned(),
                    connect_us: row.get::<_, i64>(2)?.cast_unsigned(),
                    tls_us: row.get::<_, i64>(11)?.cast_unsigned(),
                    wait_us: row.get::<_, i64>(12)?.cast_unsigned(),
                    total_us: row.get::<_, i64>(3)?.cast_unsigned(),
                },
                outcome,
                peer: row.get(7)?,
                answer_excerpt: row.get(8)?,
                transcript: row
                    .get::<_, Option<String>>(13)?
                    .map(|text| {
                        let said = from_json::<TranscriptRecord<'_>, Transcript>(text);
                        said.map(Arc::new)
                            .ok_or_else(|| unreadable(13, "what an attempt said"))
                    })
                    .transpose()?,
            })
        },
    )
}
