//! Queries of lists: which page is asked for, and of which list.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hookyard_domain::Problem;
use http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::asked::Asked;
use super::size;
use super::token::{Pair, Purpose};
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::query::{Pairs, Query};
use crate::operations::Operation;
use crate::operations::inputs::Input;
use crate::operations::sketch::Sketch;
use crate::operations::wire::shapes;

shapes! {
    /// Which page of a list of the platform.
    pub(crate) struct RecordQuery {
        /// Records on the page.
        #[schemars(range(min = 1))]
        record_count: Option<u32>,
        /// Where the list goes on.
        page_token: Option<String>,
    }

    /// Which page of a list.
    pub(crate) struct LimitQuery {
        /// Records on the page.
        #[schemars(range(min = 1, max = 250))]
        limit: Option<u32>,
        /// The same, as the platform's lists call it.
        #[schemars(range(min = 1))]
        record_count: Option<u32>,
        /// The token that the last page came with.
        page_token: Option<String>,
    }

    /// Which page of a list that is older than page tokens.
    pub(crate) struct BeforeQuery {
        #[schemars(flatten)]
        page: LimitQuery,
        /// The former name of `pageToken`.
        before: Option<String>,
    }
}

/// Parameters that tell which page of a list, and not which list.
const OF_THE_PAGE: [&str; 4] = ["limit", "recordCount", "pageToken", "before"];

/// The query of a list, and which list it is.
#[derive(Debug)]
pub(crate) struct ListQuery<T> {
    query: Query<T>,
    operation: &'static str,
    path: Vec<Pair>,
    filters: Vec<Pair>,
}

impl<T> Deref for ListQuery<T> {
    type Target = Pairs;

    fn deref(&self) -> &Pairs {
        &self.query
    }
}

impl<T> ListQuery<T> {
    /// The page that `recordCount` and `pageToken` ask for, as the platform's lists have them: a
    /// token brings its filters, so that nothing else needs repeating.
    ///
    /// # Errors
    ///
    /// CMN-101 for either parameter.
    pub(crate) fn platform_page<'a, K: DeserializeOwned>(
        &self,
        api: &'a Api,
        caller: &Caller,
    ) -> ApiResult<Asked<'a, K>> {
        let count = size::record_count(self)?;
        let purpose = self.purpose(caller, Vec::new());
        let refused = || ApiError::from(Problem::invalid("pageToken"));
        let asked = Asked::read(
            &api.tokens,
            purpose,
            self.first("pageToken"),
            count,
            self.filters.clone(),
        );
        let asked = asked.ok_or_else(refused)?;
        // A client that repeats its filters repeats those of the token.
        if self.filters.is_empty() || self.filters == asked.filters {
            Ok(asked)
        } else {
            Err(refused())
        }
    }

    /// The page that `limit` and `pageToken` ask for, as the lists under `/api/v1` have them.
    ///
    /// # Errors
    ///
    /// CMN-101 for either parameter, also for the token of a list with other filters.
    pub(crate) fn page<'a, K: DeserializeOwned>(
        &self,
        api: &'a Api,
        caller: &Caller,
    ) -> ApiResult<Asked<'a, K>> {
        self.page_by(api, caller, &["pageToken"])
    }

    /// [`ListQuery::page`] of a list whose tokens had another name once.
    pub(crate) fn page_or_before<'a, K: DeserializeOwned>(
        &self,
        api: &'a Api,
        caller: &Caller,
    ) -> ApiResult<Asked<'a, K>> {
        self.page_by(api, caller, &["pageToken", "before"])
    }

    fn page_by<'a, K: DeserializeOwned>(
        &self,
        api: &'a Api,
        caller: &Caller,
        names: &[&'static str],
    ) -> ApiResult<Asked<'a, K>> {
        let count = size::limit(self)?.map_or_else(|| size::record_count(self), |n| Ok(Some(n)))?;
        let mut named = names
            .iter()
            .filter_map(|name| Some((*name, self.first(name)?)));
        let (name, token) = named.next().unzip();
        let purpose = self.purpose(caller, self.filters.clone());
        let asked = Asked::read(&api.tokens, purpose, token, count, Vec::new());
        asked.ok_or_else(|| {
            let problem = Problem::invalid(name.unwrap_or("pageToken"));
            let reason = "take the one that the last page of this list came with, and keep the \
                list's filters as they were";
            because(problem.value(token.unwrap_or_default()), reason).into()
        })
    }

    fn purpose(&self, caller: &Caller, filters: Vec<Pair>) -> Purpose {
        Purpose {
            account: caller.account,
            operation: self.operation,
            path: self.path.clone(),
            filters,
        }
    }
}

impl<T: JsonSchema> FromRequestParts<Arc<Api>> for ListQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let Ok(query) = Query::<T>::from_request_parts(parts, api).await;
        let path = PathParams::from_request_parts(parts, api).await?.into_all();
        let operation = parts.extensions.get::<Arc<Operation>>();
        let operation = operation.expect("only operations have lists");
        let narrowing = operation.sketch.parameters();
        let narrowing = narrowing.filter(|name| !OF_THE_PAGE.contains(name));
        let filters = narrowing.flat_map(|name| {
            let values = query.all(name);
            values.map(|value| (name.to_owned(), value.to_owned()))
        });
        Ok(Self {
            filters: filters.collect(),
            operation: operation.name,
            query,
            path,
        })
    }
}

impl<T: JsonSchema> Input for ListQuery<T> {
    fn sketch(sketch: &mut Sketch) {
        Query::<T>::sketch(sketch);
    }
}
