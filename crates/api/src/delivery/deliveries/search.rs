//! Which deliveries are meant: the parameters of the list, and the same as a body.

use hookyard_domain::kernel::ports::{AnswerQuery, StateQuery};
use hookyard_domain::{
    DeliverySelection, EventId, Problem, SubscriptionId, Timestamp, TypePattern,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::Pairs;
use crate::operations::wire::{Id, Time, Uuid, shapes};

shapes! {
    /// Which deliveries are meant.
    pub(crate) struct SearchQuery {
        /// Deliveries to this endpoint.
        #[schemars(with = "Option<Uuid>")]
        endpoint_id: Option<String>,
        /// Deliveries to this subscription.
        #[schemars(with = "Option<Uuid>")]
        subscription_id: Option<String>,
        status: Option<String>,
        /// Only events of these types; `*` stands for whole parts.
        event_type: Option<String>,
        #[schemars(with = "Option<Time>")]
        since: Option<String>,
        #[schemars(with = "Option<Time>")]
        until: Option<String>,
        /// A status such as `503` or `5xx`, or `none`.
        response_code: Option<String>,
        #[schemars(with = "Option<Id>")]
        event_id: Option<String>,
    }
}

/// The parameters as they came.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DeliverySearch")]
pub(crate) struct Search {
    endpoint_id: Option<String>,
    /// The same by its other name.
    subscription_id: Option<String>,
    status: Option<String>,
    event_type: Option<String>,
    since: Option<String>,
    until: Option<String>,
    /// A text or a number.
    response_code: Option<Value>,
    event_id: Option<String>,
}

impl Search {
    /// The parameters of a query.
    pub(crate) fn of_query(query: &Pairs) -> Self {
        let text = |name| query.first(name).map(str::to_owned);
        Self {
            endpoint_id: text("endpointId"),
            subscription_id: text("subscriptionId"),
            status: text("status"),
            event_type: text("eventType"),
            since: text("since"),
            until: text("until"),
            response_code: text("responseCode").map(Value::String),
            event_id: text("eventId"),
        }
    }

    /// The parameter that names the subscription.
    pub(crate) const fn subscription_parameter(&self) -> &'static str {
        if self.endpoint_id.is_some() {
            "endpointId"
        } else {
            "subscriptionId"
        }
    }

    /// What they mean.
    ///
    /// # Errors
    ///
    /// CMN-101 with the parameter at fault and what it should be.
    pub(crate) fn selection(&self) -> ApiResult<DeliverySelection> {
        let ours = self.endpoint_id.as_ref().or(self.subscription_id.as_ref());
        let subscription = ours
            .map(|text| {
                let parameter = self.subscription_parameter();
                let read = text.parse::<SubscriptionId>();
                read.map_err(|_| refused(parameter, text, "it is the id of an endpoint, a UUID"))
            })
            .transpose()?;
        if self.endpoint_id.is_some()
            && self.subscription_id.is_some()
            && self.endpoint_id != self.subscription_id
        {
            let text = self.subscription_id.as_deref().unwrap_or_default();
            let reason = "it is another name of endpointId; give one of them";
            return Err(refused("subscriptionId", text, reason).into());
        }
        let selection = DeliverySelection {
            subscription,
            event: read(self.event_id.as_deref(), "eventId", event_of, EVENT_ID)?,
            state: read(
                self.status.as_deref(),
                "status",
                StateQuery::from_name,
                STATUS,
            )?,
            answer: self.answer()?,
            types: self
                .event_type
                .as_deref()
                .map(|text| read_type("eventType", text))
                .transpose()?,
            since: self
                .since
                .as_deref()
                .map(|text| read_time("since", text))
                .transpose()?,
            until: self
                .until
                .as_deref()
                .map(|text| read_time("until", text))
                .transpose()?,
        };
        if let (Some(since), Some(until)) = (selection.since, selection.until)
            && until <= since
        {
            let text = self.until.as_deref().unwrap_or_default();
            return Err(refused("until", text, "it must be after since").into());
        }
        Ok(selection)
    }

    fn answer(&self) -> ApiResult<Option<AnswerQuery>> {
        let text = match &self.response_code {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        read(Some(&text), "responseCode", answer_of, RESPONSE_CODE)
    }
}

const STATUS: &str = "it is waiting, delivered or abandoned";
const EVENT_ID: &str = "it is the number of an event, with or without `evt_` before it";
const RESPONSE_CODE: &str = "it is a status such as 500, a class such as 5xx, or none";

fn event_of(text: &str) -> Option<EventId> {
    text.strip_prefix("evt_").unwrap_or(text).parse().ok()
}

fn answer_of(text: &str) -> Option<AnswerQuery> {
    if text == "none" {
        return Some(AnswerQuery::None);
    }
    if let Some(class) = text.strip_suffix("xx") {
        let class = class.parse().ok().filter(|class| (1..=5).contains(class));
        return class.map(AnswerQuery::StatusClass);
    }
    let status = text
        .parse()
        .ok()
        .filter(|status| (100..=599).contains(status));
    status.map(AnswerQuery::Status)
}

fn read<T>(
    text: Option<&str>,
    parameter: &'static str,
    reading: impl Fn(&str) -> Option<T>,
    should: &str,
) -> ApiResult<Option<T>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let found = reading(text).ok_or_else(|| refused(parameter, text, should))?;
    Ok(Some(found))
}

/// A parameter that cannot be accepted, and what it should be.
pub(crate) fn refused(parameter: impl Into<String>, value: &str, should: &str) -> Problem {
    because(Problem::invalid(parameter.into()).value(value), should)
}

/// Reads a time.
pub(crate) fn read_time(parameter: &'static str, text: &str) -> ApiResult<Timestamp> {
    let should = "it is a time such as 2026-01-31T12:00:00Z";
    Ok(text.parse().map_err(|_| refused(parameter, text, should))?)
}

/// Reads a pattern of types.
pub(crate) fn read_type(parameter: impl Into<String>, text: &str) -> ApiResult<TypePattern> {
    let read = TypePattern::parse(text);
    Ok(read.map_err(|error| refused(parameter, text, &error.to_string()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Option<AnswerQuery> {
        answer_of(text)
    }

    #[test]
    fn response_codes_are_a_status_a_class_or_none() {
        assert_eq!(answer("503"), Some(AnswerQuery::Status(503)));
        assert_eq!(answer("5xx"), Some(AnswerQuery::StatusClass(5)));
        assert_eq!(answer("none"), Some(AnswerQuery::None));
        for text in ["", "99", "600", "6xx", "0xx", "x", "-200", "2xxx"] {
            assert_eq!(answer(text), None, "{text}");
        }
    }

    #[test]
    fn events_are_named_by_number_or_as_receivers_know_them() {
        assert_eq!(event_of("evt_77"), Some(EventId(77)));
        assert_eq!(event_of("77"), Some(EventId(77)));
        assert_eq!(event_of("batch_77"), None);
    }
}
