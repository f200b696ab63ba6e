//! Whether what a bin received was signed by an endpoint that sends to it.

use std::sync::Arc;

use hookyard_domain::endpoints::signing::verify;
use hookyard_domain::{Bin, BinSignature, Subscription, Timestamp};
use http::HeaderMap;

use super::view::path_of;
use crate::Api;
use crate::kernel::problem::ApiResult;

const SIGNATURE: &str = "webhook-signature";

/// Whether there is something to verify.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE)
}

/// Verifies a call with the secrets of the endpoints that send to `bin`. How old it is does not
/// matter: a bin shows what came, also when somebody sends it again.
pub(super) async fn judge(
    api: &Api,
    bin: &Bin,
    headers: &HeaderMap,
    body: &[u8],
) -> ApiResult<BinSignature> {
    // The host may be written in many ways; the token alone says which bin it is.
    let path = path_of(&bin.token);
    let senders = api.store.endpoints_addressing(bin.account, &path).await?;
    Ok(verdict(&senders, headers, body, api.now()))
}

fn verdict(
    senders: &[Arc<Subscription>],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> BinSignature {
    let signing: Vec<_> = senders
        .iter()
        .filter_map(|sender| Some((sender.id, sender.endpoint.as_ref()?)))
        .filter(|(_, endpoint)| endpoint.live_secrets(now).next().is_some())
        .collect();
    if signing.is_empty() {
        return BinSignature::default();
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let said = text(SIGNATURE)
        .zip(text("webhook-id"))
        .zip(text("webhook-timestamp").and_then(|seconds| seconds.parse::<i64>().ok()));
    let signer = said.and_then(|((header, id), timestamp_s)| {
        signing
            .iter()
            .find(|(_, endpoint)| verify(header, id, timestamp_s, body, endpoint.live_secrets(now)))
    });
    // A wrong signature is somebody's only when nobody else sends here.
    let only = (signing.len() == 1).then(|| signing[0].0);
    BinSignature {
        verified: Some(signer.is_some()),
        endpoint: signer.map(|(id, _)| *id).or(only),
    }
}
