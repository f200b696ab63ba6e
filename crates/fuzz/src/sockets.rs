//! What clients of the live transports send.

use hookyard_domain::kernel::limits::{POLL_CHANNELS_MAX, SOCKET_MESSAGE_ID_CHARS_MAX};
use hookyard_gateway::{Frame, Poll, PubNubRequest, RecoveryToken};

use crate::{head_and_body, text_of};

/// A frame of a WebSocket session.
pub(crate) fn frame(data: &[u8]) {
    let id = match Frame::read(text_of(data)) {
        Ok(Frame::Request {
            message_id,
            request,
        }) => {
            assert!(request.uri().path().starts_with('/'), "{}", request.uri());
            assert!(request.body().len() <= data.len());
            Some(message_id)
        }
        Ok(Frame::Heartbeat { message_id }) => message_id,
        Err(unparsable) => unparsable.message_id,
    };
    let chars = id.map_or(0, |id| id.chars().count());
    assert!(chars <= SOCKET_MESSAGE_ID_CHARS_MAX);
}

/// The token by which a session is recovered.
pub(crate) fn recovery_token(data: &[u8]) {
    let text = text_of(data);
    if let Ok(token) = RecoveryToken::read(text) {
        assert_eq!(token.write(), text, "a token has one spelling");
    }
}

/// A path in the first line, a query in the rest.
pub(crate) fn pubnub(data: &[u8]) {
    let (path, query) = head_and_body(data);
    if let Some(PubNubRequest::Poll(Poll { channels, key, .. })) =
        PubNubRequest::read(text_of(path), text_of(query))
    {
        assert!((1..=POLL_CHANNELS_MAX).contains(&channels.len()));
        let mut names = channels.iter().chain([&key]);
        assert!(names.all(|name| (1..=128).contains(&name.len())));
    }
}
