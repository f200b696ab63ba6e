//! The push transport against a stand-in of the providers' APIs: HTTP/2 over TLS, on a real socket.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod provider;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookyard_delivery::{
    Attempted, Connection, Egress, EgressRules, Halt, PushKey, PushTransport, Sending,
    Transport as _,
};
use hookyard_domain::delivery::envelope::envelope;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::kernel::ports::Clock;
use hookyard_domain::{
    AttemptOutcome, DeliveryMode, PushProvider, Secret, Subscription, UnreachableReason,
};
use hookyard_testkit::{VirtualClock, sample};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use provider::{Asked, Provider, Reply};

const APNS_KEY: &str = include_str!("keys/apns.p8");
const FCM_KEY: &str = include_str!("keys/fcm.pem");
const DEVICE: &str = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad";

/// A transport with an app at each provider, both of them the stand-in.
struct World {
    provider: Provider,
    transport: PushTransport,
    clock: Arc<Moving>,
}

/// Wall time that a test moves, whatever the timers do.
#[derive(Debug)]
struct Moving(VirtualClock);

#[async_trait::async_trait]
impl Clock for Moving {
    fn now(&self) -> hookyard_domain::Timestamp {
        self.0.now()
    }

    async fn sleep_until(&self, until: hookyard_domain::Timestamp) {
        self.0.sleep_until(until).await;
    }
}

impl World {
    async fn start() -> Self {
        let provider = Provider::start().await;
        let rules = EgressRules {
            allow_private: true,
            ..EgressRules::default()
        };
        let egress = Arc::new(Egress::trusting(rules, [provider::certificate()]));
        let clock = Arc::new(Moving(VirtualClock::start()));
        let port: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let keys = [apns(&provider.address()), fcm(&provider.address())];
        let transport = PushTransport::new(&egress, &port, keys).unwrap();
        Self {
            provider,
            transport,
            clock,
        }
    }

    /// The stand-in grants an access token when it is next asked for something.
    fn grant(&self, token: &str) {
        let granted = json!({ "access_token": token, "expires_in": 3_600 });
        self.provider.reply(Reply::new(200).body(&granted));
    }

    fn pass(&self, minutes: i64) {
        self.clock.0.jump(minutes * 60_000);
    }
}

/// What is configured for an app at Apple's service.
struct Fields<'a> {
    name: &'a str,
    pem: &'a str,
    key_id: &'a str,
    team_id: &'a str,
    topic: &'a str,
    address: &'a str,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self {
            name: "app",
            pem: APNS_KEY,
            key_id: "ABC123DEFG",
            team_id: "DEF123GHIJ",
            topic: "com.example.app",
            address: "https://push.example.com",
        }
    }
}

impl Fields<'_> {
    fn apns(&self) -> PushKey {
        PushKey::Apns {
            certificate_name: self.name.to_owned(),
            key: Secret::new(self.pem),
            key_id: self.key_id.to_owned(),
            team_id: self.team_id.to_owned(),
            topic: self.topic.to_owned(),
            sandbox: false,
            address: Some(self.address.to_owned()),
        }
    }
}

fn apns(address: &str) -> PushKey {
    Fields {
        address,
        ..Fields::default()
    }
    .apns()
}

fn account(address: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "yard",
        "client_email": "push@yard.iam.gserviceaccount.com",
        "private_key_id": "0123456789abcdef",
        "private_key": FCM_KEY,
        "token_uri": format!("{address}/token"),
    })
}

fn fcm(address: &str) -> PushKey {
    PushKey::Fcm {
        certificate_name: "app".to_owned(),
        service_account: Secret::new(account(address).to_string()),
        address: Some(address.to_owned()),
    }
}

fn subscription(provider: PushProvider) -> Subscription {
    let mut subscription = sample::subscription(1, "https://unused.example.com/");
    subscription.mode = DeliveryMode::Push {
        provider,
        registration_id: DEVICE.to_owned(),
        certificate_name: "app".to_owned(),
    };
    subscription.policy.timeout_ms = 2_000;
    subscription
}

async fn send_by(connection: &mut dyn Connection, subscription: &Arc<Subscription>) -> Attempted {
    let committed = sample::delivery_to(subscription, 7, VirtualClock::BEGIN);
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription,
        attempt: 1,
        halt: &halt,
    };
    connection.send(&sending).await.unwrap()
}

async fn send(world: &World, provider: PushProvider) -> Attempted {
    let subscription = Arc::new(subscription(provider));
    send_by(&mut *world.transport.connection(), &subscription).await
}

/// Header and claims of a signed token; the signature is checked.
fn read_token(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("`{token}` is no token");
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let signed = format!("{header}.{claims}");
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let signature = decode(signature);
    let der = |pem: &str| PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let verified = if header["alg"] == "ES256" {
        let random = ring::rand::SystemRandom::new();
        let der = der(APNS_KEY);
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            der.secret_pkcs8_der(),
            &random,
        );
        let public = pair.unwrap().public_key().as_ref().to_vec();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(signed.as_bytes(), &signature)
    } else {
        let pair = RsaKeyPair::from_pkcs8(der(FCM_KEY).secret_pkcs8_der()).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &signature)
    };
    verified.expect("the signature holds");
    (header, serde_json::from_slice(&decode(claims)).unwrap())
}

fn bearer(asked: &Asked) -> String {
    let value = asked.header("authorization").unwrap();
    value.split_once(' ').unwrap().1.to_owned()
}

const fn refused(status: u16, retry_after_s: Option<u64>) -> AttemptOutcome {
    let retry_after = match retry_after_s {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => None,
    };
    AttemptOutcome::Refused {
        status,
        retry_after,
    }
}

#[tokio::test]
async fn apple_gets_the_event_for_the_device() {
    let world = World::start().await;
    let attempted = send(&world, PushProvider::Apns).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    assert_eq!(attempted.peer.as_deref(), Some(&*world.provider.peer()));
    let asked = world.provider.asked().remove(0);
    assert_eq!(asked.line, format!("POST /3/device/{DEVICE}"));
    assert_eq!(asked.header("apns-topic").unwrap(), "com.example.app");
    assert_eq!(asked.header("apns-push-type").unwrap(), "background");
    assert_eq!(asked.header("apns-priority").unwrap(), "5");
    let expires = world.clock.now().as_millis() / 1_000 + 86_400;
    let told: i64 = asked.header("apns-expiration").unwrap().parse().unwrap();
    assert!((expires - told).abs() <= 1);
    assert_eq!(asked.body["aps"], json!({ "content-available": 1 }));
    let event = &asked.body["event"];
    assert_eq!(
        (&event["uuid"], &event["body"]["text"]),
        (&json!("7"), &json!("post 7"))
    );
    let (header, claims) = read_token(&bearer(&asked));
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&json!("ES256"), &json!("ABC123DEFG"))
    );
    assert_eq!(claims["iss"], "DEF123GHIJ");
}

#[tokio::test]
async fn google_is_told_how_long_an_event_is_of_use() {
    let world = World::start().await;
    world.grant("ya29.one");
    // A day after its event, the dispatcher would give a delivery up.
    world.pass(23 * 60);
    send(&world, PushProvider::Gcm).await;
    let asked = world.provider.asked();
    let android = &asked[1].body["message"]["android"];
    assert_eq!(android["priority"], "HIGH");
    let ttl = android["ttl"].as_str().unwrap().trim_end_matches('s');
    let seconds: u64 = ttl.parse().unwrap();
    assert!((3_598..=3_600).contains(&seconds), "{seconds}");

    send(&world, PushProvider::Apns).await;
    let asked = world.provider.asked();
    let told = asked[2].header("apns-expiration").unwrap();
    let expires = VirtualClock::BEGIN.as_millis() / 1_000 + 86_400;
    assert_eq!(told, expires.to_string());
}

#[tokio::test]
async fn google_gets_the_event_with_a_token_that_the_service_account_gets() {
    let world = World::start().await;
    let granted = json!({ "access_token": "ya29.one", "expires_in": 3_600 });
    world.provider.reply(Reply::new(200).body(&granted));
    for minutes in [0, 57] {
        world.pass(minutes);
        let attempted = send(&world, PushProvider::Gcm).await;
        assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    }
    let asked = world.provider.asked();
    let lines: Vec<_> = asked.iter().map(|asked| &*asked.line).collect();
    let message = "POST /v1/projects/yard/messages:send";
    assert_eq!(lines, ["POST /token", message, message]);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(asked[0].raw.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (header, claims) = read_token(&form[1].1);
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&json!("RS256"), &json!("0123456789abcdef"))
    );
    assert_eq!(claims["iss"], "push@yard.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], format!("{}/token", world.provider.address()));
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/firebase.messaging"
    );
    let (issued, expires) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert_eq!(expires - issued, 3_600);
    assert_eq!(bearer(&asked[1]), "ya29.one");
    assert_eq!(asked[1].body["message"]["token"], DEVICE);
    let event = asked[1].body["message"]["data"]["event"].as_str().unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["body"]["text"], "post 7");

    world.pass(2);
    let granted = json!({ "access_token": "ya29.two", "expires_in": 3_600 });
    world.provider.reply(Reply::new(200).body(&granted));
    send(&world, PushProvider::Gcm).await;
    assert_eq!(bearer(world.provider.asked().last().unwrap()), "ya29.two");
}

#[tokio::test]
async fn refusals_become_what_the_dispatcher_acts_on() {
    let world = World::start().await;
    let apple = |status, reason: &str| Reply::new(status).body(&json!({ "reason": reason }));
    for (reply, expect) in [
        (apple(410, "Unregistered"), refused(410, None)),
        (apple(400, "BadDeviceToken"), refused(410, None)),
        (apple(400, "BadTopic"), refused(400, None)),
        (
            apple(429, "TooManyRequests").header("retry-after", "30"),
            refused(429, Some(30)),
        ),
        (apple(503, "ServiceUnavailable"), refused(503, None)),
    ] {
        world.provider.reply(reply);
        assert_eq!(send(&world, PushProvider::Apns).await.outcome, expect);
    }
    let google = |status, code: &str| {
        let details = json!([{ "@type": "type.googleapis.com/FcmError", "errorCode": code }]);
        Reply::new(status).body(&json!({ "error": { "code": status, "details": details } }))
    };
    let granted = json!({ "access_token": "ya29.one", "expires_in": 3_600 });
    world.provider.reply(Reply::new(200).body(&granted));
    for (reply, expect) in [
        (google(404, "UNREGISTERED"), refused(410, None)),
        (google(404, "OTHER"), refused(404, None)),
        (google(400, "INVALID_ARGUMENT"), refused(400, None)),
        (
            google(503, "UNAVAILABLE").header("retry-after", "7"),
            refused(503, Some(7)),
        ),
        // It is about the app's account with Apple, not about our token, which is used again.
        (google(401, "THIRD_PARTY_AUTH_ERROR"), refused(401, None)),
        (google(401, "UNAUTHENTICATED"), refused(401, None)),
    ] {
        world.provider.reply(reply);
        assert_eq!(send(&world, PushProvider::Gcm).await.outcome, expect);
    }
    // The token that was refused is not used again.
    world.grant("ya29.two");
    send(&world, PushProvider::Gcm).await;
    assert_eq!(bearer(world.provider.asked().last().unwrap()), "ya29.two");
    let asked = world.provider.asked();
    let grants = asked.iter().filter(|asked| asked.line == "POST /token");
    assert_eq!(grants.count(), 2);
}

#[tokio::test]
async fn what_does_not_fit_is_left_out_and_said() {
    let world = World::start().await;
    let granted = json!({ "access_token": "ya29.one", "expires_in": 3_600 });
    for provider in [PushProvider::Apns, PushProvider::Gcm] {
        if provider == PushProvider::Gcm {
            world.provider.reply(Reply::new(200).body(&granted));
        }
        let subscription = Arc::new(subscription(provider));
        let mut committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
        let mut event = (*committed.event).clone();
        event.body = json!({ "text": "x".repeat(5_000) }).to_string().into();
        committed.event = Arc::new(event);
        let halt = Halt::default();
        let sending = Sending {
            committed: &committed,
            others: &[],
            at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
            subscription: &subscription,
            attempt: 1,
            halt: &halt,
        };
        let attempted = world.transport.connection().send(&sending).await.unwrap();
        assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    }
    let asked = world.provider.asked();
    assert!(asked.iter().all(|asked| asked.raw.len() < 4_096));
    let (apple, google) = (&asked[0].body, &asked[2].body["message"]["data"]);
    assert_eq!(apple["bodyOmitted"], true);
    assert_eq!(google["bodyOmitted"], "true");
    let event: Value = serde_json::from_str(google["event"].as_str().unwrap()).unwrap();
    for event in [&apple["event"], &event] {
        assert_eq!(event["uuid"], "7");
        assert_eq!(event.get("body"), None);
    }
}

/// An event whose envelope has exactly so many bytes.
fn event_of(subscription: &Arc<Subscription>, bytes: usize) -> CommittedDelivery {
    let mut committed = sample::delivery_to(subscription, 7, VirtualClock::BEGIN);
    let mut event = (*committed.event).clone();
    let mut fill = |length: usize| {
        event.body = format!(
            r#"{{"n":12345678901234567890123,"z":0,"a":"{}"}}"#,
            "x".repeat(length)
        )
        .into();
        envelope(&event, &committed.delivery.filter, subscription).len()
    };
    let surroundings = fill(0);
    assert_eq!(fill(bytes - surroundings), bytes);
    committed.event = Arc::new(event);
    committed
}

async fn send_committed(world: &World, committed: &CommittedDelivery) -> Asked {
    let sending = Sending {
        committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &committed.subscription,
        attempt: 1,
        halt: &Halt::default(),
    };
    let attempted = world.transport.connection().send(&sending).await.unwrap();
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    world.provider.asked().pop().unwrap()
}

#[tokio::test]
async fn a_device_gets_the_bytes_that_every_subscriber_gets() {
    let world = World::start().await;
    let to = Arc::new(subscription(PushProvider::Apns));
    let committed = event_of(&to, 1_000);
    let sent = envelope(&committed.event, &committed.delivery.filter, &to);
    let sent = std::str::from_utf8(&sent).unwrap();
    let asked = send_committed(&world, &committed).await;
    assert!(asked.raw.contains(sent), "{} holds {sent}", asked.raw);

    world.grant("ya29.one");
    let to = Arc::new(subscription(PushProvider::Gcm));
    let asked = send_committed(&world, &event_of(&to, 1_000)).await;
    assert_eq!(asked.body["message"]["data"]["event"], sent);
}

#[tokio::test]
async fn the_limit_is_reached_and_not_passed() {
    let world = World::start().await;
    let to = Arc::new(subscription(PushProvider::Apns));
    let around = r#"{"aps":{"content-available":1},"event":}"#.len();
    let asked = send_committed(&world, &event_of(&to, 4_096 - around)).await;
    assert_eq!(asked.raw.len(), 4_096);
    let asked = send_committed(&world, &event_of(&to, 4_097 - around)).await;
    assert_eq!(asked.body["bodyOmitted"], true);

    world.grant("ya29.one");
    let to = Arc::new(subscription(PushProvider::Gcm));
    // Google counts keys and values of the data, here the key `event` and the envelope.
    let asked = send_committed(&world, &event_of(&to, 4_091)).await;
    let data = &asked.body["message"]["data"];
    assert_eq!(data["event"].as_str().unwrap().len(), 4_091);
    let asked = send_committed(&world, &event_of(&to, 4_092)).await;
    assert_eq!(asked.body["message"]["data"]["bodyOmitted"], "true");
}

#[tokio::test]
async fn all_devices_share_one_connection_which_is_opened_again_when_it_ends() {
    let world = World::start().await;
    let subscription = Arc::new(subscription(PushProvider::Apns));
    let mut lanes: Vec<_> = (0..8).map(|_| world.transport.connection()).collect();
    for lane in &mut lanes {
        send_by(&mut **lane, &subscription).await;
    }
    assert_eq!(world.provider.connections(), 1);
    world.provider.hang_up().await;
    let mut outcomes = Vec::new();
    for lane in &mut lanes[..2] {
        outcomes.push(send_by(&mut **lane, &subscription).await.outcome);
    }
    // The first may still meet the end of the old one; the next never does.
    assert_eq!(outcomes[1], AttemptOutcome::Accepted { status: 200 });
    assert_eq!(world.provider.connections(), 2);
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_in_time() {
    let world = World::start().await;
    world.provider.reply(Reply::silence());
    let mut impatient = subscription(PushProvider::Apns);
    impatient.policy.timeout_ms = 50;
    let attempted = send_by(&mut *world.transport.connection(), &Arc::new(impatient)).await;
    let reason = UnreachableReason::TimedOut;
    assert_eq!(attempted.outcome, AttemptOutcome::Unreachable { reason });
    assert_eq!(attempted.peer, Some(world.provider.peer()));
    assert!(attempted.timings.connect_us > 0, "it was dialled");

    // Whether the connection is dead or only slow: the next attempt does not wait to find out.
    let attempted = send(&world, PushProvider::Apns).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    assert_eq!(world.provider.connections(), 2);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let world = World::start().await;
    let mut unknown = subscription(PushProvider::Apns);
    unknown.mode = DeliveryMode::Push {
        provider: PushProvider::Apns,
        registration_id: DEVICE.to_owned(),
        certificate_name: "taken away".to_owned(),
    };
    let attempted = send_by(&mut *world.transport.connection(), &Arc::new(unknown)).await;
    let reason = UnreachableReason::Forbidden;
    assert_eq!(attempted.outcome, AttemptOutcome::Unreachable { reason });

    let halt = Halt::default();
    halt.call_off();
    let subscription = Arc::new(subscription(PushProvider::Apns));
    let sending = Sending {
        committed: &sample::delivery_to(&subscription, 7, VirtualClock::BEGIN),
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 1,
        halt: &halt,
    };
    assert_eq!(world.transport.connection().send(&sending).await, None);
    assert!(world.provider.asked().is_empty());
}

/// What an operator reads when one of these keys cannot be used; empty when all can.
fn told(keys: Vec<PushKey>) -> String {
    let egress = Arc::new(Egress::new(EgressRules::default()));
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::start());
    match PushTransport::new(&egress, &clock, keys) {
        Ok(_) => String::new(),
        Err(error) => format!("{error}: {}", error.reason),
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_refused() {
    const GOOD: &str = "https://push.example.com";
    let apple = |change: fn(&mut Fields)| {
        let mut fields = Fields::default();
        change(&mut fields);
        vec![fields.apns()]
    };
    let google = |name: &str, value: Value| {
        let mut account = account(GOOD);
        account[name] = value;
        vec![PushKey::Fcm {
            certificate_name: "app".to_owned(),
            service_account: Secret::new(account.to_string()),
            address: None,
        }]
    };
    let token_uri = "the service account's token URI is not a URL that can be called";
    for (keys, expect) in [
        (
            vec![apns(GOOD), apns(GOOD)],
            "another one has the same name",
        ),
        (apple(|key| key.name = ""), "its name is empty"),
        (
            apple(|key| key.address = "nowhere"),
            "the address is not https://HOST or https://HOST:PORT",
        ),
        (
            apple(|key| key.address = "https://push.example.com/3"),
            "the address is not https://HOST or https://HOST:PORT",
        ),
        (
            apple(|key| key.pem = ""),
            "there is no private key in PKCS #8 PEM form, `-----BEGIN PRIVATE KEY-----`",
        ),
        (
            apple(|key| key.pem = FCM_KEY),
            "the private key is not an elliptic curve key on P-256, as Apple's are",
        ),
        (
            apple(|key| key.key_id = "ABC123DEF/"),
            "the key id is not one of Apple's, of 10 letters and digits",
        ),
        (
            apple(|key| key.team_id = "DEF123GHIJK"),
            "the team id is not one of Apple's, of 10 letters and digits",
        ),
        (
            apple(|key| key.topic = "com.example.app\n"),
            "the topic is not an app's bundle id, such as com.example.app",
        ),
        (
            google("private_key", json!(APNS_KEY)),
            "the private key is not an RSA key of 2048 bits or more, as Google's are",
        ),
        (
            google("private_key", Value::Null),
            "the file is not a service account's key in JSON",
        ),
        (
            google("project_id", json!("../yard")),
            "the service account's project id makes no sense",
        ),
        (google("token_uri", json!("oauth2")), token_uri),
    ] {
        let told = told(keys);
        let (subject, reason) = told.split_once(": ").expect("it is refused");
        assert_eq!(reason, expect);
        assert!(!reason.contains(APNS_KEY) && !reason.contains(FCM_KEY));
        assert!(subject.starts_with("push certificate `"), "{subject}");
    }
    assert_eq!(told(vec![apns(GOOD), fcm(GOOD)]), "");
    let unusable = "push certificate `app` for RC/GCM cannot be used";
    assert!(told(google("token_uri", json!(""))).starts_with(unusable));
}
