//! REST over a WebSocket, and frames that are none.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WireError, ProtocolError};

use super::client::{Client, Got, Yard};

fn ask(client: &Client, id: &str, path: &str) {
    let head = json!({ "type": "ClientRequest", "messageId": id, "method": "get", "path": path });
    client.say(&json!([head]).to_string());
}

fn brief(frame: &Value) -> String {
    let head = &frame[0];
    let body = &frame[1];
    let body = body["errorCode"].as_str().or(body.as_str());
    format!(
        "{} {} {} {}",
        head["type"].as_str().unwrap(),
        head["messageId"].as_str().unwrap(),
        head["status"],
        body.unwrap_or_default()
    )
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_under_their_own_ids_as_they_finish() {
    let yard = Yard::open();
    let (mut client, _) = yard.connect(None).await;
    ask(&client, "slow", "/restapi/slow");
    ask(&client, "quick", "/restapi/v1.0/status");
    assert_eq!(
        brief(&client.frame().await),
        "ClientRequest quick 200 GET /restapi/v1.0/status for 1"
    );
    yard.stage.gate.notify_one();
    assert_eq!(
        brief(&client.frame().await),
        "ClientRequest slow 200 GET /restapi/slow for 1"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_requests_are_at_work_and_not_one_more() {
    let yard = Yard::open();
    let (mut client, _) = yard.connect(None).await;
    for number in 0..10 {
        ask(&client, &number.to_string(), "/restapi/slow");
    }
    ask(&client, "eleventh", "/restapi/v1.0/status");
    let refused = client.frame().await;
    assert_eq!(brief(&refused), "ClientRequest eleventh 429 WSG-809");
    assert_eq!(refused[1]["errors"][0]["errorCode"], "WSG-809");
    yard.stage.gate.notify_one();
    assert!(brief(&client.frame().await).ends_with("200 GET /restapi/slow for 1"));
    ask(&client, "twelfth", "/restapi/v1.0/status");
    assert!(brief(&client.frame().await).starts_with("ClientRequest twelfth 200"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_for_sockets_is_refused() {
    let yard = Yard::open();
    let (mut client, _) = yard.connect(None).await;
    for path in [
        "/restapi/oauth/token",
        "/api/v1/live",
        "/webhook/v2/x",
        "/console/session",
        "/ws",
        "/",
        "/restapi/huge",
    ] {
        ask(&client, "1", path);
        assert_eq!(
            brief(&client.frame().await),
            "ClientRequest 1 400 WSG-810",
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unparsable_frame_is_answered_and_the_connection_goes_on() {
    let yard = Yard::open();
    let (mut client, _) = yard.connect(None).await;
    for (text, id) in [
        ("", None),
        ("nonsense", None),
        ("[[[[[[", None),
        (r#"[{"type":"Nonsense","messageId":"n"}]"#, Some("n")),
    ] {
        client.say(text);
        let frame = client.frame().await;
        assert_eq!(frame[0]["type"], "Error");
        assert_eq!(frame[0]["status"], 400);
        assert_eq!(frame[1]["errorCode"], "WSG-808");
        assert!(id.is_none_or(|id| frame[0]["messageId"] == id));
    }
    ask(&client, "1", "/restapi/v1.0/status");
    assert!(brief(&client.frame().await).contains(" 200 "));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_end_the_connection() {
    let too_large = CapacityError::MessageTooLong {
        size: 9,
        max_size: 8,
    };
    let cases = [
        (Ok(Message::binary(vec![1, 2])), "415 WSG-907", 1003),
        (Err(WireError::Capacity(too_large)), "413 WSG-906", 1009),
        (Err(WireError::Utf8("bad".to_owned())), "400 WSG-808", 1007),
        (
            Err(WireError::Protocol(ProtocolError::NonZeroReservedBits)),
            "400 WSG-808",
            1002,
        ),
    ];
    let yard = Yard::open();
    for (said, problem, close) in cases {
        let (mut client, _) = yard.connect(None).await;
        let _ = client.says.send(said);
        let (told, closed) = client.last_words().await;
        assert_eq!((told.as_str(), closed), (problem, Got::Close(close)));
        assert_eq!(client.next().await, Got::Nothing);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_nobody_is_refused_in_words() {
    let yard = Yard::open();
    for token in ["", "bad"] {
        let mut client = yard.dial(token, None);
        let (problem, close) = client.last_words().await;
        assert_eq!((problem.as_str(), close), ("401 OAU-213", Got::Close(1008)));
    }
}
