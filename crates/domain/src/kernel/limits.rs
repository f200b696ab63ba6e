//! Every bound that somebody outside may meet, with its name and reason. Each is enforced in one
//! place. Those of what requests bring are in `requests.rs`.
//!
//! In `domain`, `delivery` and `gateway` no number or time that is called `…_MAX`, `…_MIN` or
//! `…_DEFAULT` stands anywhere else, which a test holds. How our own work is paced, such as when to
//! try a purge again, stands where it is done.

mod identity;
mod operating;
mod requests;

use std::time::Duration;

pub use self::identity::*;
pub use self::operating::*;
pub use self::requests::*;

/// Bodies of hook requests; RingCentral takes 1.5 MB of attachments in all.
pub const HOOK_BODY_BYTES_MAX: usize = 1_572_864;
/// How much of a hook request's body is kept for people to look at.
pub const REQUEST_BODY_KEPT_BYTES_MAX: usize = 262_144;
/// Headers kept with a hook request; real senders have few that say something.
pub const REQUEST_HEADERS_MAX: usize = 50;
pub const REQUEST_HEADER_CHARS_MAX: usize = 1_024;
/// A body must arrive within this time; slower senders only hold our memory.
pub const BODY_READ_TIMEOUT: Duration = Duration::from_secs(20);
/// A request's head must arrive within this time.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Open client connections; each costs memory before it has said who it is.
pub const CONNECTIONS_MAX: usize = 16_384;

/// Nesting of any JSON we accept. Cards need far less; renderers break at about 1,500.
pub const JSON_DEPTH_MAX: usize = 40;
/// Values in one payload. A tree of small values takes thirty times the memory of its text.
pub const JSON_VALUES_MAX: usize = 100_000;
pub const POST_TEXT_CHARS_MAX: usize = 10_000;
pub const CARD_TEXT_CHARS_MAX: usize = 1_000;
/// Every other text field of a card: 300 bytes in the legacy format's words.
pub const CARD_FIELD_CHARS_MAX: usize = 300;
pub const ATTACHMENTS_MAX: usize = 25;
pub const CARD_FIELDS_MAX: usize = 50;
/// Repetitions that a calendar event may have.
pub const EVENT_REPETITIONS_MAX: u8 = 10;
/// Parts of a multipart body that are looked at; a form for us has one.
pub const FORM_PARTS_MAX: usize = 64;
/// Characters of a multipart boundary: RFC 2046 allows no more.
pub const FORM_BOUNDARY_CHARS_MAX: usize = 70;
pub const ADAPTIVE_ELEMENTS_MAX: usize = 1_000;
pub const ADAPTIVE_IMAGES_MAX: usize = 60;
/// Characters of an image that a card carries in itself, as an address of scheme `data`.
pub const ADAPTIVE_DATA_IMAGE_CHARS_MAX: usize = 262_144;
/// Fields of the card that an unknown payload becomes: enough to see what it is.
pub const GENERIC_FIELDS_MAX: usize = 12;
/// Decisions on one hook request, when others keep changing its webhook or chat.
pub const HOOK_DECISIONS_MAX: u32 = 4;
pub const TEAM_NAME_CHARS_MAX: usize = 250;
pub const TEAM_DESCRIPTION_CHARS_MAX: usize = 1_000;
/// Others in a conversation, without oneself (contract section 10, row 28).
pub const CONVERSATION_OTHERS_MAX: usize = 15;
pub const RECORD_COUNT_DEFAULT: u32 = 30;
pub const RECORD_COUNT_MAX: u32 = 250;
/// Requests read from the store at once: each may hold a body of the kept size.
pub const REQUESTS_READ_MAX: u32 = 30;
/// Requests looked through for one page, when most of them are not the caller's.
pub const REQUESTS_EXAMINED_MAX: usize = 1_200;
/// Ids in one path (contract section 2.2).
pub const BATCH_IDS_MAX: usize = 30;
/// Persons of an account that are looked through at once.
pub const PERSONS_MAX: u32 = 10_000;
pub const WEBHOOKS_PER_CHAT_MAX: usize = 500;
/// Findings kept with one request; a hostile payload can cause thousands.
pub const FINDINGS_MAX: usize = 100;
/// Round brackets that a link's address may nest. Real addresses need one; each level more lets a
/// hostile text be scanned once more.
pub const LINK_BRACKETS_MAX: usize = 4;
/// Characters of a mentioned id; ours are decimal numbers and UUIDs.
pub const MENTION_ID_CHARS_MAX: usize = 64;

/// Bins of an account; each holds up to its number of requests.
pub const BINS_MAX: u32 = 100;
/// Requests kept of one bin, the newest.
pub const BIN_REQUESTS_MAX: u32 = 500;
/// How much of a body that a bin receives is kept.
pub const BIN_BODY_KEPT_BYTES_MAX: usize = 64 * 1024;
/// Bodies whose signature a bin verifies: they are held in memory until it is.
pub const BIN_BODY_SIGNED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bodies that a bin reads to their end: as large as our own batches of events come.
pub const BIN_BODY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Body of one answer of a bin.
pub const BIN_ANSWER_BODY_BYTES_MAX: usize = 64 * 1024;
/// Answers in a sequence, and the bytes of their bodies together.
pub const BIN_ANSWERS_MAX: usize = 20;
pub const BIN_ANSWERS_BYTES_MAX: usize = 256 * 1024;
/// Headers of one answer of a bin.
pub const BIN_HEADERS_MAX: usize = 40;
pub const BIN_NAME_CHARS_MAX: usize = 128;
/// How long a bin can keep a caller waiting: longer than any sender of ours waits.
pub const BIN_DELAY_MAX: Duration = Duration::from_secs(60);
/// Callers that bins keep waiting at a time: each holds a connection.
pub const BIN_CALLERS_WAITING_MAX: usize = 1_024;
/// Requests buffered for a page that looks at a bin; each may hold a body of the kept size.
pub const BIN_LIVE_BUFFER_MAX: usize = 64;
/// Missed requests that such a page gets one by one; past it the page reads again.
pub const BIN_CATCH_UP_MAX: u32 = 100;

/// First or last name of a person, as the platform has it.
pub const PERSON_NAME_CHARS_MAX: usize = 64;
/// The longest address that mail can be sent to (RFC 5321).
pub const EMAIL_CHARS_MAX: usize = 254;
/// Digits of an extension number.
pub const EXTENSION_NUMBER_DIGITS_MAX: usize = 8;
/// Shorter passwords are guessed.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longer passwords only cost time to hash.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// What a person says about their presence, as the platform has it.
pub const PRESENCE_MESSAGE_CHARS_MAX: usize = 75;
/// UTF-16 units of a message by company-pager, as the platform counts them.
pub const PAGER_TEXT_UNITS_MAX: usize = 1_024;
/// Receivers of one message: each gets a copy that names them all.
pub const PAGER_RECEIVERS_MAX: usize = 50;
/// Records on a numbered page of the platform's lists, unless asked otherwise.
pub const PER_PAGE_DEFAULT: u32 = 100;
pub const PER_PAGE_MAX: u32 = 1_000;

pub const EVENT_FILTERS_MAX: usize = 100;
/// The longest known filter has fewer than 200.
pub const EVENT_FILTER_CHARS_MAX: usize = 512;
/// Subscriptions of one person and app, unless configured (contract section 10, row 9).
pub const SUBSCRIPTIONS_MAX_DEFAULT: u32 = 30;
/// Longest life of a `WebHook` subscription: ten years (contract section 10, row 8).
pub const WEBHOOK_TTL_MAX: Duration = Duration::from_secs(315_360_000);
pub const WEBHOOK_TTL_DEFAULT: Duration = Duration::from_secs(604_800);
/// A `PubNub` subscription lives a quarter of an hour (contract 4.4).
pub const PUBNUB_TTL: Duration = Duration::from_secs(900);
/// A `WebSocket` subscription lives as long as its connection may (contract 6.3).
pub const WEBSOCKET_TTL: Duration = Duration::from_secs(86_400);
/// Longest life of a push subscription: ninety days (contract 4.4).
pub const PUSH_TTL_MAX: Duration = Duration::from_secs(7_776_000);
/// How often reminders can be due: the platform's reminder job runs at some such period.
pub const REMINDER_PERIOD_MIN: Duration = Duration::from_secs(5);
/// Failing for so long without a success blacklists a subscription (contract 4.10).
pub const BLACKLIST_AFTER: Duration = Duration::from_secs(600);
/// Pause between the probes that may heal a blacklisted subscription (contract 4.10).
pub const HEAL_PERIOD: Duration = Duration::from_secs(900);
/// An expired subscription can still be renewed for so long, by our own API.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(24 * 3_600);
/// Events older than this are not caught up with: they would be given up as too old.
pub const CATCH_UP_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Events looked at in one step of catching up; each may be written as a delivery.
pub const CATCH_UP_PAGE_MAX: u32 = 200;
/// Subscriptions that catch up at the same time; the others wait, so that the store has time for
/// what is new.
pub const CATCH_UPS_AT_ONCE_MAX: usize = 2;
/// Blacklisted addresses that are probed at the same time.
pub const PROBES_AT_ONCE_MAX: usize = 16;
/// How long a `PubNub` client's poll is held: below the 310 s after which clients give up.
pub const POLL_HELD_MAX: Duration = Duration::from_secs(280);
/// Polls that are held at a time.
pub const POLLS_MAX: usize = 4_096;
/// Channels of one poll.
pub const POLL_CHANNELS_MAX: usize = 10;
/// Characters of a channel's name; ours have fewer than 60.
pub const CHANNEL_CHARS_MAX: usize = 128;
/// Messages in one answer to a poll; the next poll brings the rest.
pub const POLL_MESSAGES_MAX: usize = 100;
/// Events read from the store at once for a poll ...
pub const POLL_PAGE_MAX: u32 = 200;
/// ... and looked at before it is answered, with or without messages: a client that was away does
/// not hold a reader of the store for long.
pub const POLL_EXAMINED_MAX: usize = 5_000;
/// What one push message may carry, by both providers' rules.
pub const PUSH_PAYLOAD_BYTES_MAX: usize = 4_096;
/// Apple refuses tokens that are older than an hour ...
pub const APNS_TOKEN_AGE_MAX: Duration = Duration::from_secs(50 * 60);
/// ... and servers that make new ones more often than every twenty minutes.
pub const APNS_TOKEN_AGE_MIN: Duration = Duration::from_secs(20 * 60);
/// Google's access tokens are no longer used so long before they expire.
pub const FCM_TOKEN_MARGIN: Duration = Duration::from_secs(120);
/// When Google refuses to grant an access token, it is not asked again for so long, however many
/// devices wait.
pub const FCM_REFUSAL_KEPT: Duration = Duration::from_secs(5);
/// Google keeps a message for a device that is off for four weeks at most.
pub const FCM_TTL_MAX: Duration = Duration::from_secs(28 * 24 * 3_600);
/// How long the history of a subscription stays readable after it ended.
pub const HISTORY_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Entries kept of one subscription's history, the newest; renewals alone could fill a disk.
pub const HISTORY_ENTRIES_MAX: u32 = 200;
/// Body of an event that an app publishes; each of its deliveries carries it.
pub const PUBLISHED_BODY_BYTES_MAX: usize = 262_144;
/// Characters of the sentence that says how a value breaks its schema.
pub const VIOLATION_CHARS_MAX: usize = 300;
pub const ADDRESS_CHARS_MAX: usize = 2_048;
pub const VERIFICATION_TOKEN_CHARS_MAX: usize = 255;
/// Push providers' device tokens have fewer than 300.
pub const REGISTRATION_ID_CHARS_MAX: usize = 1_024;

/// Head and body of the answer to a handshake (contract 4.7).
pub const HANDSHAKE_ANSWER_BYTES_MAX: usize = 1_024;
/// How long a receiver may take for its handshake, unless configured (contract section 10, row 1).
pub const HANDSHAKE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);
/// Bytes of an answer's body that are read before the connection is given up.
pub const ANSWER_BODY_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a refused attempt's answer that are kept for people.
pub const ANSWER_EXCERPT_BYTES_MAX: usize = 1_024;
/// `Retry-After` is honoured within these bounds.
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Deliveries of one lane in memory. Enough to keep 16 connections busy while the next page is
/// read; a backlog of millions stays on disk.
pub const LANE_WINDOW_MAX: usize = 512;

/// Changes in one group commit.
pub const COMMIT_BATCH_MAX: usize = 1_024;
/// Changes that wait for the writer before callers are held back.
pub const COMMIT_QUEUE_MAX: usize = 8_192;
/// Events buffered for one live session before it must start over.
pub const LIVE_BUFFER_MAX: usize = 256;
/// Patterns that one stream of events asks for; each event is held against all of them.
pub const EVENT_STREAM_PATTERNS_MAX: usize = 100;
/// Events that a stream reads from the store at once: each may hold a body of the largest size.
pub const EVENT_STREAM_READ_MAX: u32 = 100;
/// Live sessions of one server.
pub const LIVE_SESSIONS_MAX: usize = 4_096;

/// Resolving a receiver's name; the attempt's own timeout also applies.
pub const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Names that are resolved at a time. Each takes a thread of the pool that reads of the store use
/// too, which has 512, and a resolver that gets no answer keeps it for half a minute.
pub const RESOLVES_AT_ONCE_MAX: usize = 128;
/// Addresses of one name that are tried in one dial.
pub const DIAL_ADDRESSES_MAX: usize = 4;
/// Head of a receiver's answer. Proxies add headers; 16 KiB is what most servers allow.
pub const ANSWER_HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a receiver's answer.
pub const ANSWER_HEADERS_MAX: usize = 100;
/// The outcome is known with the head. A body that drips on longer only costs its connection.
pub const ANSWER_BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// A worker without work closes its connection and ends. Below the 5 s after which common servers
/// close idle connections themselves, so that we seldom write into a closing one.
pub const WORKER_IDLE_MAX: Duration = Duration::from_secs(4);
/// Deliveries of one lane that were sent but are not recorded yet: with those in flight, what a
/// crash can repeat.
pub const LANE_UNRECORDED_MAX: usize = 512;
/// Failures in a row after which a lane sends one probe at a time.
pub const LANE_FAILURES_MAX: u32 = 8;
/// Pause between probes of a failing lane; doubles from the first to the second.
pub const LANE_PAUSE_MIN: Duration = Duration::from_millis(250);
pub const LANE_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Deliveries that a failing lane keeps in memory; thousands of dead receivers must cost little.
pub const LANE_WINDOW_FAILING_MAX: usize = 16;
/// Outcomes wait this long for company before they are recorded ...
pub const RECORD_DELAY_MAX: Duration = Duration::from_millis(2);
/// ... or until there are this many.
pub const RECORD_BATCH_MIN: usize = 256;
/// Outcomes in one change. Larger ones would hold up other changes in the same group commit.
pub const RECORD_BATCH_MAX: usize = 512;
/// Pause before a task that panicked begins again, and before a duty is taken up again that could
/// not be: what is wrong may last, and trying costs.
pub const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// Pause after the store failed the dispatcher; doubles from the first to the second.
pub const STORE_PAUSE_MIN: Duration = Duration::from_millis(100);
pub const STORE_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Lanes that read from the store at the same time, so that a restart with thousands of
/// unfinished subscriptions leaves readers for requests.
pub const REFILLS_AT_ONCE_MAX: usize = 4;
/// Persons and apps whose calls are counted at a time, when rate limits are enforced.
pub const RATE_WINDOWS_MAX: usize = 16_384;
/// Mentions of one post that are looked up and kept.
pub const MENTIONS_MAX: usize = 100;
/// Persons named in one call about a team; each is looked up.
pub const MEMBERS_PER_CALL_MAX: usize = 1_000;

/// Open WebSocket connections of one server; as many as other client connections.
pub const SOCKETS_MAX: usize = 16_384;
/// WebSocket sessions, those that wait to be recovered included: everybody may come back at once,
/// and nobody remember who they were.
pub const SOCKET_SESSIONS_MAX: usize = 2 * SOCKETS_MAX;
/// WebSocket connections of one OAuth session (contract 6.1).
pub const SOCKETS_PER_SESSION_MAX_DEFAULT: usize = 50;
/// Requests at work on one WebSocket connection (contract 6.1).
pub const SOCKET_REQUESTS_MAX: usize = 10;
/// Notifications that a recovered session gets again, the newest (contract 6.1).
pub const SOCKET_BUFFER_MAX: usize = 100;
/// Notifications that a connection may be behind. One group commit can bring a thousand at once,
/// which is not the reader's fault.
pub const SOCKET_BEHIND_MAX: usize = 2_048;
/// Bodies that the notifications of one session hold on to.
pub const SOCKET_BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Notifications that are written before the connection looks for something else to do.
pub const SOCKET_BURST_MAX: usize = 16;
/// A client's message. What is larger goes over HTTP.
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// The body of a reply. What is larger goes over HTTP.
pub const SOCKET_REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What each connection reads into: most frames are smaller, and there are many connections.
pub const SOCKET_READ_BUFFER_BYTES: usize = 1_024;
/// Characters of a client's `messageId`, which is echoed.
pub const SOCKET_MESSAGE_ID_CHARS_MAX: usize = 256;
/// A frame must be taken within this time. The kernel buffers megabytes, so who lets it wait has
/// stopped reading.
pub const SOCKET_WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Notifications wait so long for a client to show that it has read the frame before them; most
/// take less than a round trip.
pub const SOCKET_ECHO_TIMEOUT: Duration = Duration::from_secs(1);
/// A ping must be answered within this time (contract 6.3).
pub const SOCKET_PONG_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to read our last words and close.
pub const SOCKET_CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a token for a WebSocket connection is good (contract section 10, row 12).
pub const SOCKET_TOKEN_TTL: Duration = Duration::from_secs(600);
/// How long a WebSocket session can be recovered, unless configured (contract 6.1).
pub const SOCKET_RECOVERY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(180);
/// Silence of a client after which its connection ends, unless configured (contract 6.3).
pub const SOCKET_IDLE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(1_800);
/// The longest life of a WebSocket connection, unless configured (contract 6.3).
pub const SOCKET_ABSOLUTE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(86_400);
/// Pause between pings, unless configured.
pub const SOCKET_PING_PERIOD_DEFAULT: Duration = Duration::from_secs(30);

/// Types or patterns that one endpoint asks for.
pub const ENDPOINT_TYPES_MAX: usize = 200;
/// Custom headers of an endpoint.
pub const ENDPOINT_HEADERS_MAX: usize = 40;
/// Characters of a header's name.
pub const HEADER_NAME_CHARS_MAX: usize = 128;
/// Characters of a header's value, and of what makes one.
pub const HEADER_VALUE_CHARS_MAX: usize = 4_096;
/// Characters of an endpoint's description.
pub const DESCRIPTION_CHARS_MAX: usize = 1_000;
/// Secrets that sign at once: one, and those that run out.
pub const ENDPOINT_SECRETS_MAX: usize = 10;
/// Failed attempts of a delivery after which an endpoint is Errored, unless it says otherwise: all
/// that the default policy makes.
pub const FAILURE_THRESHOLD_DEFAULT: u32 = 10;
/// How long a former signing secret may stay good.
pub const SECRET_OVERLAP_MAX: Duration = Duration::from_secs(7 * 86_400);
/// How long it does unless said otherwise.
pub const SECRET_OVERLAP_DEFAULT: Duration = Duration::from_secs(86_400);
/// Endpoints of one account.
pub const ENDPOINTS_MAX: u32 = 100_000;
/// Endpoints do not expire: they have a century.
pub const ENDPOINT_TTL: Duration = Duration::from_secs(100 * 365 * 86_400);
/// What an attempt at an endpoint may take.
pub const ENDPOINT_TIMEOUT_MIN: Duration = Duration::from_millis(500);
pub const ENDPOINT_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Requests in flight to one endpoint.
pub const ENDPOINT_CONCURRENCY_MAX: u32 = 256;
/// Attempts of one delivery.
pub const ENDPOINT_ATTEMPTS_MAX: u32 = 100;
/// Pauses that a schedule lists.
pub const ENDPOINT_DELAYS_MAX: usize = 100;
/// One pause between attempts.
pub const ENDPOINT_DELAY_MAX: Duration = Duration::from_secs(7 * 86_400);
/// How old an event may become that is still tried.
pub const ENDPOINT_AGE_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Events are collected for at most a day.
pub const BATCHING_INTERVAL_MAX: Duration = Duration::from_secs(86_400);
/// Events of one request, unless said otherwise, and at most.
pub const BATCH_EVENTS_DEFAULT: u32 = 100;
pub const BATCH_EVENTS_MAX: u32 = 500;
/// Bytes of one request with several events; what does not fit goes with the next.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests of a rate limit, and the time that they are for.
pub const RATE_COUNT_MAX: u32 = 100_000;
pub const RATE_PERIOD_MIN: Duration = Duration::from_millis(100);
pub const RATE_PERIOD_MAX: Duration = Duration::from_secs(86_400);
/// Events read from the store at once for a list: each may hold a body of the largest size.
pub const EVENTS_READ_MAX: u32 = 30;
/// Events looked through for one page of those that their reader may learn of.
pub const EVENTS_EXAMINED_MAX: usize = 2_000;
/// Headers of one side of an attempt that are kept for people, and characters of each.
pub const SHOWN_HEADERS_MAX: usize = 64;
pub const SHOWN_HEADER_CHARS_MAX: usize = 512;
/// Characters of an event type's name, and of a pattern that asks for some.
pub const TYPE_NAME_CHARS_MAX: usize = 128;
/// Types that an account registers, and what their schemas and examples take in all: they are
/// listed together.
pub const CUSTOM_TYPES_MAX: usize = 1_000;
pub const CUSTOM_TYPES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Versions of one type; all are told with it.
pub const TYPE_VERSIONS_MAX: usize = 50;
/// Text of a JSON Schema that an account registers.
pub const DATA_SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Nesting of such a schema; compiling it and checking with it recurse.
pub const DATA_SCHEMA_DEPTH_MAX: usize = 32;
/// Memory of one regular expression in it, compiled.
pub const DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX: usize = 256 * 1024;
/// Steps that checking the data of one request may take: some tenths of a second.
pub const DATA_CHECK_STEPS_MAX: usize = 5_000_000;
/// Schemas within schemas that one check may come to; it recurses.
pub const DATA_CHECK_NESTING_MAX: usize = 512;
/// Text of an example of an event's data.
pub const TYPE_EXAMPLE_BYTES_MAX: usize = 64 * 1024;
/// Schemas that are kept compiled, and their text in all: compiled they take a few dozen times that.
pub const COMPILED_SCHEMAS_MAX: usize = 1_024;
pub const COMPILED_SCHEMAS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Text of a content filter: it is compiled at every start, and kept for every endpoint.
pub const CONTENT_FILTER_BYTES_MAX: usize = 8 * 1024;
/// Nesting of a content filter; compiling and asking it recurse.
pub const CONTENT_FILTER_DEPTH_MAX: usize = 16;
/// Conditions of a content filter, listed values included: each may look at all of an event.
pub const CONTENT_FILTER_CONDITIONS_MAX: usize = 256;
/// Regular expressions of a content filter. Each may take a hundred times its text in memory.
pub const CONTENT_FILTER_REGEXES_MAX: usize = 4;
/// Longer texts match no expression: filters are asked while a commit is made, and a text of megabytes
/// would hold everybody up.
pub const CONTENT_FILTER_REGEX_TEXT_BYTES_MAX: usize = 1_024;
/// Items of a list that an expression is tried on.
pub const CONTENT_FILTER_REGEX_ITEMS_MAX: usize = 64;
pub const CONTENT_FILTER_REGEX_CHARS_MAX: usize = 512;
/// Memory of a compiled expression, and again of what it remembers while it searches.
pub const CONTENT_FILTER_REGEX_COMPILED_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a secret that signs deliveries, by Standard Webhooks.
pub const SIGNING_SECRET_BYTES_MIN: usize = 24;
pub const SIGNING_SECRET_BYTES_MAX: usize = 64;
/// A header of signatures that is checked. One signature has 47 characters.
pub const SIGNATURE_HEADER_CHARS_MAX: usize = 4_096;

/// Events in one batch that an app publishes; all enter the store in one change.
pub const EVENTS_PER_BATCH_MAX: usize = 1_000;
/// A request that publishes events.
pub const PUBLISHED_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Mistakes of a batch that are told at once.
pub const DRAFT_ERRORS_MAX: usize = 100;
/// Characters of an event's id, source, subject, schema and of each extension attribute. They
/// travel in headers, and the first two are an index of the store.
pub const ATTRIBUTE_CHARS_MAX: usize = 512;
/// Characters of a media type, as registries allow them, with parameters.
pub const MEDIA_TYPE_CHARS_MAX: usize = 255;
/// Extension attributes of one event. Each may become a header.
pub const EXTENSIONS_MAX: usize = 32;
/// Characters of an extension attribute's name, by CloudEvents.
pub const EXTENSION_NAME_CHARS_MAX: usize = 20;
/// What the source of an access token may answer.
pub const GRANT_BYTES_MAX: usize = 16 * 1024;
/// What is longer as the error of a grant is not a code of the standard: the longest there is has 22 characters.
pub const GRANT_ERROR_CHARS_MAX: usize = 32;
/// An access token that ends sooner is not used: the attempt takes its time.
pub const GRANT_LEFT_MIN: Duration = Duration::from_secs(30);
/// How long an access token is kept whose end is not told.
pub const GRANT_LIFE_DEFAULT: Duration = Duration::from_secs(300);
/// Connections of a client that are kept for the next request; a caller with more requests at once opens and closes the others.
pub const IDLE_CONNECTIONS_MAX: usize = 16;
/// Access tokens that are kept for endpoints; past it they are asked for anew.
pub const ACCESS_TOKENS_MAX: usize = 10_000;

/// Bytes of a request's body that are shown with each attempt.
pub const SHOWN_BODY_BYTES_MAX: usize = 64 * 1024;
/// How long handing a letter to the mail server may take in all. Relays that look a sender up take
/// some seconds.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses before a letter is tried again: a relay that restarts, one that greylists, one that
/// somebody has to look after. After the last nobody is told by e-mail.
pub const MAIL_RETRY_PAUSES: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
];
/// Bytes of one reply of a mail server.
pub const SMTP_REPLY_BYTES_MAX: usize = 8 * 1024;
/// Endpoints whose owners wait to be told by e-mail. What is past it is told after the next start.
pub const NOTICES_WAITING_MAX: usize = 10_000;
/// What happened longer ago is not told by e-mail any more, after a start.
pub const NOTICE_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Administrators that one notice goes to.
pub const NOTICE_READERS_MAX: usize = 10;
/// Characters of a text of somebody's that a letter shows.
pub const NOTICE_TEXT_CHARS_MAX: usize = 120;
