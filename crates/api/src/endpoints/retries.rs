//! How an endpoint's deliveries are tried again, as it is said.

use hookyard_domain::RetrySchedule;
use hookyard_domain::endpoints::endpoint::policy_default;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tagged;
use crate::operations::shapes::RetryScheduleShape;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "EndpointRetries")]
pub(super) struct RetrySettings {
    #[serde(deserialize_with = "tagged::schedule")]
    #[schemars(with = "RetryScheduleShape")]
    pub schedule: RetrySchedule,
    #[serde(deserialize_with = "tagged::count")]
    pub attempts_max: u32,
    #[serde(deserialize_with = "tagged::whole")]
    pub age_max_ms: u64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        let policy = policy_default();
        Self {
            schedule: policy.schedule,
            attempts_max: policy.attempts_max,
            age_max_ms: policy.age_max_ms,
        }
    }
}
