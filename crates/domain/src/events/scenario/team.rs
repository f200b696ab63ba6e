//! A team from its making to a farewell, as one who is in it hears of it. Its bodies are made as
//! those of real teams and posts are.

use bytes::Bytes;

use super::{Run, Scenario, Step};
use crate::kernel::ids::{AccountId, ChatId, PersonId, PostId};
use crate::messaging::chat::{Chat, ChatEventBody, ChatEventType, ChatKind, ChatStatus};
use crate::messaging::json;
use crate::messaging::post::{
    Post, PostContent, PostEventType, PostKind, PostRemovedBody, PostView,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "team",
    title: "A team at work",
    description: "A team is created, a member joins, posts are added, changed and removed, the \
        team gets another name, and somebody leaves. One team and the same people throughout.",
    steps: &[
        Step {
            type_name: "chat.GroupJoined",
            title: "A team is created",
            description: "Two people are in it from the beginning.",
            data: created,
        },
        Step {
            type_name: "chat.GroupChanged",
            title: "A member is added",
            description: "The team now has three members.",
            data: member_added,
        },
        Step {
            type_name: "post.PostAdded",
            title: "The team is told of it",
            description: "A post that names who was added.",
            data: addition_posted,
        },
        Step {
            type_name: "post.PostAdded",
            title: "A post is added",
            description: "The new member says hello.",
            data: post_added,
        },
        Step {
            type_name: "post.PostAdded",
            title: "A reply is added",
            description: "It names the post that it replies to.",
            data: reply_added,
        },
        Step {
            type_name: "post.PostChanged",
            title: "The post is changed",
            description: "The same post with another text.",
            data: post_changed,
        },
        Step {
            type_name: "chat.GroupRenamed",
            title: "The team is renamed",
            description: "The same team under another name.",
            data: renamed,
        },
        Step {
            type_name: "post.PostRemoved",
            title: "The reply is removed",
            description: "Only its id is left.",
            data: reply_removed,
        },
        Step {
            type_name: "chat.GroupLeft",
            title: "A member leaves",
            description: "The team without them.",
            data: left,
        },
    ],
};

const FOUNDER: PersonId = PersonId(62_534_323);
const COLLEAGUE: PersonId = PersonId(1_813_452_005);
const NEWCOMER: PersonId = PersonId(2_071_417_012);

fn team(run: &Run, name: &str, members: &[PersonId], changed_in: u32) -> Chat {
    Chat {
        account: AccountId(0),
        id: ChatId(run.number),
        kind: ChatKind::Team,
        name: Some(name.to_owned()),
        description: Some("Everything for the opening".to_owned()),
        public: false,
        status: ChatStatus::Active,
        members: members.to_vec(),
        admins: vec![FOUNDER],
        created_at: run.time_of(0),
        modified_at: run.time_of(changed_in),
        version: 1,
    }
}

const NAME: &str = "Shop opening";
const OTHER_NAME: &str = "Shop opening, Harbour Street";
const ALL: [PersonId; 3] = [FOUNDER, COLLEAGUE, NEWCOMER];

fn chat_body(chat: &Chat, event_type: ChatEventType) -> Bytes {
    json(&ChatEventBody::new(chat, event_type))
}

fn created(run: &Run) -> Bytes {
    let team = team(run, NAME, &ALL[..2], 0);
    chat_body(&team, ChatEventType::GroupJoined)
}

fn member_added(run: &Run) -> Bytes {
    chat_body(&team(run, NAME, &ALL, 1), ChatEventType::GroupChanged)
}

fn renamed(run: &Run) -> Bytes {
    let team = team(run, OTHER_NAME, &ALL, 6);
    chat_body(&team, ChatEventType::GroupRenamed)
}

fn left(run: &Run) -> Bytes {
    let team = team(run, OTHER_NAME, &[FOUNDER, NEWCOMER], 8);
    chat_body(&team, ChatEventType::GroupLeft)
}

/// The post that the step `added_in` adds, by its place among the posts of the run.
fn post(run: &Run, place: u64, added_in: u32, kind: PostKind, creator: PersonId) -> Post {
    Post {
        account: AccountId(0),
        chat: ChatId(run.number),
        id: PostId(run.number + place),
        kind,
        creator,
        content: PostContent::default(),
        request: None,
        created_at: run.time_of(added_in),
        modified_at: run.time_of(added_in),
        version: 1,
    }
}

fn said(text: &str) -> PostContent {
    PostContent {
        text: Some(text.to_owned()),
        ..PostContent::default()
    }
}

fn post_body(post: &Post, event_type: PostEventType) -> Bytes {
    json(&PostView::new(post, Some(event_type)))
}

fn addition_posted(run: &Run) -> Bytes {
    let mut post = post(run, 1, 2, PostKind::PersonsAdded, FOUNDER);
    post.content.person_ids = vec![NEWCOMER];
    post_body(&post, PostEventType::PostAdded)
}

fn hello(run: &Run) -> Post {
    Post {
        content: said("Hello all. The *keys* arrive on Monday."),
        ..post(run, 2, 3, PostKind::TextMessage, NEWCOMER)
    }
}

fn post_added(run: &Run) -> Bytes {
    post_body(&hello(run), PostEventType::PostAdded)
}

fn post_changed(run: &Run) -> Bytes {
    let post = Post {
        content: said("Hello all. The *keys* arrive on Tuesday."),
        modified_at: run.time_of(5),
        ..hello(run)
    };
    post_body(&post, PostEventType::PostChanged)
}

fn reply(run: &Run) -> Post {
    Post {
        content: PostContent {
            parent: Some(hello(run).id),
            ..said("Tuesday, says the landlord.")
        },
        ..post(run, 3, 4, PostKind::TextMessage, COLLEAGUE)
    }
}

fn reply_added(run: &Run) -> Bytes {
    post_body(&reply(run), PostEventType::PostAdded)
}

fn reply_removed(run: &Run) -> Bytes {
    let reply = reply(run);
    json(&PostRemovedBody {
        id: reply.id,
        group_id: reply.chat,
        event_type: PostEventType::PostRemoved,
    })
}
