use super::bounds::{TOO_LONG, check_authorization, check_header};
use super::*;
use crate::delivery::retry::RetrySchedule;
use crate::endpoints::endpoint::policy_default;
use crate::kernel::limits::FAILURE_THRESHOLD_DEFAULT;
use crate::kernel::limits::{BATCH_EVENTS_MAX, HEADER_VALUE_CHARS_MAX};

fn settings() -> Settings {
    Settings {
        address: "https://example.com/hooks".to_owned(),
        description: String::new(),
        types: vec!["invoice.*".to_owned()],
        content: None,
        headers: Vec::new(),
        authorization: Authorization::None,
        verification_token: None,
        handshake: HandshakeKind::None,
        signed: true,
        secret: None,
        format: PayloadFormat::Standard,
        policy: policy_default(),
        failure_threshold: FAILURE_THRESHOLD_DEFAULT,
        batching_interval_minutes: 0,
        batch_max: BATCH_EVENTS_DEFAULT,
        rate: None,
        ordered: false,
    }
}

/// What is said of settings that `change` spoils.
fn complaint(change: impl FnOnce(&mut Settings)) -> (Setting, String) {
    let mut settings = settings();
    change(&mut settings);
    let error = settings.settle().unwrap_err();
    (error.setting, error.fault.to_string())
}

#[test]
fn defaults_are_within_their_bounds() {
    let settled = settings().settle().unwrap();
    assert_eq!(settled.mode.address(), Some("https://example.com/hooks"));
    assert_eq!(settled.endpoint.batch_max_kept, None);
}

#[test]
fn texts_are_bounded() {
    let long = "x".repeat(DESCRIPTION_CHARS_MAX + 1);
    let (setting, told) = complaint(|settings| settings.description = long);
    assert_eq!(setting, Setting::Description);
    assert_eq!(
        told,
        format!("has at most {DESCRIPTION_CHARS_MAX} characters")
    );
    let (setting, _) = complaint(|settings| settings.address = "ftp://example.com".to_owned());
    assert_eq!(setting, Setting::Address);
    let token = |text: &str| {
        let text = text.to_owned();
        complaint(|settings| settings.verification_token = Some(text))
    };
    assert_eq!(
        token("tö"),
        (
            Setting::VerificationToken,
            "must be visible ASCII".to_owned()
        )
    );
    let long = "x".repeat(VERIFICATION_TOKEN_CHARS_MAX + 1);
    assert_eq!(token(&long).0, Setting::VerificationToken);
    let (setting, _) = complaint(|settings| settings.secret = Some("short".to_owned()));
    assert_eq!(setting, Setting::Secret);
}

#[test]
fn types_and_content_say_where_they_are_wrong() {
    let types = |texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        complaint(|settings| settings.types = texts).0
    };
    assert_eq!(types(&[]), Setting::Types);
    assert_eq!(types(&["*"; ENDPOINT_TYPES_MAX + 1]), Setting::Types);
    assert_eq!(types(&["a.b", "a b"]), Setting::Type(1));
    let content = r#"{"data":{"total":{"$near":1}}}"#.to_owned();
    let (setting, _) = complaint(|settings| settings.content = Some(content));
    assert!(matches!(setting, Setting::Content(pointer) if pointer.starts_with("/data")));
}

#[test]
fn headers_are_checked_one_by_one() {
    let long = "x".repeat(HEADER_NAME_CHARS_MAX + 1);
    for (name, value, fault) in [
        ("X-Tenant", "acme", None),
        ("X Tenant", "acme", Some(Fault::NotAHeaderName)),
        ("", "acme", Some(Fault::NotAHeaderName)),
        (&long, "acme", Some(Fault::LongName)),
        ("Authorization", "Basic x", Some(Fault::ProofHeader)),
        ("Host", "acme", Some(Fault::Reserved)),
        ("webhook-id", "acme", Some(Fault::Reserved)),
        ("X-Tenant", "a\r\nb", Some(Fault::NotOneLine)),
        (
            "X-Tenant",
            &"x".repeat(HEADER_VALUE_CHARS_MAX + 1),
            Some(TOO_LONG),
        ),
    ] {
        let told = check_header(name, value).err().map(|error| error.fault);
        assert_eq!(told, fault, "{name}: {value}");
    }
}

#[test]
fn credentials_are_checked_by_kind() {
    let basic = |username: &str, password: &str| Authorization::Basic {
        username: username.to_owned(),
        password: Secret::new(password),
    };
    let oauth = |token_url: &str, client_id: &str, scope: &str| Authorization::OAuth2 {
        token_url: token_url.to_owned(),
        client_id: client_id.to_owned(),
        client_secret: Secret::new("secret"),
        scope: Some(scope.to_owned()),
    };
    let source = "https://example.com/token";
    let bearer = |token: &str| Authorization::Bearer {
        token: Secret::new(token),
    };
    for (authorization, setting) in [
        (basic("a:b", "secret"), Setting::Username),
        (basic("user", ""), Setting::Password),
        (bearer("tök"), Setting::BearerToken),
        (oauth("/token", "id", "all"), Setting::TokenUrl),
        (oauth(source, "", "all"), Setting::ClientId),
        (oauth(source, "id", "ä"), Setting::TokenScope),
    ] {
        let told = check_authorization(&authorization).unwrap_err();
        assert_eq!(told.setting, setting);
    }
    assert_eq!(check_authorization(&oauth(source, "id", "all")), Ok(()));
}

type Spoil = Box<dyn FnOnce(&mut Settings)>;

#[test]
fn numbers_are_within_named_bounds() {
    let list = |delays_ms| RetrySchedule::List { delays_ms };
    let exponential = RetrySchedule::Exponential {
        first_ms: 1_000,
        longest_ms: 500,
    };
    let rate = |count, per_ms| Some(RateLimit { count, per_ms });
    let cases: Vec<(Setting, Spoil)> = vec![
        (Setting::Timeout, Box::new(|s| s.policy.timeout_ms = 0)),
        (
            Setting::Concurrency,
            Box::new(|s| s.policy.concurrency_max = 0),
        ),
        (
            Setting::AttemptsMax,
            Box::new(|s| s.policy.attempts_max = 0),
        ),
        (Setting::AgeMax, Box::new(|s| s.policy.age_max_ms = 999)),
        (
            Setting::Delays,
            Box::new(move |s| s.policy.schedule = list(vec![])),
        ),
        (
            Setting::Delay(1),
            Box::new(move |s| s.policy.schedule = list(vec![100, 99])),
        ),
        (
            Setting::LongestDelay,
            Box::new(move |s| s.policy.schedule = exponential),
        ),
        (
            Setting::FailureThreshold,
            Box::new(|s| s.failure_threshold = u32::MAX),
        ),
        (
            Setting::BatchingInterval,
            Box::new(|s| s.batching_interval_minutes = u64::MAX),
        ),
        (Setting::BatchMax, Box::new(|s| s.batch_max = 0)),
        (
            Setting::RateCount,
            Box::new(move |s| s.rate = rate(0, 60_000)),
        ),
        (Setting::RatePeriod, Box::new(move |s| s.rate = rate(1, 1))),
    ];
    for (expect, spoil) in cases {
        assert_eq!(complaint(spoil).0, expect);
    }
    let (setting, told) = complaint(|settings| settings.batch_max = 0);
    assert_eq!(setting, Setting::BatchMax);
    assert_eq!(told, format!("must be from 1 to {BATCH_EVENTS_MAX}"));
}

#[test]
fn a_cloud_event_in_binary_mode_goes_alone() {
    let (setting, told) = complaint(|settings| {
        settings.format = PayloadFormat::CloudEventsBinary;
        settings.batching_interval_minutes = 5;
    });
    assert_eq!(setting, Setting::BatchingInterval);
    assert_eq!(told, Fault::BinaryTogether.to_string());
}

#[test]
fn former_secrets_stay_good_for_a_bounded_time() {
    assert_eq!(check_overlap(SECRET_OVERLAP_MAX), Ok(()));
    let error = check_overlap(SECRET_OVERLAP_MAX + Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.setting, Setting::SecretOverlap);
}
