//! The same for what is sent and how: subscriptions and their settings, deliveries, jobs.

use hookyard_domain::endpoints::endpoint::{Authorization, HandshakeKind, PayloadFormat};
use hookyard_domain::kernel::ports::StateQuery;
use hookyard_domain::{
    Attempt, AttemptOutcome, ContentFilter, Delivery, DeliveryMode, DeliverySelection,
    DeliveryState, Endpoint, ErasureSubject, EventFilter, HourSums, Job, JobWork, RetryPolicy,
    RetrySchedule, Secret, Statistics, Subscription, Transcript,
};

use super::words::{list, maybe, pairs};

pub(super) fn subscription(subscription: &Subscription) -> String {
    let blacklisted = subscription.blacklisted.as_ref();
    let blacklisted = blacklisted.map(|(at, why)| format!("{at} {why:?}"));
    format!(
        "{} of {} by {} {} filters={} created={} modified={} expires={} ttl={}s blacklisted={} \
         paused={} ended={} failing={} catch-up={} v{}",
        subscription.id,
        subscription.owner,
        subscription.client_id.0,
        subscription.status.name(),
        list(subscription.filters.iter().map(EventFilter::as_str)),
        subscription.created_at,
        subscription.modified_at,
        subscription.expires_at,
        subscription.ttl.as_secs(),
        maybe(blacklisted),
        maybe(subscription.paused_at),
        maybe(subscription.ended_at),
        maybe(subscription.failing_since),
        maybe(subscription.catch_up_after),
        subscription.version
    )
}

pub(super) fn mode(mode: &DeliveryMode) -> String {
    let name = mode.transport().name();
    match mode {
        DeliveryMode::WebHook {
            address,
            verification_token: secret,
        }
        | DeliveryMode::PubNub {
            channel: address,
            encryption_key: secret,
        } => format!(
            "{name} {address} secret={}",
            maybe(secret.as_ref().map(Secret::reveal))
        ),
        DeliveryMode::Push {
            registration_id,
            certificate_name,
            ..
        } => format!("{name} {registration_id} of {certificate_name}"),
        DeliveryMode::WebSocket { .. } => unreachable!("it is not stored"),
    }
}

pub(super) fn policy(policy: &RetryPolicy) -> String {
    let schedule = match &policy.schedule {
        RetrySchedule::List { delays_ms } => list(delays_ms),
        RetrySchedule::Exponential {
            first_ms,
            longest_ms,
        } => format!("{first_ms}..{longest_ms}"),
    };
    format!(
        "{schedule}ms attempts={} age={}ms timeout={}ms concurrency={}",
        policy.attempts_max, policy.age_max_ms, policy.timeout_ms, policy.concurrency_max
    )
}

/// An endpoint has too many settings for one line.
pub(super) fn endpoint(endpoint: &Endpoint) -> Vec<String> {
    let headers = endpoint.headers.iter();
    let headers = headers.map(|header| format!("{}={:?}", header.name, header.value.reveal()));
    let batching = endpoint.batching;
    let batching = batching.map(|one| format!("{}ms*{}", one.interval_ms, one.events_max));
    let rate = endpoint.rate;
    let rate = rate.map(|rate| format!("{}/{}ms", rate.count, rate.per_ms));
    let handshake = match endpoint.handshake {
        HandshakeKind::None => "none",
        HandshakeKind::Echo => "echo",
        HandshakeKind::Options => "options",
    };
    let format = match endpoint.format {
        PayloadFormat::Standard => "standard",
        PayloadFormat::CloudEvents => "cloudevents",
        PayloadFormat::CloudEventsBinary => "cloudevents-binary",
        PayloadFormat::RingCentral => "ringcentral",
    };
    let mut lines = vec![
        format!(
            "endpoint {:?} types={} content={} headers={}",
            endpoint.description,
            list(&endpoint.types),
            maybe(endpoint.content.as_ref().map(ContentFilter::as_json)),
            list(headers)
        ),
        format!(
            "handshake={handshake} format={format} threshold={} batching={} batch-kept={} rate={} \
             ordered={} origin={:?} error={:?}",
            endpoint.failure_threshold,
            maybe(batching),
            maybe(endpoint.batch_max_kept),
            maybe(rate),
            endpoint.ordered,
            endpoint.request_origin,
            endpoint.error
        ),
        authorization(&endpoint.authorization),
    ];
    lines.extend(endpoint.secrets.iter().map(|secret| {
        let (id, text) = (&secret.id, secret.secret.text());
        let until = maybe(secret.expires_at);
        let (text, at) = (text.reveal(), secret.created_at);
        format!("secret {id} {text} created={at} until={until}")
    }));
    lines
}

fn authorization(authorization: &Authorization) -> String {
    match authorization {
        Authorization::None => "authorization none".to_owned(),
        Authorization::Basic { username, password } => {
            format!("authorization basic {username} {}", password.reveal())
        }
        Authorization::Bearer { token } => format!("authorization bearer {}", token.reveal()),
        Authorization::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scope,
        } => {
            let secret = client_secret.reveal();
            format!("authorization oauth2 {token_url} {client_id} {secret} {scope:?}")
        }
    }
}

pub(super) fn delivery(delivery: &Delivery) -> String {
    let state = match delivery.state {
        DeliveryState::Waiting { due_at } => format!("waiting until {due_at}"),
        DeliveryState::Delivered { at } => format!("delivered at {at}"),
        DeliveryState::Abandoned { at, reason } => format!("abandoned at {at} {}", reason.name()),
    };
    let round = delivery.round;
    format!(
        "{} of {} to {} by {} {state} attempts={} repeat={} created={} round={}+{} tried={}",
        delivery.id,
        delivery.event,
        delivery.subscription,
        delivery.filter,
        delivery.attempts,
        delivery.possible_repeat,
        delivery.created_at,
        round.began_at,
        round.attempts_before,
        maybe(round.tried_since)
    )
}

pub(super) fn attempt(attempt: &Attempt) -> String {
    let outcome = match attempt.outcome {
        AttemptOutcome::Accepted { status } => format!("accepted {status}"),
        AttemptOutcome::Refused {
            status,
            retry_after,
        } => format!("refused {status} {retry_after:?}"),
        AttemptOutcome::Unreachable { reason } => format!("unreachable {}", reason.name()),
    };
    let took = attempt.timings;
    format!(
        "{} at {} {outcome} dns={} connect={} tls={} wait={} total={} peer={} excerpt={:?}",
        attempt.number,
        attempt.started_at,
        took.dns_us,
        took.connect_us,
        took.tls_us,
        took.wait_us,
        took.total_us,
        maybe(attempt.peer.as_ref()),
        attempt.answer_excerpt
    )
}

pub(super) fn transcript(transcript: &Transcript) -> String {
    let sent = transcript.request_headers.iter();
    let answered = transcript.answer_headers.iter();
    format!(
        "{} with {} others, sent {} answered {} truncated={}",
        transcript.url,
        transcript.batched_with,
        pairs(sent.map(|(name, value)| (name, value))),
        pairs(answered.map(|(name, value)| (name, value))),
        transcript.answer_truncated
    )
}

pub(super) fn statistics(statistics: &Statistics) -> String {
    let attempts = statistics.attempts.iter();
    let attempts = attempts.map(|(kind, count)| format!("{}*{count}", kind.name()));
    let percentiles = [50, 90, 99].map(|part| maybe(statistics.latency.percentile_us(part)));
    format!(
        "delivered={} abandoned={} attempts={} latency={}us",
        statistics.delivered,
        statistics.abandoned,
        list(attempts),
        list(percentiles)
    )
}

pub(super) fn sums(sums: &HourSums) -> String {
    format!(
        "delivered={} abandoned={} attempts={} failed={}",
        sums.delivered, sums.abandoned, sums.attempts, sums.failed_attempts
    )
}

pub(super) fn job(job: &Job) -> String {
    format!(
        "{} {} total={} done={} sent={} cursor={} created={} finished={} error={:?} v{}",
        job.id,
        job.status.name(),
        maybe(job.total),
        job.done,
        job.sent,
        maybe(job.cursor),
        job.created_at,
        maybe(job.finished_at),
        job.error,
        job.version
    )
}

pub(super) fn work(work: &JobWork) -> String {
    match work {
        JobWork::Resend { selection } => format!("resend {}", self::selection(selection)),
        JobWork::Recover { endpoint, since } => format!("recover {endpoint} since={since}"),
        JobWork::Replay {
            endpoint,
            since,
            until,
            types,
        } => {
            let types = list(types);
            format!("replay {endpoint} since={since} until={until} types={types}")
        }
        JobWork::Scenario {
            name,
            endpoint,
            pause_ms,
        } => format!("scenario {name} to {} every {pause_ms}ms", maybe(*endpoint)),
        JobWork::Erase { subject } => match subject {
            ErasureSubject::Person(person) => format!("erase person {person}"),
            ErasureSubject::Endpoint(endpoint) => format!("erase endpoint {endpoint}"),
        },
    }
}

fn selection(selection: &DeliverySelection) -> String {
    format!(
        "subscription={} event={} state={} answer={:?} types={} since={} until={}",
        maybe(selection.subscription),
        maybe(selection.event),
        maybe(selection.state.map(StateQuery::name)),
        selection.answer,
        maybe(selection.types.as_ref()),
        maybe(selection.since),
        maybe(selection.until)
    )
}
