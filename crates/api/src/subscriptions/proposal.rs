//! Reading what a subscriber asks for: filters, time and delivery mode, and what of it is
//! permitted (contract sections 4.2, 4.4 and 4.6).

use std::time::Duration;

use hookyard_domain::identity::permission::Watched;
use hookyard_domain::subscriptions::mode::ModeError;
use hookyard_domain::subscriptions::proposal::{AskedFilters, PermittedFilters};
use hookyard_domain::{DeliveryMode, EventFilter, Problem, PushProvider, SocketId, TransportType};
use schemars::JsonSchema;
use serde::Deserialize;

use super::refusal::bad_mode;
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::ApiResult;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateSubscription {
    pub(super) event_filters: Vec<String>,
    pub(super) expires_in: Option<i64>,
    pub(super) delivery_mode: DeliveryModeBody,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AskedDeliveryMode")]
pub(super) struct DeliveryModeBody {
    transport_type: String,
    address: Option<String>,
    /// One document calls it `validationToken`.
    #[serde(alias = "validationToken")]
    verification_token: Option<String>,
    encryption: Option<Flag>,
    certificate_name: Option<String>,
    registration_id: Option<String>,
}

/// Yes or no; the documents' examples write it as a text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateSubscription {
    pub(super) event_filters: Option<Vec<String>>,
    pub(super) expires_in: Option<i64>,
}

/// Reads the time that was asked for.
pub(super) fn parse_expires_in(asked: Option<i64>) -> ApiResult<Option<Duration>> {
    let Some(seconds) = asked else {
        return Ok(None);
    };
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Problem::invalid("expiresIn")
            .value(seconds.to_string())
            .into()),
    }
}

/// Reads filters, and finds out which the caller may have.
pub(super) async fn ask_filters(
    api: &Api,
    caller: &Caller,
    texts: &[String],
) -> ApiResult<PermittedFilters> {
    let owner = api.calling_person(caller).await?;
    let asked = AskedFilters::parse(texts, &owner)?;
    let mut others = Vec::new();
    for person in asked.watched() {
        let Some(person) = api.store.person(caller.account, person).await? else {
            continue;
        };
        let presence = api.store.presence(caller.account, person.id).await?;
        others.push((person, presence.is_none_or(|presence| presence.visible)));
    }
    let watched: Vec<_> = others
        .iter()
        .map(|(person, shows_presence)| Watched {
            person,
            shows_presence: *shows_presence,
        })
        .collect();
    Ok(asked.permit(caller.session.0.scopes, &watched)?)
}

/// Reads the transport, and refuses one that the caller's app may not use.
pub(super) fn ask_transport(
    api: &Api,
    caller: &Caller,
    body: &DeliveryModeBody,
) -> ApiResult<TransportType> {
    let Some(transport) = TransportType::from_name(&body.transport_type) else {
        return Err(Problem::invalid("deliveryMode.transportType")
            .value(&body.transport_type)
            .into());
    };
    let settings = &api.settings.subscriptions;
    let certificates = &settings.push_certificates;
    let has = |provider| certificates.iter().any(|(of, _)| *of == provider);
    let offered = match transport {
        TransportType::WebHook | TransportType::WebSocket => true,
        TransportType::PubNub => settings.pubnub_key.is_some(),
        TransportType::Apns => has(PushProvider::Apns),
        TransportType::Gcm => has(PushProvider::Gcm),
    };
    let permitted = transport.permit(caller.session.0.scopes, offered);
    permitted.map_err(|error| bad_mode(api, error))?;
    Ok(transport)
}

/// Reads how events shall reach the subscriber. `socket` is the WebSocket session that asks.
pub(super) fn ask_mode(
    api: &Api,
    caller: &Caller,
    body: DeliveryModeBody,
    transport: TransportType,
    socket: Option<SocketId>,
    filters: &[EventFilter],
) -> ApiResult<DeliveryMode> {
    let push = |provider, body: DeliveryModeBody| {
        DeliveryMode::push(
            provider,
            body.certificate_name.unwrap_or_default(),
            body.registration_id.unwrap_or_default(),
            &api.settings.subscriptions.push_certificates,
        )
    };
    let mode = match transport {
        TransportType::WebHook => {
            let address = body.address.unwrap_or_default();
            let plain = api.settings.development.is_on();
            DeliveryMode::web_hook(&address, body.verification_token, plain)
        }
        TransportType::WebSocket => socket
            .map(|socket| DeliveryMode::WebSocket { socket })
            .ok_or(ModeError::NoSocket),
        TransportType::PubNub => {
            let encrypted = read_flag(body.encryption.as_ref())?;
            let random = (api.random(), api.random());
            Ok(DeliveryMode::pub_nub(
                caller.account,
                filters,
                encrypted,
                random,
            ))
        }
        TransportType::Apns => push(PushProvider::Apns, body),
        TransportType::Gcm => push(PushProvider::Gcm, body),
    };
    mode.map_err(|error| bad_mode(api, error))
}

fn read_flag(asked: Option<&Flag>) -> ApiResult<bool> {
    match asked {
        None => Ok(false),
        Some(Flag::Bool(asked)) => Ok(*asked),
        Some(Flag::Text(text)) => match text.as_str() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            _ => Err(Problem::invalid("deliveryMode.encryption").into()),
        },
    }
}
