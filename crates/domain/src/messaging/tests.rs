//! What chats and posts decide, and the exact bodies of what they announce.

use super::conversations::{TooManyMembers, members_of};
use super::posts::PostError;
use super::teams::{NewTeam, TeamError, TeamPatch};
use super::*;
use crate::kernel::change::{Change, Write};
use crate::kernel::golden::assert_golden;
use crate::kernel::limits::{POST_TEXT_CHARS_MAX, TEAM_NAME_CHARS_MAX};
use crate::messaging::chat::{ChatKind, ChatStatus, ChatWrite};

const ALICE: PersonId = PersonId(11);
const BOB: PersonId = PersonId(12);
const CAROL: PersonId = PersonId(13);

struct World(IdSequence);

impl World {
    fn new() -> Self {
        Self(IdSequence::starting_after(0))
    }

    fn act(&self, person: PersonId) -> Act<'_> {
        Act {
            account: AccountId(1),
            person,
            now: Timestamp::from_millis(1_616_750_321_460),
            ids: &self.0,
        }
    }

    fn team(&self, members: &[PersonId]) -> Chat {
        let new = NewTeam {
            name: "Team #1".into(),
            description: Some("Integration Team".into()),
            members: members.to_vec(),
            public: false,
        };
        Chat::create_team(&self.act(ALICE), new).unwrap().1
    }
}

/// Each event with its audience and body, without the numbers that count up.
fn told(change: &Change) -> String {
    let lines = change.events.iter().map(|event| {
        let audience = match &event.audience {
            Audience::ChatMembers(_) => "members".to_owned(),
            Audience::Persons(persons) => {
                format!("{:?}", persons.iter().map(|p| p.0).collect::<Vec<_>>())
            }
            Audience::Subscription(only) => only.to_string(),
            Audience::Account => "endpoints".to_owned(),
        };
        let body = std::str::from_utf8(&event.body).unwrap();
        let numbers = [event.chat.map(|id| id.0), event.post.map(|id| id.0)];
        let body = numbers
            .into_iter()
            .flatten()
            .zip(["<chat>", "<post>"])
            .fold(body.to_owned(), |body, (id, name)| {
                body.replace(&id.to_string(), name)
            });
        format!("{} to {audience}: {body}", event.event_type)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn written(change: &Change) -> &Chat {
    let chat = change.writes.iter().find_map(|write| match write {
        Write::Chat(ChatWrite::Put(chat)) => Some(chat),
        _ => None,
    });
    chat.expect("the change writes a chat")
}

#[test]
fn a_new_team_tells_everyone_in_it() {
    let world = World::new();
    let new = NewTeam {
        name: "Ops".into(),
        members: vec![BOB, BOB],
        ..NewTeam::default()
    };
    let (change, team) = Chat::create_team(&world.act(ALICE), new).unwrap();
    assert_eq!(
        (team.members.as_slice(), team.admins.as_slice()),
        (&[ALICE, BOB][..], &[ALICE][..])
    );
    assert_golden("src/messaging/golden/new-team.txt", &told(&change));
}

#[test]
fn a_team_needs_a_name_within_its_limit() {
    let world = World::new();
    let create = |name: String| {
        let new = NewTeam {
            name,
            ..NewTeam::default()
        };
        Chat::create_team(&world.act(ALICE), new).map(|_| ())
    };
    assert_eq!(create("é".repeat(TEAM_NAME_CHARS_MAX)), Ok(()));
    assert_eq!(
        create("é".repeat(TEAM_NAME_CHARS_MAX + 1)),
        Err(TeamError::BadName)
    );
    assert_eq!(create("  ".into()), Err(TeamError::BadName));
}

#[test]
fn renaming_and_opening_are_told_apart() {
    let world = World::new();
    let team = world.team(&[BOB]);
    let patch = TeamPatch {
        name: Some("New".into()),
        description: None,
        public: Some(true),
    };
    let (change, next) = team.patch_team(&world.act(ALICE), patch.clone()).unwrap();
    assert_eq!((next.version, next.public), (2, true));
    assert_golden(
        "src/messaging/golden/renaming-and-opening.txt",
        &told(&change),
    );
    let (again, _) = next.patch_team(&world.act(ALICE), patch).unwrap();
    assert!(again.is_empty());
}

#[test]
fn only_admins_change_a_team() {
    let world = World::new();
    let team = world.team(&[BOB]);
    let bob = world.act(BOB);
    assert_eq!(
        team.patch_team(&bob, TeamPatch::default()).map(|_| ()),
        Err(TeamError::NotAnAdmin)
    );
    assert_eq!(
        team.delete_team(&bob).map(|_| ()),
        Err(TeamError::NotAnAdmin)
    );
    assert_eq!(
        team.add_to_team(&bob, vec![CAROL]).map(|_| ()),
        Err(TeamError::NotAnAdmin)
    );
    assert_eq!(
        team.remove_from_team(&bob, vec![ALICE]).map(|_| ()),
        Err(TeamError::NotAnAdmin)
    );
    let archive = team.set_team_status(&bob, ChatStatus::Archived);
    assert_eq!(archive.map(|_| ()), Err(TeamError::NotAnAdmin));
}

#[test]
fn joining_is_told_to_who_joined_and_to_the_others() {
    let world = World::new();
    let team = world.team(&[]);
    let change = team
        .join_team(&world.act(BOB))
        .unwrap()
        .expect("Bob was not in it");
    assert_eq!(written(&change).members, [ALICE, BOB]);
    assert_golden("src/messaging/golden/joining.txt", &told(&change));
    assert!(
        written(&change)
            .join_team(&world.act(BOB))
            .unwrap()
            .is_none()
    );
}

#[test]
fn adding_and_removing_pass_over_what_is_so_already() {
    let world = World::new();
    let team = world.team(&[BOB]);
    let added = team
        .add_to_team(&world.act(ALICE), vec![CAROL, BOB])
        .unwrap();
    assert_golden("src/messaging/golden/adding.txt", &told(&added));
    let removed = written(&added)
        .remove_from_team(&world.act(ALICE), vec![BOB, PersonId(99)])
        .unwrap();
    assert_eq!(written(&removed).members, [ALICE, CAROL]);
    assert_golden("src/messaging/golden/removing.txt", &told(&removed));
    assert!(
        team.add_to_team(&world.act(ALICE), vec![BOB])
            .unwrap()
            .is_empty()
    );
    assert!(
        team.remove_from_team(&world.act(ALICE), vec![CAROL])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_team_never_loses_its_last_admin() {
    let world = World::new();
    let change = world
        .team(&[BOB, CAROL])
        .leave_team(&world.act(ALICE))
        .unwrap();
    let change = change.expect("Alice was in it");
    let team = written(&change);
    assert_eq!(
        (team.members.as_slice(), team.admins.as_slice()),
        (&[BOB, CAROL][..], &[BOB][..])
    );
}

#[test]
fn an_archived_team_is_only_reopened_or_deleted() {
    let world = World::new();
    let alice = world.act(ALICE);
    let change = world
        .team(&[])
        .set_team_status(&alice, ChatStatus::Archived)
        .unwrap()
        .unwrap();
    let team = written(&change).clone();
    assert_eq!(
        team.patch_team(&alice, TeamPatch::default()).map(|_| ()),
        Err(TeamError::Archived)
    );
    assert_eq!(
        team.join_team(&world.act(BOB)).map(|_| ()),
        Err(TeamError::Archived)
    );
    assert_eq!(
        team.leave_team(&alice).map(|_| ()),
        Err(TeamError::Archived)
    );
    let post = Post::create(&alice, &team, "x".into(), Vec::new(), None);
    assert_eq!(post.map(|_| ()), Err(PostError::Archived));
    assert!(
        team.set_team_status(&alice, ChatStatus::Archived)
            .unwrap()
            .is_none()
    );
    assert!(
        team.set_team_status(&alice, ChatStatus::Active)
            .unwrap()
            .is_some()
    );
    assert!(team.delete_team(&alice).is_ok());
}

#[test]
fn conversations_are_named_by_how_many_are_in_them() {
    let world = World::new();
    let kind = |others: &[u64]| {
        let others = others.iter().map(|id| PersonId(*id)).collect();
        members_of(ALICE, others)
            .map(|members| Chat::begin_conversation(&world.act(ALICE), members).1.kind)
    };
    assert_eq!(kind(&[]), Ok(ChatKind::Personal));
    assert_eq!(kind(&[11]), Ok(ChatKind::Personal));
    assert_eq!(kind(&[12, 11]), Ok(ChatKind::Direct));
    assert_eq!(kind(&(20..35).collect::<Vec<_>>()), Ok(ChatKind::Group));
    assert_eq!(kind(&(20..36).collect::<Vec<_>>()), Err(TooManyMembers));
}

#[test]
fn posts_are_told_to_members() {
    let world = World::new();
    let team = world.team(&[BOB]);
    let alice = world.act(ALICE);
    let (added, post) =
        Post::create(&alice, &team, "Hello, World!".into(), Vec::new(), None).unwrap();
    let (changed, post) = post
        .edit(&alice, &team, "Hello!".into(), Vec::new())
        .unwrap();
    let removed = post.delete(&alice, &team).unwrap();
    let told = [told(&added), told(&changed), told(&removed)].join("\n");
    assert_golden("src/messaging/golden/posts.txt", &told);
}

#[test]
fn texts_are_bounded() {
    let world = World::new();
    let team = world.team(&[]);
    let create =
        |text: String| Post::create(&world.act(ALICE), &team, text, Vec::new(), None).map(|_| ());
    assert_eq!(create("é".repeat(POST_TEXT_CHARS_MAX)), Ok(()));
    assert_eq!(
        create("é".repeat(POST_TEXT_CHARS_MAX + 1)),
        Err(PostError::BadText)
    );
    assert_eq!(create(" \n".into()), Err(PostError::BadText));
}

#[test]
fn a_post_is_changed_by_its_author_and_deleted_by_admins_too() {
    let world = World::new();
    let team = world.team(&[BOB, CAROL]);
    let (_, post) = Post::create(&world.act(BOB), &team, "x".into(), Vec::new(), None).unwrap();
    let edit = |person| {
        post.edit(&world.act(person), &team, "y".into(), Vec::new())
            .map(|_| ())
    };
    let delete = |person| post.delete(&world.act(person), &team).map(|_| ());
    assert_eq!(
        (edit(BOB), edit(ALICE)),
        (Ok(()), Err(PostError::NotTheAuthor))
    );
    assert_eq!((delete(BOB), delete(ALICE)), (Ok(()), Ok(())));
    assert_eq!(delete(CAROL), Err(PostError::NotTheAuthor));
    assert_eq!(delete(PersonId(99)), Err(PostError::NotAMember));
}
