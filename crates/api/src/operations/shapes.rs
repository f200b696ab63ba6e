//! How records of the domain look on the wire: events carry the same bytes as answers, so they are
//! written there, and described here. Answers of tests are held against the document.

use std::collections::BTreeMap;

use hookyard_domain::messaging::presence::{DndStatus, UserStatus};

use crate::operations::wire::{Anything, Id, Time, Uuid, named_shapes, shapes};

named_shapes! {
    /// Which calls somebody takes.
    DndStatusName = DndStatus::ALL.into_iter().map(DndStatus::name);
    /// What somebody says about being there.
    UserStatusName = UserStatus::ALL.into_iter().map(UserStatus::name);
    /// Whether a message was read.
    ReadStatusName = ["Read", "Unread"].into_iter();
    /// Whether a message is in the store or in the bin.
    AvailabilityName = ["Alive", "Deleted"].into_iter();
    /// Which way a message went.
    DirectionName = ["Inbound", "Outbound"].into_iter();
    /// The kind of a chat.
    ChatKindName = ["Personal", "Direct", "Group", "Team", "Everyone"].into_iter();
    /// How an address shows that it wants events.
    HandshakeName = ["none", "echo", "options"].into_iter();
    /// What a request's body looks like.
    PayloadFormatName = ["standard", "cloudevents", "cloudevents-binary", "ringcentral"].into_iter();
}

shapes! {
    /// A post.
    #[schemars(rename = "Post")]
    pub(crate) struct PostShape {
        #[schemars(with = "Id")]
        id: (),
        #[schemars(with = "Id")]
        group_id: (),
        #[schemars(rename = "type", extend("enum" = ["TextMessage", "PersonJoined", "PersonsAdded", "PersonLeft", "PersonsRemoved"]))]
        kind: String,
        /// Mini-markdown.
        #[schemars(example = &"Build 7 is green")]
        text: String,
        #[schemars(with = "Id")]
        creator_id: (),
        #[schemars(with = "Option<Vec<Id>>")]
        added_person_ids: (),
        #[schemars(with = "Vec<Id>")]
        #[serde(skip_serializing_if = "is_absent")]
        removed_person_ids: (),
        #[schemars(with = "Time")]
        creation_time: (),
        #[schemars(with = "Time")]
        last_modified_time: (),
        attachments: Option<Vec<BTreeMap<String, Anything>>>,
        activity: Option<String>,
        title: Option<String>,
        icon_uri: Option<String>,
        icon_emoji: Option<String>,
        mentions: Option<Vec<MentionShape>>,
        #[schemars(with = "Id")]
        #[serde(skip_serializing_if = "is_absent")]
        parent_post_id: (),
        #[schemars(with = "Id")]
        #[serde(skip_serializing_if = "is_absent")]
        thread_id: (),
    }

    /// Who or what a post mentions.
    #[schemars(rename = "Mention")]
    pub(crate) struct MentionShape {
        id: String,
        #[schemars(rename = "type", example = &"Person")]
        kind: String,
        name: String,
    }

    /// A chat of any kind, and who is in it.
    #[schemars(rename = "Chat")]
    pub(crate) struct ChatShape {
        #[schemars(with = "Id")]
        id: (),
        #[schemars(rename = "type")]
        kind: ChatKindName,
        #[serde(skip_serializing_if = "Option::is_none")]
        public: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("enum" = ["Active", "Archived"]))]
        status: Option<String>,
        #[schemars(with = "Time")]
        creation_time: (),
        #[schemars(with = "Time")]
        last_modified_time: (),
        members: Vec<MemberShape>,
    }

    /// Somebody in a chat.
    #[schemars(rename = "ChatMember")]
    pub(crate) struct MemberShape {
        #[schemars(with = "Id")]
        id: (),
    }

    /// A person.
    #[schemars(rename = "Person")]
    pub(crate) struct PersonShape {
        #[schemars(with = "Id")]
        id: (),
        #[schemars(example = &"Ada")]
        first_name: String,
        #[schemars(example = &"Lovelace")]
        last_name: String,
        email: Option<String>,
        avatar: Option<String>,
        #[schemars(with = "Id")]
        company_id: (),
        #[schemars(with = "Time")]
        creation_time: (),
        #[schemars(with = "Time")]
        last_modified_time: (),
    }

    /// An incoming webhook.
    #[schemars(rename = "Webhook")]
    pub(crate) struct WebhookShape {
        #[schemars(with = "Uuid")]
        id: (),
        #[schemars(with = "Id")]
        creator_id: (),
        #[schemars(with = "[Id; 1]")]
        group_ids: (),
        #[schemars(with = "Time")]
        creation_time: (),
        #[schemars(with = "Time")]
        last_modified_time: (),
        /// Where senders post to. It is the secret.
        uri: String,
        #[schemars(extend("enum" = ["Active", "Suspended", "Deleted"]))]
        status: String,
    }

    /// Who sent or got a message.
    #[schemars(rename = "Correspondent")]
    pub(crate) struct CorrespondentShape {
        #[schemars(with = "Id")]
        extension_id: (),
        #[serde(skip_serializing_if = "Option::is_none")]
        extension_number: Option<String>,
        name: String,
    }

    /// Something that the conversion of a payload noticed.
    #[schemars(rename = "Finding")]
    pub(crate) struct FindingShape {
        /// JSON Pointer into the payload.
        pointer: String,
        warning: String,
    }

    /// A filter that was asked for and is not permitted.
    #[schemars(rename = "DisabledFilter")]
    pub(crate) struct DisabledFilterShape {
        filter: String,
        /// An error code.
        #[schemars(example = &"SUB-412")]
        reason: String,
        message: String,
    }

    /// What is shown of somebody's presence.
    #[schemars(rename = "PresenceState")]
    pub(crate) struct PresenceShape {
        telephony_status: String,
        presence_status: UserStatusName,
        user_status: UserStatusName,
        meeting_status: String,
        dnd_status: DndStatusName,
        dnd_status_personal: DndStatusName,
        accept_call_queue_calls: bool,
        message: Option<String>,
        allow_see_my_presence: bool,
        ring_on_monitored_call: bool,
        pick_up_calls_on_hold: bool,
    }

    /// How much there is to erase.
    #[schemars(rename = "ErasureCounts")]
    pub(crate) struct ErasureCountsShape {
        events: u64,
        deliveries: u64,
        posts: u64,
        messages: u64,
    }

    /// What callers of a bin are answered.
    #[schemars(rename = "BinAnswer")]
    pub(crate) struct BinAnswerShape {
        #[schemars(range(min = 200, max = 599))]
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
        /// How long the caller waits for it.
        delay_ms: u32,
        /// Given one after the other.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sequence: Vec<BinReplyShape>,
        /// What comes after the last of the sequence.
        #[schemars(extend("enum" = ["last", "cycle"]))]
        repeat: String,
        handshake: bool,
    }

    /// One answer of a sequence.
    #[schemars(rename = "BinReply")]
    pub(crate) struct BinReplyShape {
        #[schemars(range(min = 200, max = 599))]
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
        delay_ms: u32,
    }

    /// How many requests an endpoint takes in a time.
    #[schemars(rename = "RateLimit")]
    pub(crate) struct RateLimitShape {
        #[schemars(range(min = 1), example = 10)]
        count: u32,
        #[schemars(range(min = 1), example = 1000)]
        per_ms: u64,
    }

    /// How a request to an endpoint proves that it may.
    #[schemars(rename = "EndpointAuthorization")]
    pub(crate) struct AuthorizationShape {
        #[schemars(rename = "type", extend("enum" = ["none", "basic", "bearer", "oauth2"]))]
        kind: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        token_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_secret: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
    }

    /// How delays between attempts grow.
    #[schemars(rename = "RetrySchedule")]
    pub(crate) struct RetryScheduleShape {
        #[schemars(extend("enum" = ["list", "exponential"]))]
        kind: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        delays_ms: Option<Vec<u64>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        first_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        longest_ms: Option<u64>,
    }
}
