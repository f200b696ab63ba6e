//! Apps.

use hookyard_domain::KeySet;
use serde_json::json;

use super::{assert_golden, golden};
use crate::records::{KeysRecord, RedirectUrisRecord, to_json};

#[test]
fn redirect_uris_of_apps() {
    let values = [vec![
        "https://billing.example.com/signed-in?from=\"here\"".to_owned(),
        "com.example.billing:/signed-in".to_owned(),
    ]];
    assert_golden::<RedirectUrisRecord<'_>, _>(golden!("apps-redirect-uris"), &values, |uris| {
        to_json(&RedirectUrisRecord::from(uris))
    });
}

#[test]
fn public_keys_of_apps() {
    let key = |kid: &str, point: &str| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": point, "x-own": [1, null] });
    let keys = vec![
        key("2026-09", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        key("2026-12", "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"),
    ];
    let values = [KeySet::read("keys", keys).unwrap()];
    assert_golden::<KeysRecord<'_>, _>(golden!("apps-public-keys"), &values, |keys| {
        to_json(&KeysRecord::from(keys))
    });
}
