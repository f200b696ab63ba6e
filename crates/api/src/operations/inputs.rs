//! What handlers take: each extractor says what it reads, and how it may refuse.

use std::convert::Infallible;
use std::marker::PhantomData;

use axum::extract::{Extension, FromRequest, Request, State};
use hookyard_domain::{Code, SocketId};
use http::{HeaderMap, Uri};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::identity::caller::Caller;
use crate::kernel::body::{AnyJson, Json, JsonBytes, MaybeJson};
use crate::kernel::path::{At, PathParams};
use crate::kernel::problem::ApiError;
use crate::kernel::query::Query;
use crate::kernel::strict;
use crate::operations::sketch::Sketch;

/// An argument of a handler.
pub trait Input {
    /// Says what it reads.
    fn sketch(sketch: &mut Sketch);
}

impl<S> Input for State<S> {
    fn sketch(_: &mut Sketch) {}
}

impl Input for HeaderMap {
    fn sketch(_: &mut Sketch) {}
}

impl Input for Uri {
    fn sketch(_: &mut Sketch) {}
}

impl Input for Caller {
    fn sketch(sketch: &mut Sketch) {
        sketch.bearer = true;
        sketch.fails.extend([
            Code::AuthorizationMissing,
            Code::AuthorizationInvalid,
            Code::TokenInvalid,
            Code::TokenExpired,
            Code::LoginRequired,
        ]);
    }
}

impl Input for PathParams {
    fn sketch(sketch: &mut Sketch) {
        sketch
            .fails
            .extend([Code::ResourceNotFound, Code::InvalidUri]);
    }
}

impl<T> Input for At<T> {
    fn sketch(sketch: &mut Sketch) {
        PathParams::sketch(sketch);
    }
}

/// A path that is no text names nothing, and the handler says so itself.
impl<T> Input for Result<At<T>, ApiError> {
    fn sketch(_: &mut Sketch) {}
}

impl Input for Option<Extension<SocketId>> {
    fn sketch(_: &mut Sketch) {}
}

impl<T: JsonSchema> Input for Query<T> {
    fn sketch(sketch: &mut Sketch) {
        sketch.query::<T>();
        sketch.fails.push(Code::InvalidParameter);
    }
}

/// What reading a JSON body may end with.
const JSON_FAULTS: [Code; 6] = [
    Code::InvalidParameter,
    Code::UnparsableJson,
    Code::UnparsableRequest,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];

fn read<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    strict::read::<T>(value)
        .map(|_| ())
        .map_err(|misfit| misfit.to_string())
}

impl<T: DeserializeOwned + JsonSchema> Input for Json<T> {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<T>("application/json", true, Some(read::<T>));
        sketch.fails.extend(JSON_FAULTS);
    }
}

impl<T: DeserializeOwned + JsonSchema> Input for MaybeJson<T> {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<T>("application/json", false, Some(read::<T>));
        sketch.fails.extend(JSON_FAULTS);
    }
}

/// The shape of a body that is read by hand.
pub(crate) trait Reading: JsonSchema {
    /// Reads an example as the handler does.
    fn read(value: &Value) -> Result<(), String>;
}

impl<T: Reading> Input for AnyJson<T> {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<T>("application/json", true, Some(T::read));
        sketch.fails.extend(JSON_FAULTS);
    }
}

impl<T: Reading> Input for JsonBytes<T> {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<T>("application/json", true, Some(T::read));
        sketch.fails.extend(JSON_FAULTS);
    }
}

/// What a request is that the handler takes as it came.
pub trait Content {
    /// Says what bodies it may have, and which problems reading them brings.
    fn sketch(sketch: &mut Sketch);
}

/// A request as it came.
#[derive(Debug)]
pub struct Whole<T>(pub Request, pub PhantomData<fn() -> T>);

impl<T: Content> Input for Whole<T> {
    fn sketch(sketch: &mut Sketch) {
        T::sketch(sketch);
    }
}

impl<T, S: Send + Sync> FromRequest<S> for Whole<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(request, PhantomData))
    }
}

/// Nothing is read of the body.
#[derive(Debug)]
pub struct NoBody;

impl Content for NoBody {
    fn sketch(_: &mut Sketch) {}
}

macro_rules! arguments {
    ($($name:ident)*) => {
        impl<$($name: Input),*> Input for ($($name,)*) {
            fn sketch(sketch: &mut Sketch) {
                $($name::sketch(sketch);)*
                let _ = sketch;
            }
        }
    };
}
arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
arguments!(A B C D E F G);
