//! What every backend of the `Store` port must do. Each claim runs on every backend.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{ChatQuery, CommitError, Page};
use hookyard_domain::{
    AbandonReason, AccountId, AttemptOutcome, Change, ChatKind, ChatWrite, ClientId, CustomType,
    DeliveryState, DeliveryWrite, EventId, Guard, PersonId, PersonWrite, PostWrite, RequestWrite,
    Secret, SessionWrite, SignInCodeWrite, SubscriptionStatus, SubscriptionWrite, TokenHash,
    TokenKind, TypeName, TypeVersion, UnreachableReason, WebhookWrite,
};

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend};

on_every_backend! {
    /// An acknowledged change is there for the next read.
    async fn what_is_acknowledged_is_read(world: World) {
        let team = world.team(&[ALICE, BOB]);
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        assert_eq!(world.store.chat(ACCOUNT, team.id).await.unwrap().as_deref(), Some(&team));
        let post = world.post(&team, "hello");
        world.commit(Change::of(PostWrite::Put(post.clone()))).await;
        assert_eq!(world.store.post(ACCOUNT, team.id, post.id).await.unwrap(), Some(post));
    }

    /// A type is looked up for every event that is published: it is read as it is, not as it was.
    async fn a_type_is_read_as_it_was_acknowledged_last(world: World) {
        let name = TypeName::parse("invoice.paid").unwrap();
        let read = async |account| world.store.custom_type(account, &name).await.unwrap();
        assert_eq!(read(ACCOUNT).await, None);
        let version = |example| TypeVersion::read(None, Some(example), world.now()).unwrap();
        let first = CustomType::new(ACCOUNT, name.clone(), String::new(), version("1")).unwrap();
        world.commit(first.clone().register()).await;
        assert_eq!(read(ACCOUNT).await.as_deref(), Some(&first));
        assert_eq!(read(AccountId(999)).await, None);
        let (change, second) = first.add_version(version("2")).unwrap();
        world.commit(change).await;
        assert_eq!(read(ACCOUNT).await.as_deref(), Some(&second));
        assert_eq!(read(ACCOUNT).await.as_deref(), Some(&second), "also when it is read again");
        world.commit(second.delete()).await;
        assert_eq!(read(ACCOUNT).await, None);
    }

    /// An object of another account does not exist.
    async fn another_account_sees_nothing(world: World) {
        let other = AccountId(999);
        let team = world.team(&[ALICE]);
        let post = world.post(&team, "private");
        let webhook = world.webhook(&team, "token");
        let request = world.request(&webhook, Some(post.id));
        let subscription = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let event = world.post_event(&post);
        world
            .commit(
                Change::of(ChatWrite::Put(team.clone()))
                    .and(WebhookWrite::Put(webhook.clone()))
                    .and(SubscriptionWrite::Put(Arc::new(subscription.clone())))
                    .and(PostWrite::Put(post.clone()))
                    .and(RequestWrite::Put(Box::new(request.clone())))
                    .announcing(event.clone()),
            )
            .await;
        let store = &world.store;
        let delivery = store.deliveries(ACCOUNT, None, Page::First, 9).await.unwrap().remove(0);
        assert!(store.chat(other, team.id).await.unwrap().is_none());
        assert!(store.chat(ACCOUNT, team.id).await.unwrap().is_some());
        assert!(store.chat(other, team.id).await.unwrap().is_none(), "also from the cache");
        assert!(store.post(other, team.id, post.id).await.unwrap().is_none());
        assert!(store.posts(other, team.id, Page::First, 9).await.unwrap().is_empty());
        assert!(store.webhook(other, webhook.id).await.unwrap().is_none());
        assert!(store.webhooks(other, None).await.unwrap().is_empty());
        assert!(store.request(other, request.id).await.unwrap().is_none());
        assert!(store.requests(other, None, Page::First, 9).await.unwrap().is_empty());
        assert!(store.requests(other, Some(webhook.id), Page::First, 9).await.unwrap().is_empty());
        let event = world.heard().events().next().unwrap().event.clone();
        assert!(store.event(ACCOUNT, event.id).await.unwrap().is_some());
        assert!(store.event(other, event.id).await.unwrap().is_none());
        assert!(store.events_after(other, EventId(0), 9).await.unwrap().is_empty());
        assert!(store.subscription(other, subscription.id).await.unwrap().is_none());
        assert!(store.delivery(other, delivery.id).await.unwrap().is_none());
        assert!(store.deliveries(other, Some(subscription.id), Page::First, 9).await.unwrap().is_empty());
        assert!(store.deliveries_of_event(other, event.id).await.unwrap().is_empty());
        assert!(store.attempts(other, delivery.id).await.unwrap().is_empty());
        assert!(store.person(other, ALICE).await.unwrap().is_none());
    }

    /// A change whose guard no longer holds leaves no trace.
    async fn a_change_with_a_stale_guard_fails_alone(world: World) {
        let mut team = world.team(&[ALICE]);
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        let stale = Guard::version(ACCOUNT, team.id, team.version);
        team.version += 1;
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        let post = world.post(&team, "too late");
        let change = Change::of(PostWrite::Put(post.clone())).announcing(world.post_event(&post)).given(stale);
        assert!(matches!(world.store.commit(change).await, Err(CommitError::Conflict)));
        assert_eq!(world.store.post(ACCOUNT, team.id, post.id).await.unwrap(), None);
        assert!(world.store.events_after(ACCOUNT, EventId(0), 9).await.unwrap().is_empty());
        assert!(world.heard().is_empty());
    }

    /// A change that breaks in the middle is undone whole, and the index of subscriptions with it.
    async fn a_change_that_breaks_leaves_no_trace(world: World) {
        let team = world.team(&[ALICE]);
        let webhook = world.webhook(&team, "token");
        world.commit(Change::of(ChatWrite::Put(team.clone())).and(WebhookWrite::Put(webhook))).await;
        let subscription = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let same_token = world.webhook(&team, "token");
        let change = Change::of(SubscriptionWrite::Put(Arc::new(subscription.clone())))
            .and(WebhookWrite::Put(same_token));
        assert!(world.store.commit(change).await.is_err());
        assert!(world.store.subscription(ACCOUNT, subscription.id).await.unwrap().is_none());
        let post = world.post(&team, "nobody subscribed");
        world.commit(Change::of(PostWrite::Put(post.clone())).announcing(world.post_event(&post))).await;
        assert!(world.store.deliveries(ACCOUNT, None, Page::First, 9).await.unwrap().is_empty());
    }

    /// An event reaches the live subscriptions of its audience, once each, and nobody else.
    async fn an_event_meets_the_subscriptions_of_its_audience(world: World) {
        let team = world.team(&[ALICE, BOB]);
        let both = ["/restapi/v1.0/glip/posts", "/team-messaging/v1/posts"];
        let alice = world.subscription(ALICE, &both);
        let outsider = world.subscription(PersonId(77), &both);
        let other_kind = world.subscription(BOB, &["/restapi/v1.0/glip/groups"]);
        let mut paused = world.subscription(BOB, &both);
        paused.status = SubscriptionStatus::Suspended;
        let mut expired = world.subscription(BOB, &both);
        expired.expires_at = hookyard_domain::Timestamp::from_millis(0);
        let mut change = Change::of(ChatWrite::Put(team.clone()));
        for subscription in [&alice, &outsider, &other_kind, &paused, &expired] {
            change = change.and(SubscriptionWrite::Put(Arc::new(subscription.clone())));
        }
        world.commit(change).await;
        let post = world.post(&team, "hello");
        let event = world.post_event(&post);
        world.commit(Change::of(PostWrite::Put(post)).announcing(event)).await;

        let event = world.heard().events().last().unwrap().event.clone();
        let deliveries = world.store.deliveries_of_event(ACCOUNT, event.id).await.unwrap();
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0].subscription, alice.id);
        assert_eq!(deliveries[0].filter, both[0], "the first filter that matches");
        let heard = world.heard();
        assert_eq!(heard.deliveries().count(), 1);
        assert_eq!(heard.deliveries().next().unwrap().delivery, deliveries[0]);
        assert_eq!(&*heard.events().next().unwrap().recipients, &[ALICE, BOB]);
        assert_eq!(world.store.event(ACCOUNT, event.id).await.unwrap().as_ref(), Some(&*event));
    }

    /// Who publishes learns which events came of it; others learn only that it is done.
    async fn a_commit_tells_the_numbers_of_its_own_events(world: World) {
        let team = world.team(&[ALICE]);
        let alice = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let silent = Change::of(ChatWrite::Put(team.clone()))
            .and(SubscriptionWrite::Put(Arc::new(alice)));
        assert_eq!(world.store.commit_numbering(silent).await.unwrap(), []);
        assert_eq!(world.store.commit_numbering(Change::default()).await.unwrap(), []);
        let posts = [world.post(&team, "one"), world.post(&team, "two")];
        let change = posts.iter().fold(Change::default(), |change, post| {
            change.and(PostWrite::Put(post.clone())).announcing(world.post_event(post))
        });
        let ids = world.store.commit_numbering(change).await.unwrap();
        assert_eq!(ids.len(), 2);
        for (id, post) in ids.iter().zip(&posts) {
            let event = world.store.event(ACCOUNT, *id).await.unwrap().unwrap();
            assert_eq!(event.post, Some(post.id));
        }
    }

    /// Who leaves a chat no longer gets its events; who joins does.
    async fn membership_decides_at_the_moment_of_the_event(world: World) {
        let mut team = world.team(&[ALICE]);
        let alice = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let bob = world.subscription(BOB, &["/restapi/v1.0/glip/posts"]);
        world
            .commit(
                Change::of(ChatWrite::Put(team.clone()))
                    .and(SubscriptionWrite::Put(Arc::new(alice)))
                    .and(SubscriptionWrite::Put(Arc::new(bob.clone()))),
            )
            .await;
        let first = world.post(&team, "for alice");
        world.commit(Change::of(PostWrite::Put(first.clone())).announcing(world.post_event(&first))).await;
        team.members = vec![BOB];
        team.admins = vec![];
        team.version += 1;
        let second = world.post(&team, "for bob");
        let change = Change::of(ChatWrite::Put(team)).and(PostWrite::Put(second.clone()));
        let event = world.post_event(&second);
        world.commit(change.announcing(event)).await;
        let event = world.heard().events().last().unwrap().event.clone();
        let deliveries = world.store.deliveries_of_event(ACCOUNT, event.id).await.unwrap();
        assert_eq!(deliveries.iter().map(|delivery| delivery.subscription).collect::<Vec<_>>(), [bob.id]);
    }

    /// Ending a subscription gives its waiting deliveries up, and tells the listeners.
    async fn a_deleted_subscription_has_no_work_left(world: World) {
        let (subscription, delivery) = world.waiting_delivery().await;
        let at = world.now();
        world.commit(Change::of(SubscriptionWrite::Delete { account: ACCOUNT, subscription, at })).await;
        let found = world.store.delivery(ACCOUNT, delivery.id).await.unwrap().unwrap();
        assert_eq!(found.state, DeliveryState::Abandoned { at, reason: AbandonReason::SubscriptionEnded });
        assert!(world.heard().subscriptions_ended().eq([&subscription]));
        assert!(world.store.subscriptions_with_work().await.unwrap().is_empty());
    }

    /// Attempts are appended and move their delivery on; nothing leaves `Delivered`.
    async fn nothing_leaves_delivered(world: World) {
        let (subscription, delivery) = world.waiting_delivery().await;
        let now = world.now();
        let due_at = now + Duration::from_secs(5);
        let refused = AttemptOutcome::Refused { status: 503, retry_after: Some(Duration::from_secs(2)) };
        let broken = AttemptOutcome::Unreachable { reason: UnreachableReason::TimedOut };
        let accepted = AttemptOutcome::Accepted { status: 204 };
        let tries = [
            world.attempt(&delivery, 1, refused),
            world.attempt(&delivery, 2, broken),
            world.attempt(&delivery, 3, accepted),
        ];
        let states = [
            DeliveryState::Waiting { due_at },
            DeliveryState::Waiting { due_at },
            DeliveryState::Delivered { at: now },
        ];
        for (attempt, state) in tries.iter().zip(states) {
            world.commit(Change::of(DeliveryWrite::RecordAttempt { attempt: attempt.clone(), state })).await;
        }
        let late = world.attempt(&delivery, 4, broken);
        let state = DeliveryState::Waiting { due_at };
        world.commit(Change::of(DeliveryWrite::RecordAttempt { attempt: late, state })).await;
        let found = world.store.delivery(ACCOUNT, delivery.id).await.unwrap().unwrap();
        assert_eq!(found.state, DeliveryState::Delivered { at: now });
        assert_eq!(found.attempts, 3);
        let kept = world.store.attempts(ACCOUNT, delivery.id).await.unwrap();
        assert_eq!(kept[..3], tries);
        assert!(world.store.waiting_deliveries(subscription, None, 9).await.unwrap().is_empty());
    }

    /// The queue of a subscription is read in the order of due time and id, page by page.
    async fn waiting_deliveries_are_read_in_order(world: World) {
        let (subscription, first) = world.waiting_delivery().await;
        let second = world.another_delivery().await;
        let third = world.another_delivery().await;
        let later = DeliveryState::Waiting { due_at: world.now() + Duration::from_secs(60) };
        let failed = AttemptOutcome::Refused { status: 500, retry_after: None };
        let attempt = world.attempt(&first, 1, failed);
        world.commit(Change::of(DeliveryWrite::RecordAttempt { attempt, state: later })).await;
        let page = world.store.waiting_deliveries(subscription, None, 2).await.unwrap();
        let ids: Vec<_> = page.iter().map(|waiting| waiting.delivery.id).collect();
        assert_eq!(ids, [second.id, third.id]);
        let DeliveryState::Waiting { due_at } = page[1].delivery.state else { panic!("it waits") };
        let rest = world.store.waiting_deliveries(subscription, Some((due_at, third.id)), 2).await.unwrap();
        assert_eq!(rest.iter().map(|waiting| waiting.delivery.id).collect::<Vec<_>>(), [first.id]);
        assert_eq!(rest[0].delivery.attempts, 1);
        assert_eq!(world.store.subscriptions_with_work().await.unwrap().len(), 1);
    }

    /// A person and app have no more subscriptions than they may.
    async fn one_subscription_too_many_is_a_conflict(world: World) {
        let world = world.with_app().await;
        let first = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let second = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        world.commit(first.create(1)).await;
        world.commit(first.put()).await;
        assert!(matches!(world.store.commit(second.create(1)).await, Err(CommitError::Conflict)));
        world.commit(second.create(2)).await;
    }

    /// What has expired, and what others have, is not counted.
    async fn live_subscriptions_of_a_person_and_app_are_counted(world: World) {
        let first = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let mut other_app = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        other_app.client_id = ClientId("other-app".into());
        let others = world.subscription(BOB, &["/restapi/v1.0/glip/posts"]);
        for subscription in [&first, &other_app, &others] {
            let subscription = subscription.clone();
            world.commit(Change::of(SubscriptionWrite::Put(Arc::new(subscription)))).await;
        }
        let count = async |now| {
            let counted =
                world.store.subscription_count(ACCOUNT, ALICE, &first.client_id, now).await;
            counted.unwrap()
        };
        assert_eq!(count(first.created_at).await, 1);
        assert_eq!(count(first.expires_at).await, 0);
    }

    /// There is one conversation of the same people.
    async fn a_second_conversation_of_the_same_people_is_a_conflict(world: World) {
        let mut direct = world.team(&[ALICE, BOB]);
        direct.kind = ChatKind::Direct;
        let mut again = world.team(&[ALICE, BOB]);
        again.kind = ChatKind::Direct;
        world.commit(Change::of(ChatWrite::Put(direct.clone()))).await;
        let refused = world.store.commit(Change::of(ChatWrite::Put(again))).await;
        assert!(matches!(refused, Err(CommitError::Conflict)));
        assert_eq!(world.store.conversation(ACCOUNT, &[ALICE, BOB]).await.unwrap(), Some(direct));
    }

    /// A webhook is found by its token, also after it changed, and no longer after it is gone.
    async fn a_webhook_is_found_by_its_token_until_it_is_gone(world: World) {
        let mut team = world.team(&[ALICE]);
        let mut webhook = world.webhook(&team, "secret-token");
        let hash = TokenHash::of("secret-token");
        world.commit(Change::of(ChatWrite::Put(team.clone())).and(WebhookWrite::Put(webhook.clone()))).await;
        let target = world.store.webhook_by_token(hash).await.unwrap().unwrap();
        assert_eq!(target.webhook, webhook);
        assert_eq!(*target.chat, team);
        assert_eq!(target.author, crate::world::INTEGRATION);
        webhook.status = hookyard_domain::WebhookStatus::Suspended;
        webhook.version += 1;
        team.members = vec![ALICE, BOB];
        world.commit(Change::of(WebhookWrite::Put(webhook.clone())).and(ChatWrite::Put(team.clone()))).await;
        let target = world.store.webhook_by_token(hash).await.unwrap().unwrap();
        assert_eq!((&target.webhook, &*target.chat), (&webhook, &team));
        world.commit(Change::of(WebhookWrite::Delete { account: ACCOUNT, webhook: webhook.id })).await;
        assert!(world.store.webhook_by_token(hash).await.unwrap().is_none());
    }

    /// A deleted chat takes its posts, members and webhooks with it.
    async fn a_deleted_chat_is_gone_with_all_that_was_in_it(world: World) {
        let team = world.team(&[ALICE]);
        let post = world.post(&team, "hello");
        let webhook = world.webhook(&team, "token");
        let change = Change::of(ChatWrite::Put(team.clone()))
            .and(WebhookWrite::Put(webhook.clone()))
            .and(PostWrite::Put(post.clone()));
        world.commit(change).await;
        assert!(world.store.webhook_by_token(TokenHash::of("token")).await.unwrap().is_some());
        world.commit(Change::of(ChatWrite::Delete { account: ACCOUNT, chat: team.id })).await;
        assert!(world.store.chat(ACCOUNT, team.id).await.unwrap().is_none());
        assert!(world.store.post(ACCOUNT, team.id, post.id).await.unwrap().is_none());
        assert!(world.store.webhook(ACCOUNT, webhook.id).await.unwrap().is_none());
        assert!(world.store.webhook_by_token(TokenHash::of("token")).await.unwrap().is_none());
    }

    /// Tokens end with their session; a token that is used is seen as used.
    async fn tokens_live_as_long_as_their_session(world: World) {
        let session = world.session();
        let mut token = world.token(&session, "access", TokenKind::Access);
        let hash = token.hash;
        world.commit(Change::of(SessionWrite::Put(session.clone())).and(SessionWrite::PutToken(token.clone()))).await;
        assert_eq!(world.store.token(hash).await.unwrap().unwrap().1, token);
        token.used_at = Some(world.now());
        world.commit(Change::of(SessionWrite::PutToken(token.clone()))).await;
        assert_eq!(*world.store.token(hash).await.unwrap().unwrap(), (session.clone(), token.clone()));
        let found = world.store.token_of_generation(ACCOUNT, session.id, TokenKind::Access, 1).await;
        assert_eq!(found.unwrap(), Some(token));
        let end = SessionWrite::End { account: ACCOUNT, session: session.id };
        world.commit(Change::of(end)).await;
        assert!(world.store.token(hash).await.unwrap().is_none());
        let client = ClientId("app".into());
        assert!(world.store.sessions(ACCOUNT, ALICE, &client).await.unwrap().is_empty());
    }

    /// A sign-in code lets in once.
    async fn a_sign_in_code_works_once(world: World) {
        let hash = TokenHash::of("code");
        let expires_at = world.now() + Duration::from_secs(60);
        let put = SignInCodeWrite::Put { account: ACCOUNT, person: ALICE, hash, expires_at };
        world.commit(Change::of(put)).await;
        let found = world.store.sign_in_code(hash, world.now()).await.unwrap();
        assert_eq!(found, Some((ACCOUNT, ALICE)));
        assert_eq!(world.store.sign_in_code(hash, expires_at).await.unwrap(), None);
        let take = || Change::of(SignInCodeWrite::Take { account: ACCOUNT, hash });
        world.commit(take()).await;
        assert!(matches!(world.store.commit(take()).await, Err(CommitError::Conflict)));
    }

    /// People are found by e-mail, whatever its case, and by extension number.
    async fn a_password_is_found_by_either_name(world: World) {
        let hash = Secret::new("$argon2id$…");
        world.commit(Change::of(PersonWrite::PutPassword { account: ACCOUNT, person: ALICE, hash: hash.clone() })).await;
        for name in ["ALICE@example.com", "101"] {
            let (person, found) = world.store.password_of(name).await.unwrap().unwrap();
            assert_eq!((person.id, &found), (ALICE, &hash));
        }
        assert!(world.store.password_of("nobody").await.unwrap().is_none());
    }

    /// Pages of posts follow one another in both directions.
    async fn posts_are_paged_in_both_directions(world: World) {
        let team = world.team(&[ALICE]);
        let posts: Vec<_> = (0..5).map(|n| world.post(&team, &format!("post {n}"))).collect();
        let puts = posts.iter().cloned().map(PostWrite::Put);
        world.commit(puts.fold(Change::of(ChatWrite::Put(team.clone())), Change::and)).await;
        let ids = |posts: Vec<hookyard_domain::Post>| posts.iter().map(|post| post.id).collect::<Vec<_>>();
        let read = |page| world.store.posts(ACCOUNT, team.id, page, 2);
        assert_eq!(ids(read(Page::First).await.unwrap()), [posts[4].id, posts[3].id]);
        assert_eq!(ids(read(Page::Before(posts[3].id.0)).await.unwrap()), [posts[2].id, posts[1].id]);
        assert_eq!(ids(read(Page::After(posts[0].id.0)).await.unwrap()), [posts[1].id, posts[2].id]);
    }

    /// Chats are listed to their members, and public teams to anyone who asks for joinable ones.
    async fn chats_are_listed_to_whom_they_concern(world: World) {
        let ours = world.team(&[ALICE]);
        let theirs = world.team(&[BOB]);
        let mut public = world.team(&[BOB]);
        public.public = true;
        let mut everyone = world.team(&[ALICE, BOB]);
        everyone.kind = ChatKind::Everyone;
        let change = [&ours, &theirs, &public, &everyone]
            .into_iter()
            .fold(Change::default(), |change, chat| change.and(ChatWrite::Put(chat.clone())));
        world.commit(change).await;
        let query = |kinds: &[ChatKind], joinable, page| ChatQuery {
            account: ACCOUNT,
            person: ALICE,
            kinds: kinds.to_vec(),
            joinable,
            page,
            limit: 9,
        };
        let list = async |query| world.store.chats(query).await.unwrap();
        assert_eq!(list(query(&[], false, Page::First)).await, [ours.clone(), everyone.clone()]);
        assert_eq!(list(query(&[ChatKind::Team], true, Page::First)).await, [ours.clone(), public]);
        assert_eq!(list(query(&[], false, Page::After(ours.id.0))).await, [everyone.clone()]);
        assert_eq!(list(query(&[], false, Page::Before(everyone.id.0))).await, std::slice::from_ref(&ours));
        let post = world.post(&ours, "latest");
        world.commit(Change::of(PostWrite::Put(post))).await;
        let recent = world.store.recent_chats(ACCOUNT, ALICE, &[], 9).await.unwrap();
        let recent: Vec<_> = recent.into_iter().map(|(chat, _)| chat.id).collect();
        assert_eq!(recent, [ours.id, everyone.id]);
        assert_eq!(world.store.everyone_chat(ACCOUNT).await.unwrap(), Some(everyone));
    }

    /// A request comes back as it was kept.
    async fn requests_are_kept_whole(world: World) {
        let team = world.team(&[ALICE]);
        let webhook = world.webhook(&team, "token");
        let good = world.request(&webhook, None);
        let mut bad = world.request(&webhook, None);
        bad.findings = vec![hookyard_domain::Finding { pointer: "/text".into(), warning: "cut".into() }];
        let change = Change::of(ChatWrite::Put(team)).and(WebhookWrite::Put(webhook.clone()));
        let put = |request: &hookyard_domain::HookRequest| RequestWrite::Put(Box::new(request.clone()));
        world.commit(change.and(put(&good)).and(put(&bad))).await;
        let all = world.store.requests(ACCOUNT, None, Page::First, 9).await.unwrap();
        assert_eq!(all, [bad.clone(), good.clone()]);
        let older = world.store.requests(ACCOUNT, Some(webhook.id), Page::Before(bad.id.0), 9).await;
        assert_eq!(older.unwrap(), [good]);
    }

    /// Many callers at once are all served, each with its own result.
    async fn many_callers_are_committed_together(world: World) {
        let team = world.team(&[ALICE]);
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        let world = Arc::new(world);
        let callers: Vec<_> = (0..64)
            .map(|n| {
                let (world, team) = (Arc::clone(&world), team.clone());
                tokio::spawn(async move {
                    let post = world.post(&team, &format!("post {n}"));
                    let stale = Guard::version(ACCOUNT, team.id, 99);
                    let change = Change::of(PostWrite::Put(post));
                    let change = if n % 4 == 0 { change.given(stale) } else { change };
                    world.store.commit(change).await.is_ok()
                })
            })
            .collect();
        let mut committed = 0;
        for caller in callers {
            committed += usize::from(caller.await.unwrap());
        }
        assert_eq!(committed, 48);
        assert_eq!(world.store.posts(ACCOUNT, team.id, Page::First, 99).await.unwrap().len(), 48);
    }
}
