//! Reading request bodies: bounded in size, time, depth and shape.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use hookyard_domain::kernel::limits::{API_BODY_BYTES_MAX, BODIES_BYTES_MAX, BODY_STEP_BYTES};
use hookyard_domain::{Code, Problem};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Api;
use crate::kernel::json_guard::{self, JsonFault};
use crate::kernel::problem::{ApiError, because};
use crate::kernel::strict;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge {
        bytes_max: usize,
    },
    /// All the memory for bodies is taken.
    Crowded,
    TooSlow,
    Broken,
}

/// Memory for bodies that are being read, in steps, shared by all requests: many slow senders must
/// not take more than one budget between them.
static BUDGET: Semaphore = Semaphore::const_new(BODIES_BYTES_MAX / BODY_STEP_BYTES);

/// One body's share of the memory for bodies; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Reserve {
    permits: Option<SemaphorePermit<'static>>,
    steps: usize,
}

impl Reserve {
    /// Makes room for `bytes` in all. False when others hold too much. The first step is free, as
    /// the bound on connections bounds these.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let steps = bytes / BODY_STEP_BYTES;
        let more = steps.saturating_sub(self.steps);
        if more == 0 {
            return true;
        }
        let Some(permits) = u32::try_from(more)
            .ok()
            .and_then(|more| BUDGET.try_acquire_many(more).ok())
        else {
            return false;
        };
        match &mut self.permits {
            Some(held) => held.merge(permits),
            None => self.permits = Some(permits),
        }
        self.steps = steps;
        true
    }
}

/// Reads a whole body of at most `bytes_max` within `time_max`.
pub(crate) async fn read_body(
    body: Body,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Bytes, BodyFault> {
    let read = tokio::time::timeout(time_max, read_frames(body, bytes_max)).await;
    read.unwrap_or(Err(BodyFault::TooSlow))
}

async fn read_frames(mut body: Body, bytes_max: usize) -> Result<Bytes, BodyFault> {
    let mut reserve = Reserve::default();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else {
            continue;
        };
        let length = read.len() + data.len();
        if length > bytes_max {
            return Err(BodyFault::TooLarge { bytes_max });
        }
        if !reserve.grow_to(length) {
            return Err(BodyFault::Crowded);
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge { bytes_max } => Problem::of(Code::BodyTooLarge)
                .with("limit", bytes_max.to_string())
                .into(),
            BodyFault::Crowded => Code::StoreUnavailable.into(),
            BodyFault::TooSlow => Code::RequestTimeout.into(),
            BodyFault::Broken => Code::UnparsableRequest.into(),
        }
    }
}

/// Reads a body of whatever type, unless it says itself that it is too large.
pub(crate) async fn read_bytes(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    api: &Api,
) -> Result<Bytes, ApiError> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > bytes_max) {
        return Err(BodyFault::TooLarge { bytes_max }.into());
    }
    Ok(read_body(body, bytes_max, api.settings.body_read_timeout).await?)
}

/// Reads a body that is JSON, or is not labelled as anything else.
async fn read_json(request: Request, api: &Api) -> Result<Bytes, ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(&parts.headers, body, API_BODY_BYTES_MAX, api).await?;
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if !bytes.is_empty() && kind.is_some_and(|kind| !is_json(kind)) {
        return Err(Code::UnsupportedMediaType.into());
    }
    Ok(bytes)
}

/// Whether a media type is that of JSON.
pub(crate) fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// A JSON object as a body. An absent or empty body is read as `{}`: some clients announce JSON
/// and send nothing.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let bytes = read_json(request, api).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON object as a body, of whatever members; `T` describes it.
#[derive(Debug)]
pub(crate) struct AnyJson<T>(pub(crate) Value, pub(crate) PhantomData<fn() -> T>);

impl<T> FromRequest<Arc<Api>> for AnyJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let bytes = read_json(request, api).await?;
        parse::<Map<String, Value>>(&bytes).map(|members| Self(Value::Object(members), PhantomData))
    }
}

/// A body that was only looked at for whether it is there.
#[derive(Debug)]
pub(crate) struct MaybeJson<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for MaybeJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let bytes = read_json(request, api).await?;
        let empty = matches!(bytes.trim_ascii(), b"" | b"{}" | b"null" | b"\"\"");
        if empty {
            Ok(Self(None))
        } else {
            parse(&bytes).map(|body| Self(Some(body)))
        }
    }
}

/// The bytes of a body whose parts are to be kept as they came. Read them with [`parse`] first,
/// which refuses what no operation takes. `T` describes it.
#[derive(Debug)]
pub(crate) struct JsonBytes<T>(pub(crate) Bytes, pub(crate) PhantomData<fn() -> T>);

impl<T> FromRequest<Arc<Api>> for JsonBytes<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let bytes = read_json(request, api).await?;
        Ok(Self(bytes, PhantomData))
    }
}

/// Parses a JSON object. An array is refused first: it would be read as the object's fields in
/// order.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = match bytes.trim_ascii() {
        [] => b"{}",
        bytes => bytes,
    };
    if bytes[0] != b'{' {
        // Scalars and arrays parse as JSON, and are not what any operation takes.
        let code = match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => Code::UnparsableRequest,
            Err(_) => Code::UnparsableJson,
        };
        return Err(code.into());
    }
    json_guard::check(bytes).map_err(|fault| match fault {
        JsonFault::TooDeep | JsonFault::Nul => ApiError::from(Code::UnparsableJson),
    })?;
    let value: Value =
        serde_json::from_slice(bytes).map_err(|_| ApiError::from(Code::UnparsableJson))?;
    of_value(&value)
}

/// Reads a typed body out of JSON.
pub(crate) fn of_value<T: DeserializeOwned>(value: &Value) -> Result<T, ApiError> {
    strict::read(value).map_err(|misfit| {
        if misfit.path.is_empty() {
            Code::UnparsableRequest.into()
        } else {
            because(Problem::invalid(misfit.path), &misfit.message).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_one_budget() {
        let mut greedy = Reserve::default();
        assert!(greedy.grow_to(BODIES_BYTES_MAX));
        let mut late = Reserve::default();
        assert!(late.grow_to(BODY_STEP_BYTES - 1), "the first step is free");
        assert!(!late.grow_to(BODY_STEP_BYTES));
        drop(greedy);
        assert!(late.grow_to(BODY_STEP_BYTES));
    }

    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only its parsing matters")]
        text: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its parsing matters")]
        members: Vec<Member>,
    }

    #[derive(Debug, Deserialize)]
    struct Member {
        #[expect(dead_code, reason = "only its parsing matters")]
        id: String,
    }

    fn check(body: &str, expect: &str) {
        let problem = match parse::<Body>(body.as_bytes()) {
            Ok(_) => "ok".to_owned(),
            Err(ApiError::Problem(problem)) => {
                format!(
                    "{} {}",
                    problem.code.name(),
                    problem.parameter_name.unwrap_or_default()
                )
            }
            Err(ApiError::Store(_) | ApiError::Explained(..)) => {
                unreachable!("parsing has no store and no handshake")
            }
        };
        assert_eq!(problem.trim(), expect, "{body}");
    }

    #[test]
    fn bodies_are_refused_with_the_parameter_at_fault() {
        check(r#"{"text":"hi","unknown":1}"#, "ok");
        check("", "CMN-101 text");
        check(r#"["hi"]"#, "CMN-104");
        check("7", "CMN-104");
        check("{", "CMN-103");
        check(r#"{"text":"hi"} trailing"#, "CMN-103");
        check(r#"{"text":7}"#, "CMN-101 text");
        check(
            r#"{"text":"hi","members":[{"id":"1"},{"id":2}]}"#,
            "CMN-101 members[1].id",
        );
        check(r#"{"text":"hi","members":[["1"]]}"#, "CMN-101 members[0]");
        check(r#"{"text":"hi","members":[{}]}"#, "CMN-101 members[0].id");
        check("{\"text\":\"\\u0000\"}", "CMN-103");
        check(&format!("{{\"text\":{}", "[".repeat(100)), "CMN-103");
    }
}
