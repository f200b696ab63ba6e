//! What stands around each handler: what extractors need to know of the operation goes in, calls
//! are counted, and builds for tests refuse to tell what nobody declared.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::MethodRouter;
use hookyard_domain::{Code, Problem};

use crate::kernel::idempotency;
use crate::kernel::middleware::AsConfigured;
use crate::kernel::problem::{Told, problem_response};
use crate::kernel::rate_limits::Meter;
use crate::operations::{Operation, Repeats, Verb, calls};

/// `route` as `operation`.
pub(super) fn served<S: Clone + Send + Sync + 'static>(
    verb: Verb,
    route: MethodRouter<S>,
    operation: Arc<Operation>,
) -> MethodRouter<S> {
    let layer = from_fn(move |request, next| serve(Arc::clone(&operation), request, next));
    // A route for every method has only its fallback; that of the others is no operation.
    match verb {
        Verb::Any => route.layer(layer),
        _ => route.route_layer(layer),
    }
}

async fn serve(operation: Arc<Operation>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map(|path| path.as_str().to_owned());
    request.extensions_mut().insert(Arc::clone(&operation));
    let meter = operation.group.map(Meter::new);
    if let Some(meter) = &meter {
        request.extensions_mut().insert(meter.clone());
    }
    let keyed = operation.repeats() == Repeats::Answered && idempotency::has_key(request.headers());
    let mut response = if keyed {
        idempotency::answer(request, next).await
    } else {
        next.run(request).await
    };
    if let Some(meter) = meter {
        response.extensions_mut().insert(meter);
    }
    if cfg!(debug_assertions) {
        checked(&operation, path.as_deref(), response)
    } else {
        response
    }
}

/// `response`, or a fault when the declaration does not name it. In builds for tests, so that the
/// test that provoked it fails.
fn checked(operation: &Operation, path: Option<&str>, response: Response) -> Response {
    let status = response.status();
    let told = response.extensions().get::<Told>().map(|told| told.0);
    let configured = response.extensions().get::<AsConfigured>().is_some();
    let declared = configured || operation.declares(status, told);
    calls::record(operation, path, status, told, declared);
    if declared {
        return response;
    }
    let code = told.map_or("no code", Code::name);
    tracing::error!(
        "`{}` answered {status} with {code}, which its declaration does not name",
        operation.name
    );
    problem_response(&Problem::of(Code::InternalError))
}
