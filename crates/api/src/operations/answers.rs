//! What handlers answer: each type makes the response, and says what it looks like.

use std::marker::PhantomData;

use axum::response::{IntoResponse, Response};
use hookyard_domain::identity::person::PersonView;
use hookyard_domain::inbound::webhook::WebhookView;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::messaging::post::PostView;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use crate::kernel::batch::{self, Part};
use crate::kernel::problem::{ApiError, empty_object, json_with};
use crate::operations::inputs::Input;
use crate::operations::shapes::{ChatShape, PersonShape, PostShape, WebhookShape};
use crate::operations::sketch::Sketch;

/// What a handler's answer looks like.
pub trait Outcome {
    /// Says what may be answered.
    fn sketch(sketch: &mut Sketch);
}

/// A handler whose arguments and answer say what they are.
pub trait Answering<I, O> {}

macro_rules! answering {
    ($($name:ident)*) => {
        impl<F, Fut, $($name: Input),*> Answering<($($name,)*), Fut::Output> for F
        where
            F: FnOnce($($name),*) -> Fut,
            Fut: Future,
            Fut::Output: Outcome,
        {
        }
    };
}
answering!();
answering!(A);
answering!(A B);
answering!(A B C);
answering!(A B C D);
answering!(A B C D E);
answering!(A B C D E G);
answering!(A B C D E G H);

/// How a handler may refuse: what its problems look like.
pub(crate) trait Refusal {
    fn sketch(sketch: &mut Sketch);
}

impl Refusal for ApiError {
    fn sketch(_: &mut Sketch) {}
}

impl<T: Outcome, E: Refusal> Outcome for Result<T, E> {
    fn sketch(sketch: &mut Sketch) {
        T::sketch(sketch);
        E::sketch(sketch);
    }
}

/// A view, and the type whose schema describes it: itself, but for views that borrow or that the
/// domain has.
pub(crate) trait Shown: Serialize {
    type As: JsonSchema;
}

/// Says that views are described by themselves, or by another type.
macro_rules! shown {
    ($($view:ty $(as $shape:ty)?),* $(,)?) => { $(
        impl $crate::operations::answers::Shown for $view {
            type As = $crate::operations::answers::shown!(@shape $view $(, $shape)?);
        }
    )* };
    (@shape $view:ty) => { $view };
    (@shape $view:ty, $shape:ty) => { $shape };
}
pub(crate) use shown;

/// Declares answers that are a view with a status.
macro_rules! views_with_status {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $about:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<S>(Response, PhantomData<fn() -> S>);

        impl<S> $name<S> {
            /// Tells `view`.
            pub(crate) fn of<V: Shown<As = S>>(view: &V) -> Self {
                Self(json_with(StatusCode::$status, view), PhantomData)
            }
        }

        impl<S> IntoResponse for $name<S> {
            fn into_response(self) -> Response {
                self.0
            }
        }

        impl<S: JsonSchema> Outcome for $name<S> {
            fn sketch(sketch: &mut Sketch) {
                sketch.json::<S>(StatusCode::$status, $about);
            }
        }
    )* };
}

views_with_status! {
    /// What was asked for.
    Answer = OK, "As asked.";
    /// What was made.
    Created = CREATED, "It was made.";
    /// What has begun.
    Accepted = ACCEPTED, "It has begun.";
}

/// Something that was made, or was there already.
#[derive(Debug)]
pub(crate) enum Made<S> {
    New(Created<S>),
    There(Answer<S>),
}

impl<S> IntoResponse for Made<S> {
    fn into_response(self) -> Response {
        match self {
            Self::New(new) => new.into_response(),
            Self::There(there) => there.into_response(),
        }
    }
}

impl<S: JsonSchema> Outcome for Made<S> {
    fn sketch(sketch: &mut Sketch) {
        sketch.json::<S>(StatusCode::CREATED, "It was made.");
        sketch.json::<S>(StatusCode::OK, "It was there already.");
    }
}

/// Done, and there is nothing to tell.
#[derive(Debug)]
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Outcome for NoContent {
    fn sketch(sketch: &mut Sketch) {
        sketch.empty(StatusCode::NO_CONTENT, "Done.");
    }
}

/// Done, told with an object without members, for clients that always read one.
#[derive(Debug)]
pub(crate) struct Empty;

impl IntoResponse for Empty {
    fn into_response(self) -> Response {
        empty_object()
    }
}

impl Outcome for Empty {
    fn sketch(sketch: &mut Sketch) {
        sketch.json::<NoMembers>(StatusCode::OK, "Done.");
    }
}

/// An object without members.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Empty")]
struct NoMembers {}

/// It was done (204), or it was so already (205).
#[derive(Debug)]
pub(crate) enum Happened {
    Now,
    Before,
}

impl IntoResponse for Happened {
    fn into_response(self) -> Response {
        match self {
            Self::Now => StatusCode::NO_CONTENT.into_response(),
            Self::Before => StatusCode::RESET_CONTENT.into_response(),
        }
    }
}

impl Outcome for Happened {
    fn sketch(sketch: &mut Sketch) {
        sketch.empty(StatusCode::NO_CONTENT, "It was done.");
        sketch.empty(StatusCode::RESET_CONTENT, "It was so already.");
    }
}

/// One object, or what became of each of several.
#[derive(Debug)]
pub(crate) struct OneOrMany<S>(Response, PhantomData<fn() -> S>);

impl<S> OneOrMany<S> {
    pub(crate) fn one<V: Shown<As = S>>(view: &V) -> Self {
        Self(json_with(StatusCode::OK, view), PhantomData)
    }

    /// In the form that `headers` ask for; `random` makes the boundary between the parts.
    pub(crate) fn many(headers: &HeaderMap, parts: &[Part], random: [u8; 32]) -> Self {
        Self(batch::answer(headers, parts, random), PhantomData)
    }
}

impl<S> IntoResponse for OneOrMany<S> {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<S: JsonSchema> Outcome for OneOrMany<S> {
    fn sketch(sketch: &mut Sketch) {
        sketch.json::<S>(StatusCode::OK, "As asked.");
        let status = StatusCode::MULTI_STATUS;
        let about = "What became of each of several: the statuses, then a part for each; or a \
            list, for those who accept its type.";
        sketch.media::<String>(status, "multipart/mixed", about);
        sketch.media::<Vec<Part>>(status, batch::JSON_ARRAY, about);
    }
}

/// Server-sent events whose `data` is an `S`.
#[derive(Debug)]
pub(crate) struct Events<S>(Response, PhantomData<fn() -> S>);

impl<S> Events<S> {
    pub(crate) const fn of(stream: Response) -> Self {
        Self(stream, PhantomData)
    }
}

impl<S> IntoResponse for Events<S> {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<S: JsonSchema> Outcome for Events<S> {
    fn sketch(sketch: &mut Sketch) {
        sketch.header(
            "Last-Event-ID",
            "The last id that was seen: what came after it is told first.",
        );
        sketch.events::<S>("Server-sent events, without end.");
    }
}

/// An answer with the version of what it tells, as `ETag`.
#[derive(Debug)]
pub(crate) struct Tagged<A>(pub(crate) A, pub(crate) u64);

impl<A: IntoResponse> IntoResponse for Tagged<A> {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.1)).expect("a number in quotes");
        let mut response = self.0.into_response();
        response.headers_mut().insert(header::ETAG, tag);
        response
    }
}

impl<A: Outcome> Outcome for Tagged<A> {
    fn sketch(sketch: &mut Sketch) {
        A::sketch(sketch);
        sketch.told_with("ETag", "The version of what is told, for `If-Match`.");
    }
}

shown!(
    PostView<'_> as PostShape,
    ChatView<'_> as ChatShape,
    PersonView<'_> as PersonShape,
    WebhookView as WebhookShape,
);
