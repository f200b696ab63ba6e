//! The handshake of an endpoint, told step by step.

use hookyard_domain::endpoints::consent::Granted;
use hookyard_domain::endpoints::endpoint::{Authorization, HandshakeKind};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::ports::HandshakeError;
use hookyard_domain::{ClientId, Code, DeliveryMode, Endpoint, Problem, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::answers::shown;

/// One step, and how it went.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HandshakeStep")]
pub(super) struct Step {
    name: &'static str,
    ok: bool,
    detail: String,
    took_ms: u64,
}

/// What an address said when it was asked.
#[derive(Debug)]
pub(super) struct Consent {
    pub steps: Vec<Step>,
    pub outcome: Result<Granted, Problem>,
}

/// How an address was asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Handshake")]
pub(super) struct HandshakeView {
    steps: Vec<Step>,
}

shown!(HandshakeView);

impl From<&Consent> for HandshakeView {
    fn from(consent: &Consent) -> Self {
        Self {
            steps: consent.steps.clone(),
        }
    }
}

impl From<&Consent> for serde_json::Value {
    fn from(consent: &Consent) -> Self {
        serde_json::json!({ "steps": consent.steps })
    }
}

/// Steps while they are taken, each timed from the end of the one before.
struct Steps<'a> {
    api: &'a Api,
    begun: Timestamp,
    taken: Vec<Step>,
}

impl<'a> Steps<'a> {
    fn begin(api: &'a Api) -> Self {
        Self {
            api,
            begun: api.now(),
            taken: Vec::new(),
        }
    }

    fn took(&mut self, name: &'static str, ok: bool, detail: impl Into<String>) {
        let now = self.api.now();
        let took_ms = u64::try_from(now.since(self.begun).as_millis()).unwrap_or(u64::MAX);
        self.begun = now;
        self.taken.push(Step {
            name,
            ok,
            detail: detail.into(),
            took_ms,
        });
    }

    fn end(self, outcome: Result<Granted, Problem>) -> Consent {
        Consent {
            steps: self.taken,
            outcome,
        }
    }
}

/// Looks whether an address may be called, and asks it where the endpoint of `client_id` wants that.
pub(super) async fn ask(
    api: &Api,
    client_id: &ClientId,
    mode: &DeliveryMode,
    endpoint: &Endpoint,
) -> ApiResult<Consent> {
    let shown = api.proof(client_id, mode).await?;
    let mut steps = Steps::begin(api);
    let DeliveryMode::WebHook { address, .. } = mode else {
        return Ok(steps.end(Ok(Granted::default())));
    };
    if let Err(error) = api.handshake.vet(address).await {
        let problem = problem_of(api, "url", error);
        steps.took("address", false, problem.message.clone());
        return Ok(steps.end(Err(problem)));
    }
    steps.took(
        "address",
        true,
        "It resolves to an address that may be called.",
    );
    let (asking, proof, granted) = match endpoint.handshake {
        HandshakeKind::None => return Ok(steps.end(Ok(Granted::default()))),
        HandshakeKind::Echo => {
            let token = token_from(api.random());
            let asked = api.handshake.verify(address, &token, shown.as_ref());
            (
                "It was sent a POST with a `Validation-Token`.",
                "It returned the `Validation-Token`.",
                asked.await.map(|()| Granted::default()),
            )
        }
        HandshakeKind::Options => {
            let origin = api.origin();
            let asked = api.handshake.ask_consent(address, &origin).await;
            (
                "It was asked with OPTIONS and a `WebHook-Request-Origin`.",
                "It allowed the origin with `WebHook-Allowed-Origin`.",
                asked.map(|per_minute| Granted::by_options(origin, per_minute)),
            )
        }
    };
    match granted {
        Ok(granted) => {
            steps.took("request", true, asking);
            let rate = granted.rate.as_ref();
            let rate = rate.map(|rate| format!(" It takes {} requests a minute.", rate.count));
            let rate = rate.unwrap_or_default();
            steps.took("consent", true, format!("{proof}{rate}"));
            Ok(steps.end(Ok(granted)))
        }
        Err(error) => {
            let problem = problem_of(api, "url", error);
            if answered(error) {
                steps.took("request", true, asking);
                steps.took("consent", false, problem.message.clone());
            } else {
                steps.took("request", false, problem.message.clone());
            }
            Ok(steps.end(Err(problem)))
        }
    }
}

/// Looks whether the source of an endpoint's access tokens may be called.
pub(super) async fn vet_token_source(api: &Api, authorization: &Authorization) -> ApiResult<()> {
    let Authorization::OAuth2 { token_url, .. } = authorization else {
        return Ok(());
    };
    let vetted = api.handshake.vet(token_url).await;
    Ok(vetted.map_err(|error| problem_of(api, "authorization.tokenUrl", error))?)
}

/// Whether it came to an answer.
const fn answered(error: HandshakeError) -> bool {
    matches!(
        error,
        HandshakeError::BadStatus(_)
            | HandshakeError::NoValidationToken
            | HandshakeError::NotAllowed
            | HandshakeError::InvalidReply
            | HandshakeError::InvalidRate
    )
}

/// The problem about the address that `parameter` names, with what to do.
fn problem_of(api: &Api, parameter: &'static str, error: HandshakeError) -> Problem {
    let ended = api.settings.development.has_ended();
    let (code, advice) = match error {
        HandshakeError::Forbidden if ended => {
            let reason = "it is private or reserved, and is not called any more: the development \
                rules ended when a request came through a proxy or for another host; restart the \
                server to have them again";
            return because(Problem::invalid(parameter), reason);
        }
        HandshakeError::Forbidden => {
            let reason = "it is private or reserved, and is not called: use a public address, or \
                let the operator add its range to `delivery.allowed_ranges`";
            return because(Problem::invalid(parameter), reason);
        }
        HandshakeError::Unresolvable => {
            let reason = "its name cannot be resolved: look for a typing error";
            return because(Problem::invalid(parameter), reason);
        }
        HandshakeError::HttpsRequired => {
            (Code::HttpsRequired, api.settings.development.https_advice())
        }
        HandshakeError::Unreachable => (
            Code::WebHookUnreachable,
            "start the receiver, and look whether it can be reached from here",
        ),
        HandshakeError::BadStatus(status) => {
            let problem = Problem::of(Code::WebHookBadStatus).with("status", status.to_string());
            let problem = because(problem, "the handshake is answered with 200");
            return about(parameter, problem);
        }
        HandshakeError::CertificateInvalid => {
            (Code::CertificateInvalid, "renew it, or complete its chain")
        }
        HandshakeError::NoValidationToken => (
            Code::NoValidationToken,
            "return the header `Validation-Token` as it came",
        ),
        HandshakeError::NotAllowed => (
            Code::NoValidationToken,
            "answer OPTIONS with `WebHook-Allowed-Origin`: the origin, or `*`",
        ),
        HandshakeError::InvalidRate => (
            Code::InvalidWebHookReply,
            "answer OPTIONS with `WebHook-Allowed-Rate`: a whole number of requests a minute, at \
                least 1, or `*`; or leave that header out",
        ),
        HandshakeError::InvalidReply => (
            Code::InvalidWebHookReply,
            "answer the handshake with at most 1024 bytes of HTTP",
        ),
    };
    about(parameter, because(Problem::of(code), advice))
}

fn about(parameter: &'static str, mut problem: Problem) -> Problem {
    problem.parameter_name = Some(parameter.into());
    problem
}

impl From<Consent> for ApiError {
    /// The problem with the steps beside it; for a consent that was not given.
    fn from(consent: Consent) -> Self {
        let handshake = serde_json::Value::from(&consent);
        match consent.outcome {
            Ok(_) => Code::StoreUnavailable.into(),
            Err(problem) => Self::Explained(problem, handshake),
        }
    }
}
