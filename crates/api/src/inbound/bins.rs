//! Bins: scratch URLs that show what they receive. Administrators make them, and look.

mod intake;
mod proposal;
mod signature;
mod view;

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::inbound::bin::BinError;
use hookyard_domain::kernel::limits::{BIN_CATCH_UP_MAX, BINS_MAX};
use hookyard_domain::kernel::ports::{CommitError, Page};
use hookyard_domain::{Bin, BinAnswer, BinId, BinRequest, Code, Problem};
use http::HeaderMap;

use self::proposal::AskedBin;
use self::view::{BinView, RequestView, frame};
use crate::Api;
use crate::events::stream::{EventStream, Framed, Listeners, Resume, last_event_id};
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{LimitQuery, ListQuery, Listing};
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::query::Query;
use crate::operations::answers::{Answer, Created, Events, NoContent};

pub(crate) use self::intake::operations as public_operations;

crate::operations! {
    tag Bins, under ROOT, as Administrator(SubscriptionWebhook);

    /// Bins, newest first.
    list_bins: GET "/api/v1/bins";
    /// Makes a bin.
    create_bin: POST "/api/v1/bins", fails [LimitReached];
    /// One bin, and how many requests are kept of it.
    read_bin: GET "/api/v1/bins/{binId}";
    /// Changes a bin.
    ///
    /// What is given replaces what was there, member by member.
    update_bin: PATCH "/api/v1/bins/{binId}", fails [Conflict];
    /// Deletes a bin: its URL leads nowhere from then on.
    delete_bin: DELETE "/api/v1/bins/{binId}", fails [Conflict];
    /// Requests to a bin, newest first.
    list_requests: GET "/api/v1/bins/{binId}/requests" named list_bin_requests;
    /// Forgets the requests to a bin.
    clear_bin: DELETE "/api/v1/bins/{binId}/requests", fails [Conflict];
    /// Requests to a bin as they come.
    ///
    /// `ready`, then a `request` for each; `reset` when the page must read anew. Ids are the
    /// requests' numbers.
    stream_requests: GET "/api/v1/bins/{binId}/stream" named stream_bin_requests,
        fails [RequestRateExceeded];
}

impl From<BinError> for ApiError {
    fn from(error: BinError) -> Self {
        because(
            Problem::invalid(error.place),
            &format!("must be {}", error.rule),
        )
        .into()
    }
}

impl Api {
    /// The bin that the path names, with how many requests are kept of it.
    async fn named_bin(&self, caller: &Caller, path: &PathParams) -> ApiResult<(Bin, u64)> {
        let bin = self.store.bin(caller.account, path.id("binId")?).await?;
        bin.ok_or_else(|| Problem::not_found("binId").into())
    }

    fn bin_view(&self, bin: Bin, requests: u64) -> BinView {
        BinView::new(bin, requests, &self.settings.public_url)
    }
}

/// `GET /api/v1/bins?limit=&pageToken=`
async fn list_bins(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<LimitQuery>,
) -> ApiResult<Answer<Listing<BinView>>> {
    let asked = query.page(&api, &caller)?;
    let bins = api.store.bins(caller.account, asked.page, asked.rows());
    let listing = asked.listing(bins.await?, |(bin, _)| bin.id.0);
    let views = listing.map(|(bin, requests)| api.bin_view(bin, requests));
    Ok(Answer::of(&views))
}

/// `POST /api/v1/bins`
async fn create_bin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(asked): Json<AskedBin>,
) -> ApiResult<Created<BinView>> {
    let name = Bin::read_name(asked.name.as_deref().unwrap_or_default())?;
    let answer = match asked.answer {
        Some(asked) => asked.onto(BinAnswer::default())?,
        None => BinAnswer::default(),
    };
    let now = api.now();
    let bin = Bin {
        account: caller.account,
        id: BinId(api.next_id(now)),
        name,
        token: token_from(api.random()),
        answer,
        created_at: now,
        version: 1,
    };
    let change = bin.clone().create()?;
    match api.commit(change).await {
        Ok(()) => Ok(Created::of(&api.bin_view(bin, 0))),
        Err(CommitError::Conflict) => Err(Problem::of(Code::LimitReached)
            .with("limit", BINS_MAX.to_string())
            .with("resource", "bins")
            .into()),
        Err(error) => Err(error.into()),
    }
}

/// `GET /api/v1/bins/{binId}`
async fn read_bin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<BinView>> {
    let (bin, requests) = api.named_bin(&caller, &path).await?;
    Ok(Answer::of(&api.bin_view(bin, requests)))
}

/// `PATCH /api/v1/bins/{binId}`: what is given replaces what was there, member by member.
async fn update_bin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(asked): Json<AskedBin>,
) -> ApiResult<Answer<BinView>> {
    let view = api.commit_deciding(|| async {
        let (bin, requests) = api.named_bin(&caller, &path).await?;
        let name = match &asked.name {
            Some(name) => Bin::read_name(name)?,
            None => bin.name.clone(),
        };
        let answer = match &asked.answer {
            Some(asked) => asked.clone().onto(bin.answer.clone())?,
            None => bin.answer.clone(),
        };
        let (change, bin) = bin.update(name, answer)?;
        Ok((change, api.bin_view(bin, requests)))
    });
    Ok(Answer::of(&view.await?))
}

/// `DELETE /api/v1/bins/{binId}`: its URL leads nowhere from then on.
async fn delete_bin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let (bin, _) = api.named_bin(&caller, &path).await?;
    api.commit(bin.delete()).await?;
    Ok(NoContent)
}

/// `GET /api/v1/bins/{binId}/requests?limit=&pageToken=`
async fn list_requests(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: ListQuery<LimitQuery>,
) -> ApiResult<Answer<Listing<RequestView>>> {
    let (bin, _) = api.named_bin(&caller, &path).await?;
    let asked = query.page(&api, &caller)?;
    let rows = api
        .store
        .bin_requests(bin.account, bin.id, asked.page, asked.rows());
    let listing = asked.listing(rows.await?, |request| request.number);
    Ok(Answer::of(&listing.map(RequestView::from)))
}

/// `DELETE /api/v1/bins/{binId}/requests`
async fn clear_bin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let (bin, _) = api.named_bin(&caller, &path).await?;
    api.commit(bin.clear()).await?;
    Ok(NoContent)
}

/// `GET /api/v1/bins/{binId}/stream?lastEventId=`: `ready`, then a `request` for each; `reset` when
/// the page must read anew. Ids are the requests' numbers.
async fn stream_requests(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<Resume>,
    headers: HeaderMap,
) -> ApiResult<Events<RequestView>> {
    // Listening begins before looking: a bin that is deleted after it ends the stream, and what
    // comes between listening and catching up is left out of one of the two by its number.
    let feed = api
        .live
        .listen_to_bin(path.id("binId")?)
        .ok_or(Code::RequestRateExceeded)?;
    let (bin, _) = api.named_bin(&caller, &path).await?;
    let last = last_event_id(&headers, query.first("lastEventId"));
    let (first, seen) = catch_up(&api, &bin, last).await?;
    let stream = EventStream {
        api,
        caller,
        feed,
        seen,
        listeners: Listeners::Administrators,
    };
    Ok(Events::of(stream.answer(first)))
}

/// The first frames, and the newest number that they cover.
async fn catch_up(api: &Api, bin: &Bin, last: Option<u64>) -> ApiResult<(Bytes, u64)> {
    let Some(last) = last else {
        let newest = newest_number(api, bin).await?;
        // A page that just opened is about to read everything.
        return Ok((begin("ready", newest), 0));
    };
    let missed =
        api.store
            .bin_requests(bin.account, bin.id, Page::After(last), BIN_CATCH_UP_MAX + 1);
    let missed = missed.await?;
    let newest = missed.last().map_or(last, |request| request.number);
    // A gap means that requests came and were forgotten again.
    let gap = missed.first().is_some_and(|next| next.number > last + 1);
    if gap || missed.len() > BIN_CATCH_UP_MAX as usize {
        let newest = newest_number(api, bin).await?;
        return Ok((begin("reset", newest), 0));
    }
    let mut frames = Vec::from(&begin("ready", last)[..]);
    for request in missed {
        frames.extend_from_slice(&frame(request));
    }
    Ok((frames.into(), newest))
}

async fn newest_number(api: &Api, bin: &Bin) -> ApiResult<u64> {
    let newest = api.store.bin_requests(bin.account, bin.id, Page::First, 1);
    Ok(newest.await?.first().map_or(0, |request| request.number))
}

fn begin(event: &str, number: u64) -> Bytes {
    Bytes::from(format!("id: {number}\nevent: {event}\ndata: {{}}\n\n"))
}

impl Framed for Arc<BinRequest> {
    fn number(&self) -> u64 {
        self.number
    }

    fn frame(&self) -> Bytes {
        frame((**self).clone())
    }
}
