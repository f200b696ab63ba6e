//! How bodies with settings are described: held to what reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::settings::Settings;
use crate::operations::inputs::Reading;
use crate::operations::wire::{Anything, shapes};

impl Reading for Settings {
    fn read(value: &Value) -> Result<(), String> {
        let read = Self::read(value.clone()).and_then(|settings| settings.settled());
        read.map(|_| ()).map_err(|error| format!("{error:?}"))
    }
}

shapes! {
    /// What becomes of an endpoint's settings: members as `EndpointSettings` has them, where null is
    /// what is so by default.
    pub(super) struct SettingsPatch {
        #[schemars(example = &"The accounting system")]
        description: Option<String>,
        #[schemars(flatten)]
        others: BTreeMap<String, Anything>,
    }
}

impl Reading for SettingsPatch {
    fn read(value: &Value) -> Result<(), String> {
        let url = serde_json::json!({ "url": "https://hookyard.example.com" });
        let settings = Settings::read(url).and_then(|settings| settings.merged(value.clone()));
        settings.map(|_| ()).map_err(|error| format!("{error:?}"))
    }
}
