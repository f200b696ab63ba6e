//! Why there is no such subscription, told in codes.

use hookyard_domain::subscriptions::life::LifeError;
use hookyard_domain::subscriptions::mode::ModeError;
use hookyard_domain::subscriptions::proposal::SubscribeError;
use hookyard_domain::{Code, Problem, Subscription, TransportType};

use super::not_found;
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::{ApiError, because};

impl From<SubscribeError> for ApiError {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::FilterCount => Problem::invalid("eventFilters").into(),
            SubscribeError::UnknownFilters(texts) => Problem::of(Code::InvalidEventFilters)
                .with("filters", texts.join(", "))
                .into(),
            SubscribeError::BadReminder => Code::InvalidReminder.into(),
            SubscribeError::OnlyReminder => Code::OnlyReminder.into(),
            SubscribeError::Denied(problem) => problem.into(),
        }
    }
}

/// What the caller is told of what cannot be done with `subscription`.
pub(super) fn refused(caller: &Caller, subscription: &Subscription, error: LifeError) -> ApiError {
    match error {
        LifeError::Missing => not_found(),
        LifeError::Expired => Problem::of(Code::SubscriptionExpired)
            .with("subscriptionKey", subscription.id.to_string())
            .with("session", caller.session.0.id.to_string())
            .into(),
        LifeError::OfItsSession => Problem::invalid("deliveryMode.transportType").into(),
        LifeError::Refused(error) => error.into(),
    }
}

/// What is told of a delivery mode that is not one.
pub(super) fn bad_mode(api: &Api, error: ModeError) -> ApiError {
    let problem = match error {
        ModeError::NotPermitted(transport) => Problem::of(Code::TransportPermissionMissing)
            .with("permission", transport.scope().name())
            .with("transport", transport.name()),
        ModeError::NoSocket => {
            Problem::invalid("deliveryMode.transportType").value(TransportType::WebSocket.name())
        }
        ModeError::BadAddress(text) => Problem::invalid("deliveryMode.address").value(text),
        ModeError::HttpsRequired => {
            let advice = api.settings.development.https_advice();
            because(Problem::of(Code::HttpsRequired), advice)
        }
        ModeError::BadVerificationToken => Problem::invalid("deliveryMode.verificationToken"),
        ModeError::UnknownCertificate(name) => {
            Problem::invalid("deliveryMode.certificateName").value(name)
        }
        ModeError::BadRegistration => Problem::invalid("deliveryMode.registrationId"),
    };
    problem.into()
}
