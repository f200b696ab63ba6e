//! `Idempotency-Key`: who sends a request again with the same key gets the answer again, and
//! nothing is done twice.
//!
//! What a handler commits is held back until its answer is known. Then one commit has both: what
//! was made, and the answer for those who repeat the request. When it meets something that has
//! changed meanwhile, the request is decided again. What cannot wait for the answer, because the
//! answer tells numbers that only the commit gives, is committed with the key alone; should the
//! process end before the answer follows, a repeat learns that it was done.

mod hold;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hookyard_domain::kernel::limits::{API_BODY_BYTES_MAX, FIRST_ANSWER_BYTES_MAX};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    Code, FirstAnswer, FirstRequest, Problem, Repeat, RequestDigest, RequestKey, Secret,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub(crate) use self::hold::Hold;
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::read_bytes;
use crate::kernel::decision::DECISIONS_MAX;
use crate::kernel::problem::{ApiResult, because};

/// The header that has the key.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The header of an answer that was given before.
pub(crate) const IDEMPOTENCY_REPLAYED: &str = "Idempotency-Replayed";

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Marks an answer that is not kept: what it tells of lives no longer than its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleeting;

/// Whether a request has a key.
pub(crate) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(IDEMPOTENCY_KEY)
}

/// Answers a request that has a key.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let answer = answer_once(request, next).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn answer_once(request: Request, next: Next) -> ApiResult<Response> {
    let api = request.extensions().get::<Arc<Api>>();
    let api = Arc::clone(api.expect("a request with a key knows the API"));
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &api).await?;
    let key = read_key(&caller, &parts.headers)?;
    let body = read_bytes(&parts.headers, body, API_BODY_BYTES_MAX, &api).await?;
    let digest = digest_of(&parts, &body);
    // Who calls is found out and counted once, however often the request is decided.
    parts.extensions.insert(caller);
    let Some(_turn) = api.turns.take(&key) else {
        return Err(Problem::about(Code::FirstStillRunning, IDEMPOTENCY_KEY).into());
    };
    for round in 0..DECISIONS_MAX {
        let now = api.now();
        if let Some(first) = api.store.first_request(&key, now).await? {
            return repeated(first, digest);
        }
        let first = FirstRequest {
            key: key.clone(),
            digest,
            at: now,
            answer: None,
        };
        let hold = Hold::new(first, round > 0);
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = hold.around(next.clone().run(request)).await;
        if let Some(response) = finish(&api, &hold, response).await? {
            return Ok(response);
        }
    }
    Err(Code::Conflict.into())
}

/// Commits what `hold` has, with the answer if it is to be kept. `None` when that met something
/// that has changed: nothing was done.
async fn finish(api: &Api, hold: &Hold, response: Response) -> ApiResult<Option<Response>> {
    let mut held = hold.take_held();
    if held.conflicted
        && let Some(first) = api
            .store
            .first_request(&hold.first().key, api.now())
            .await?
    {
        let digest = hold.first().digest;
        return repeated(first, digest).map(Some);
    }
    let fleeting = response.extensions().get::<Fleeting>().is_some();
    let response = if response.status().is_success() && !fleeting {
        let (response, answer) = recorded(response).await?;
        let first = FirstRequest {
            answer,
            ..hold.first()
        };
        match (&first.answer, held.claimed) {
            (Some(_), true) => held.change.append(first.keep()),
            (Some(_), false) => held.change.append(first.claim()),
            // It was done, so its answer is told, and a repeat learns that it is gone.
            (None, true) => {}
            (None, false) => {
                let reason = "the answer is too long to be kept; send it without a key";
                return Err(because(Problem::invalid(IDEMPOTENCY_KEY), reason).into());
            }
        }
        response
    } else {
        response
    };
    if held.change.is_empty() {
        return Ok(Some(response));
    }
    match api.store.commit(held.change).await {
        Ok(()) => Ok(Some(response)),
        Err(CommitError::Conflict) => Ok(None),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

fn read_key(caller: &Caller, headers: &HeaderMap) -> ApiResult<RequestKey> {
    let refuse = |reason: &str| because(Problem::invalid(IDEMPOTENCY_KEY), reason);
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refuse("it is there once").into());
    };
    let (account, person) = (caller.account, caller.person);
    let client_id = caller.client_id().clone();
    let key = RequestKey::read(account, person, client_id, value.as_bytes());
    Ok(key.map_err(|error| refuse(&error.to_string()))?)
}

/// A digest of what is asked for. A token in the query says who asks, and is another after a while.
fn digest_of(parts: &Parts, body: &Bytes) -> RequestDigest {
    let query = parts.uri.query().unwrap_or_default().split('&');
    let query = query.filter(|pair| !pair.is_empty() && !pair.starts_with("access_token="));
    let begin = [parts.method.as_str(), parts.uri.path()];
    let texts = begin.into_iter().chain(query).map(str::as_bytes);
    RequestDigest::of(texts.chain([body.as_ref()]))
}

/// What a request is answered whose key has a first request.
fn repeated(first: FirstRequest, digest: RequestDigest) -> ApiResult<Response> {
    let refused = |code| Err(Problem::about(code, IDEMPOTENCY_KEY).into());
    match first.repeated_as(digest) {
        Repeat::Answered(answer) => Ok(replayed(answer)),
        Repeat::Another => refused(Code::KeyUsedDifferently),
        Repeat::Unanswered => refused(Code::FirstAnswerGone),
    }
}

fn replayed(answer: FirstAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body.reveal().to_owned()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            headers.append(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// A response, and what is kept of it; nothing where it is too long, or no text.
async fn recorded(response: Response) -> ApiResult<(Response, Option<FirstAnswer>)> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await;
    let body = body.map_err(|_| Code::InternalError)?;
    let headers = parts.headers.iter();
    let headers = headers
        .map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let text = std::str::from_utf8(&body).ok();
    let text = text.filter(|text| text.len() <= FIRST_ANSWER_BYTES_MAX);
    let answer = text
        .zip(headers.collect())
        .map(|(text, headers)| FirstAnswer {
            status: parts.status.as_u16(),
            headers,
            body: Secret::new(text),
        });
    Ok((Response::from_parts(parts, Body::from(body)), answer))
}

/// The requests with a key that are being answered.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashSet<RequestKey>>>);

impl Turns {
    /// The turn of a key; `None` while somebody has it.
    fn take(&self, key: &RequestKey) -> Option<Turn> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(key.clone()).then(|| Turn {
            turns: self.clone(),
            key: key.clone(),
        })
    }
}

/// Given back when it is dropped.
#[derive(Debug)]
struct Turn {
    turns: Turns,
    key: RequestKey,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let taken = &self.turns.0;
        taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
