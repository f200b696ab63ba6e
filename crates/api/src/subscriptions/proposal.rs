//! Reading what a subscriber asks for: filters, time and delivery mode, and what of it is
//! permitted (contract sections 4.2, 4.4 and 4.6).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::identity::permission::{Watched, permit};
use hookyard_domain::kernel::limits::{EVENT_FILTERS_MAX, VERIFICATION_TOKEN_CHARS_MAX};
use hookyard_domain::subscriptions::address::Address;
use hookyard_domain::{
    Code, DeliveryMode, DisabledFilter, EventFilter, EventKind, FilterError, Person, Place,
    Problem, PushProvider, Secret, SocketId, TransportType,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::{ApiResult, because};

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

/// Filters that were asked for, by whether they are permitted.
#[derive(Debug, Clone)]
pub(super) struct AskedFilters {
    pub(super) permitted: Vec<EventFilter>,
    pub(super) disabled: Vec<DisabledFilter>,
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

/// Reads filters, and decides which the caller may have. Refuses them all when one is unknown, and
/// when none is permitted.
pub(super) async fn ask_filters(
    api: &Api,
    caller: &Caller,
    texts: &[String],
) -> ApiResult<AskedFilters> {
    if texts.is_empty() || texts.len() > EVENT_FILTERS_MAX {
        return Err(Problem::invalid("eventFilters").into());
    }
    let owner = api
        .store
        .person(caller.account, caller.person)
        .await?
        .ok_or(Code::LoginRequired)?;
    let parsed: Vec<_> = texts
        .iter()
        .map(|text| (text, EventFilter::parse(text, caller.account, owner.id)))
        .collect();
    let unknown: Vec<&str> = parsed
        .iter()
        .filter(|(_, parsed)| *parsed == Err(FilterError::Unknown))
        .map(|(text, _)| text.as_str())
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::of(Code::InvalidEventFilters)
            .with("filters", unknown.join(", "))
            .into());
    }
    let mut asked = AskedFilters {
        permitted: Vec::new(),
        disabled: Vec::new(),
    };
    let mut first_denial = None;
    for (text, parsed) in parsed {
        let permitted = match parsed {
            Ok(filter) => decide(api, caller, &owner, &filter).await?.map(|()| filter),
            Err(FilterError::BadReminder) => return Err(Code::InvalidReminder.into()),
            Err(_) => Err(Problem::of(Code::OtherAccount)),
        };
        match permitted {
            Ok(filter) if asked.permitted.contains(&filter) => {}
            Ok(filter) => asked.permitted.push(filter),
            Err(problem) => {
                asked.disabled.push(DisabledFilter {
                    filter: text.clone(),
                    reason: problem.code.name().to_owned(),
                    message: problem.message.clone(),
                });
                first_denial.get_or_insert(problem);
            }
        }
    }
    let reminders = asked
        .permitted
        .iter()
        .filter(|filter| filter.kind() == EventKind::Reminder)
        .count();
    if asked.permitted.len() == reminders {
        return Err(first_denial.map_or_else(|| Code::OnlyReminder.into(), Into::into));
    }
    if reminders > 1 {
        return Err(Code::InvalidReminder.into());
    }
    Ok(asked)
}

/// Whether the caller may use `filter`.
async fn decide(
    api: &Api,
    caller: &Caller,
    owner: &Person,
    filter: &EventFilter,
) -> ApiResult<Result<(), Problem>> {
    let other = match filter.place() {
        Place::Extension(person) if person != owner.id => {
            api.store.person(caller.account, person).await?
        }
        _ => None,
    };
    let presence = match &other {
        Some(person) => api.store.presence(caller.account, person.id).await?,
        None => None,
    };
    let watched = other.as_ref().map(|person| Watched {
        person,
        shows_presence: presence.is_none_or(|presence| presence.visible),
    });
    Ok(permit(filter, owner, caller.session.0.scopes, watched))
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
    let has = |provider| {
        settings
            .push_certificates
            .iter()
            .any(|(of, _)| *of == provider)
    };
    let available = match transport {
        TransportType::WebHook | TransportType::WebSocket => true,
        TransportType::PubNub => settings.pubnub_key.is_some(),
        TransportType::Apns => has(PushProvider::Apns),
        TransportType::Gcm => has(PushProvider::Gcm),
    };
    if available && caller.may(transport.scope()) {
        return Ok(transport);
    }
    let problem = Problem::of(Code::TransportPermissionMissing)
        .with("permission", transport.scope().name())
        .with("transport", transport.name());
    Err(problem.into())
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
    match transport {
        TransportType::WebHook => webhook(api, body),
        TransportType::WebSocket => match socket {
            Some(socket) => Ok(DeliveryMode::WebSocket { socket }),
            // It would have nowhere to go.
            None => Err(Problem::invalid("deliveryMode.transportType")
                .value(transport.name())
                .into()),
        },
        TransportType::PubNub => {
            let asked = match body.encryption {
                None => false,
                Some(Flag::Bool(asked)) => asked,
                Some(Flag::Text(text)) => match text.as_str() {
                    "true" => true,
                    "false" | "" => false,
                    _ => return Err(Problem::invalid("deliveryMode.encryption").into()),
                },
            };
            Ok(pubnub(api, caller, asked, filters))
        }
        TransportType::Apns => push(api, PushProvider::Apns, body),
        TransportType::Gcm => push(api, PushProvider::Gcm, body),
    }
}

/// A webhook at an address that could be called.
fn webhook(api: &Api, body: DeliveryModeBody) -> ApiResult<DeliveryMode> {
    let address = body.address.unwrap_or_default();
    let Ok(address) = Address::parse(&address) else {
        return Err(Problem::invalid("deliveryMode.address")
            .value(address)
            .into());
    };
    if !address.is_secure() && !api.settings.development.is_on() {
        let advice = api.settings.development.https_advice();
        return Err(because(Problem::of(Code::HttpsRequired), advice).into());
    }
    let is_header = |token: &String| {
        token.len() <= VERIFICATION_TOKEN_CHARS_MAX
            && token.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    let token = body.verification_token.filter(|token| !token.is_empty());
    if token.as_ref().is_some_and(|token| !is_header(token)) {
        return Err(Problem::invalid("deliveryMode.verificationToken").into());
    }
    Ok(DeliveryMode::WebHook {
        address: address.as_str().to_owned(),
        verification_token: token.map(Secret::new),
    })
}

/// A channel of its own. Presence is always encrypted (contract 4.2).
fn pubnub(api: &Api, caller: &Caller, asked: bool, filters: &[EventFilter]) -> DeliveryMode {
    let presence = |filter: &EventFilter| {
        matches!(filter.kind(), EventKind::Presence | EventKind::PresenceLine)
    };
    let encrypted = asked || filters.iter().any(presence);
    // Its name is all that keeps strangers from listening.
    let name = u128::from_be_bytes(api.random());
    DeliveryMode::PubNub {
        channel: format!("{}_{name:032x}", caller.account),
        encryption_key: encrypted.then(|| Secret::new(STANDARD.encode(api.random::<16>()))),
    }
}

/// A device, by one of the configured certificates.
fn push(api: &Api, provider: PushProvider, body: DeliveryModeBody) -> ApiResult<DeliveryMode> {
    let certificate_name = body.certificate_name.unwrap_or_default();
    let known = |(of, name): &(PushProvider, String)| *of == provider && *name == certificate_name;
    if !api
        .settings
        .subscriptions
        .push_certificates
        .iter()
        .any(known)
    {
        return Err(Problem::invalid("deliveryMode.certificateName")
            .value(certificate_name)
            .into());
    }
    let registration_id = body.registration_id.unwrap_or_default();
    // It becomes part of a path at the provider.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_:.".contains(&b);
    if registration_id.is_empty()
        || registration_id.len() > REGISTRATION_ID_CHARS_MAX
        || !registration_id.bytes().all(plain)
    {
        return Err(Problem::invalid("deliveryMode.registrationId").into());
    }
    Ok(DeliveryMode::Push {
        provider,
        registration_id,
        certificate_name,
    })
}

/// Providers' device tokens have fewer than 300.
const REGISTRATION_ID_CHARS_MAX: usize = 1_024;
