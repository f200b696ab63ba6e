//! Bins: what every backend must do with them and with what they receive.

use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::kernel::limits::BIN_REQUESTS_MAX;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{CommitError, Page};
use hookyard_domain::{
    AccountId, Bin, BinAnswer, BinId, BinReply, BinRequest, BinRequestId, BinSignature, BinWrite,
    Change, Guard, Secret, Set, Subscription, SubscriptionId, SubscriptionWrite, TokenHash,
};

use crate::world::{ACCOUNT, World, on_every_backend};

fn bin(world: &World, token: &str) -> Bin {
    Bin {
        account: ACCOUNT,
        id: BinId(world.id()),
        name: "Orders".into(),
        token: Secret::new(token),
        answer: BinAnswer {
            sequence: vec![BinReply {
                status: 503,
                headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
                body: "later".into(),
                delay_ms: 20,
            }],
            ..BinAnswer::default()
        },
        created_at: world.now(),
        version: 1,
    }
}

fn put(bin: &Bin) -> BinWrite {
    BinWrite::Put(Box::new(bin.clone()))
}

fn request(world: &World, bin: &Bin) -> BinRequest {
    BinRequest {
        account: ACCOUNT,
        id: BinRequestId(world.id()),
        bin: bin.id,
        number: BinRequest::PENDING,
        turn: Some(BinRequest::PENDING),
        received_at: world.now(),
        method: "PURGE".into(),
        path: "/a%20b".into(),
        query: "c=d".into(),
        headers: vec![("authorization".into(), "Bearer secret-of-the-sender".into())],
        body: Bytes::from_static(b"\xff\x00"),
        body_bytes: 70_000,
        remote_address: "::1".into(),
        signature: BinSignature {
            verified: Some(false),
            endpoint: Some(SubscriptionId::from_random([7; 16])),
        },
    }
}

async fn receive(world: &World, bin: &Bin) -> BinRequest {
    let request = request(world, bin);
    let id = request.id;
    world
        .commit(Change::of(BinWrite::PutRequest(Arc::new(request))))
        .await;
    let found = world.store.bin_request(ACCOUNT, id).await.unwrap();
    found.unwrap()
}

async fn numbers(world: &World, bin: &Bin, page: Page) -> Vec<u64> {
    let found = world.store.bin_requests(ACCOUNT, bin.id, page, 1_000).await;
    let found = found.unwrap();
    found.iter().map(|request| request.number).collect()
}

on_every_backend! {
    /// A bin is found by its id and by its token, with its answers as they were given.
    async fn a_bin_is_read_as_it_was_written(world: World) {
        let orders = bin(&world, "orders");
        world.commit(Change::of(put(&orders))).await;
        let found = world.store.bin(ACCOUNT, orders.id).await.unwrap();
        assert_eq!(found, Some((orders.clone(), 0)));
        let found = world.store.bin_by_token(TokenHash::of("orders")).await.unwrap();
        assert_eq!(found, Some(orders.clone()));
        assert_eq!(world.store.bin_by_token(TokenHash::of("other")).await.unwrap(), None);
        let request = receive(&world, &orders).await;
        let other = AccountId(999);
        assert_eq!(world.store.bin(other, orders.id).await.unwrap(), None);
        assert_eq!(world.store.bins(other, Page::First, 9).await.unwrap(), []);
        assert_eq!(world.store.bin_request(other, request.id).await.unwrap(), None);
        let found = world.store.bin_requests(other, orders.id, Page::First, 9).await.unwrap();
        assert_eq!(found, []);
    }

    /// Bins are listed newest first, each with the number of requests that are kept of it.
    async fn bins_are_listed_with_what_they_hold(world: World) {
        let bins = ["a", "b", "c"].map(|token| bin(&world, token));
        for bin in &bins {
            world.commit(Change::of(put(bin))).await;
        }
        receive(&world, &bins[1]).await;
        let [a, b, c] = bins;
        let first = world.store.bins(ACCOUNT, Page::First, 2).await.unwrap();
        assert_eq!(first, [(c, 0), (b.clone(), 1)]);
        let rest = world.store.bins(ACCOUNT, Page::Before(b.id.0), 2).await.unwrap();
        assert_eq!(rest, [(a, 0)]);
    }

    /// An account has so many bins and no more; those that are there can still be changed.
    async fn there_are_so_many_bins_and_no_more(world: World) {
        let bins = ["a", "b", "c", "d"].map(|token| bin(&world, token));
        for bin in &bins[..3] {
            world.commit(Change::of(put(bin))).await;
        }
        let room = Guard::Room { of: Set::Bins(ACCOUNT), max: 3 };
        let fourth = Change::of(put(&bins[3])).given(room);
        let refused = world.store.commit(fourth.clone()).await;
        assert!(matches!(refused, Err(CommitError::Conflict)));
        let renamed = Bin { name: "Renamed".into(), version: 2, ..bins[0].clone() };
        world.commit(Change::of(put(&renamed))).await;
        let found = world.store.bin(ACCOUNT, renamed.id).await.unwrap();
        assert_eq!(found, Some((renamed, 0)));
        let delete = BinWrite::Delete { account: ACCOUNT, bin: bins[1].id };
        world.commit(Change::of(delete)).await;
        world.commit(fourth).await;
    }

    /// A change that relied on another version of the bin fails alone.
    async fn a_stale_version_of_a_bin_is_refused(world: World) {
        let orders = bin(&world, "orders");
        world.commit(Change::of(put(&orders))).await;
        let relying_on = |version| Change::of(put(&orders)).given(Guard::version(ACCOUNT, orders.id, version));
        world.commit(relying_on(1)).await;
        let stale = world.store.commit(relying_on(2)).await;
        assert!(matches!(stale, Err(CommitError::Conflict)));
    }

    /// Requests are numbered in the order of their commits, and listeners hear them as they are
    /// kept. Handshakes take no turn.
    async fn requests_get_numbers_and_turns(world: World) {
        let orders = bin(&world, "orders");
        world.commit(Change::of(put(&orders))).await;
        let first = receive(&world, &orders).await;
        let handshake = BinRequest { turn: None, ..request(&world, &orders) };
        let kept = BinRequest { number: 2, ..handshake.clone() };
        world.commit(Change::of(BinWrite::PutRequest(Arc::new(handshake)))).await;
        let last = receive(&world, &orders).await;
        assert_eq!((first.number, first.turn), (1, Some(1)));
        assert_eq!((last.number, last.turn), (3, Some(2)));
        let expect = request(&world, &orders);
        assert_eq!(first.headers, expect.headers);
        assert_eq!(first.body, expect.body);
        assert_eq!(first.signature, expect.signature);
        let found = world.store.bin_requests(ACCOUNT, orders.id, Page::First, 9).await.unwrap();
        assert_eq!(found, [last.clone(), kept.clone(), first.clone()]);
        let news = world.heard();
        let heard: Vec<_> = news.bin_requests().collect();
        let heard: Vec<_> = heard.iter().map(|request| BinRequest::clone(request)).collect();
        assert_eq!(heard, [first, kept, last]);
        assert_eq!(numbers(&world, &orders, Page::Before(3)).await, [2, 1]);
        assert_eq!(numbers(&world, &orders, Page::After(1)).await, [2, 3]);
    }

    /// Only the newest requests of a bin are kept; those of other bins are not touched.
    async fn the_oldest_requests_make_room(world: World) {
        let busy = bin(&world, "busy");
        let calm = bin(&world, "calm");
        world.commit(Change::of(put(&busy)).and(put(&calm))).await;
        receive(&world, &calm).await;
        let many = Change {
            writes: (0..BIN_REQUESTS_MAX + 2)
                .map(|_| BinWrite::PutRequest(Arc::new(request(&world, &busy))).into())
                .collect(),
            ..Change::default()
        };
        world.commit(many).await;
        let most = u64::from(BIN_REQUESTS_MAX);
        let kept = numbers(&world, &busy, Page::First).await;
        assert_eq!(kept, (3..=most + 2).rev().collect::<Vec<_>>());
        assert_eq!(numbers(&world, &calm, Page::First).await, [1]);
        let found = world.store.bin(ACCOUNT, busy.id).await.unwrap();
        assert_eq!(found.unwrap().1, most);
    }

    /// A bin that is emptied counts turns anew and goes on numbering; another answer counts turns
    /// anew as well, and another name does not.
    async fn turns_begin_anew(world: World) {
        let orders = bin(&world, "orders");
        world.commit(Change::of(put(&orders))).await;
        receive(&world, &orders).await;
        let renamed = Bin { name: "Renamed".into(), ..orders.clone() };
        world.commit(Change::of(put(&renamed))).await;
        assert_eq!(receive(&world, &orders).await.turn, Some(2));
        let changed = Bin { answer: BinAnswer::default(), ..renamed };
        world.commit(Change::of(put(&changed))).await;
        assert_eq!(receive(&world, &orders).await.turn, Some(1));
        world.commit(Change::of(BinWrite::Clear { account: ACCOUNT, bin: orders.id })).await;
        assert_eq!(numbers(&world, &orders, Page::First).await, [0_u64; 0]);
        let next = receive(&world, &orders).await;
        assert_eq!((next.number, next.turn), (4, Some(1)));
    }

    /// A bin goes with its requests, and takes none any more.
    async fn a_deleted_bin_is_gone_with_its_requests(world: World) {
        let orders = bin(&world, "orders");
        world.commit(Change::of(put(&orders))).await;
        let kept = receive(&world, &orders).await;
        let foreign = BinWrite::Delete { account: AccountId(999), bin: orders.id };
        world.commit(Change::of(foreign)).await;
        assert_eq!(world.heard().bins_ended().count(), 0);
        let delete = BinWrite::Delete { account: ACCOUNT, bin: orders.id };
        world.commit(Change::of(delete)).await;
        assert!(world.heard().bins_ended().eq([&orders.id]));
        assert_eq!(world.store.bin_request(ACCOUNT, kept.id).await.unwrap(), None);
        assert_eq!(world.store.bin_by_token(TokenHash::of("orders")).await.unwrap(), None);
        let late = BinWrite::PutRequest(Arc::new(request(&world, &orders)));
        let late = Change::of(late).given(Guard::exists(ACCOUNT, orders.id));
        let refused = world.store.commit(late).await;
        assert!(matches!(refused, Err(CommitError::Conflict)));
    }
}

on_every_backend! {
    /// Endpoints are found by a part of their address; other subscriptions, and those of other
    /// accounts, are not.
    async fn endpoints_are_found_by_a_part_of_their_address(world: World) {
        let at = |address| world.endpoint(address);
        let [one, two, other] = [
            at("http://localhost/bin/token"),
            at("https://example.com/bin/token/below?x"),
            at("http://localhost/bin/TOKEN"),
        ];
        let plain = Subscription { endpoint: None, ..at("http://localhost/bin/token") };
        for subscription in [&one, &two, &other, &plain] {
            let put = SubscriptionWrite::Put(Arc::new(subscription.clone()));
            world.commit(Change::of(put)).await;
        }
        let found = async |account| {
            let found = world.store.endpoints_addressing(account, "/bin/token").await.unwrap();
            found.iter().map(|endpoint| endpoint.id).collect::<Vec<_>>()
        };
        assert_eq!(found(ACCOUNT).await, [one.id, two.id]);
        assert_eq!(found(AccountId(999)).await, []);
    }
}

/// Neither the URL's secret nor the senders' credentials can be read off the disk.
#[tokio::test]
async fn secrets_of_bins_are_sealed_on_disk() {
    let world = World::on_disk().await;
    let orders = bin(&world, "token-of-the-bin");
    world.commit(Change::of(put(&orders))).await;
    receive(&world, &orders).await;
    world.store.close().await;
    let bytes = std::fs::read(world.path()).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(holds("Orders"), "the file is where bins are kept");
    assert!(!holds("token-of-the-bin"));
    assert!(!holds("secret-of-the-sender"));
}
