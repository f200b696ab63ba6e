//! Types of events: those of the catalogue, told to whoever is signed in, and beside them those that
//! the account registers, which administrators manage.

mod view;

use hookyard_domain::Timestamp;
use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::events::catalogue::{EVENT_TYPES, EventType};
use hookyard_domain::events::custom_type::{CustomTypeError, CustomTypePatch};
use hookyard_domain::events::schema::Violation;
use hookyard_domain::kernel::limits::{CUSTOM_TYPES_BYTES_MAX, CUSTOM_TYPES_MAX};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    AccountId, Code, CustomType, DataSchema, Problem, TypeName, TypePattern, TypeVersion,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use self::view::{EventTypeView, Producers};
use crate::Api;
use crate::events::json_schema::JsonSchemas;
use crate::identity::caller::Caller;
use crate::kernel::body::{self, Json, JsonBytes};
use crate::kernel::paging::AllRecords;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::query::Query;
use crate::operations::answers::{Answer, Created, NoContent};
use crate::operations::inputs::Reading;
use crate::operations::wire::{AnyObject, Anything, Ignored, shapes};

pub(crate) const PATH: &str = "/api/v1/event-types";
/// Endpoints that a message names: more are not read.
const NAMED_MAX: usize = 10;

crate::operations! {
    tag EventTypes, under ROOT, as Administrator(SubscriptionWebhook);

    /// Every type of events: those of the catalogue, and those that the account registered.
    list_event_types: GET "/api/v1/event-types", as SignedIn;
    /// Registers a type of events.
    register_event_type: POST "/api/v1/event-types", fails [AlreadyExists, LimitReached];
    /// One type of events.
    read_event_type: GET "/api/v1/event-types/{name}", as SignedIn;
    /// Changes the description of a type, or deprecates it.
    change_event_type: PATCH "/api/v1/event-types/{name}", fails [Conflict];
    /// Deletes a type that nobody asks for.
    delete_event_type: DELETE "/api/v1/event-types/{name}",
        fails [InvalidParameter, InUse, Conflict];
    /// Adds a version to a type.
    add_version: POST "/api/v1/event-types/{name}/versions" named add_event_type_version,
        fails [LimitReached, Conflict];
}

shapes! {
    struct EventTypesQuery {
        /// A text in the name or the description.
        q: Option<String>,
        /// Only types that these make.
        #[schemars(extend("enum" = Producers::NAMES))]
        producer: Option<String>,
        /// Only those that are deprecated, or are not.
        deprecated: Option<bool>,
    }

    /// A type that is registered.
    #[schemars(rename = "RegisterEventType")]
    struct AskedType {
        #[schemars(example = &"invoice.paid")]
        name: String,
        description: Option<String>,
        /// The JSON Schema of its data.
        #[schemars(with = "Option<AnyObject>")]
        schema: Option<()>,
        /// What its data may look like.
        #[schemars(with = "Option<Anything>")]
        example: Option<()>,
    }

    /// A version that is added.
    #[schemars(rename = "AddEventTypeVersion")]
    struct AskedVersion {
        /// The JSON Schema of its data.
        #[schemars(with = "AnyObject")]
        schema: (),
        /// What its data may look like.
        #[schemars(with = "Option<Anything>")]
        example: Option<()>,
    }
}

impl From<CustomTypeError> for ApiError {
    fn from(error: CustomTypeError) -> Self {
        let reason = error.to_string();
        let problem = match error {
            CustomTypeError::BuiltIn(name) => {
                because(Problem::invalid("name").value(name.as_str()), &reason)
            }
            CustomTypeError::Reserved | CustomTypeError::TooManyVersions => {
                because(Problem::invalid("name"), &reason)
            }
            CustomTypeError::DescriptionTooLong => {
                because(Problem::invalid("description"), &reason)
            }
            CustomTypeError::NoteTooLong | CustomTypeError::NoteWithoutDeprecation => {
                because(Problem::invalid("deprecationNote"), &reason)
            }
            CustomTypeError::Schema(violation) => violated("schema", &violation),
            CustomTypeError::Example(violation) => violated("example", &violation),
        };
        problem.into()
    }
}

/// What is wrong inside of the parameter `of`, with its place there.
pub(crate) fn violated(of: &str, violation: &Violation) -> Problem {
    let Violation { pointer, message } = violation;
    because(Problem::invalid(format!("{of}{pointer}")), message)
}

async fn list_event_types(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<EventTypesQuery>,
) -> ApiResult<Answer<AllRecords<EventTypeView<'static>>>> {
    let text = query.first("q").map(str::to_lowercase);
    let producer = query.first("producer");
    if let Some(unknown) = producer.filter(|name| !Producers::NAMES.contains(name)) {
        let problem = Problem::invalid("producer").value(unknown);
        return Err(because(problem, "is Hookyard, Apps or Account").into());
    }
    let deprecated = query.flag("deprecated")?;
    let custom = api.store.custom_types(caller.account).await?;
    let views = EVENT_TYPES.iter().map(EventTypeView::from);
    let records = views
        .chain(custom.iter().map(EventTypeView::from))
        .filter(|view| {
            text.as_deref().is_none_or(|text| view.says(text))
                && producer.is_none_or(|name| view.is_made_by(name))
                && deprecated.is_none_or(|wanted| view.is_deprecated() == wanted)
        })
        .collect();
    Ok(Answer::of(&AllRecords { records }))
}

async fn read_event_type(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<EventTypeView<'static>>> {
    let name = path.text("name")?;
    if let Some(known) = EventType::named(name) {
        return Ok(Answer::of(&EventTypeView::from(known)));
    }
    let custom = api.named_type(caller.account, name).await?;
    Ok(Answer::of(&EventTypeView::from(&*custom)))
}

#[derive(Debug, Deserialize)]
struct RegisterEventType {
    name: String,
    #[serde(default)]
    description: Option<String>,
}

/// Schema and example as they came; null is as good as missing.
#[derive(Debug, Deserialize)]
struct Texts<'a> {
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
    #[serde(borrow, default)]
    example: Option<&'a RawValue>,
}

impl<'a> Texts<'a> {
    fn read(bytes: &'a [u8]) -> ApiResult<Self> {
        // What parses a moment ago can still name a member twice.
        let texts: Self = serde_json::from_slice(bytes).map_err(|_| Code::UnparsableRequest)?;
        let said = |text: Option<&'a RawValue>| text.filter(|text| text.get() != "null");
        Ok(Self {
            schema: said(texts.schema),
            example: said(texts.example),
        })
    }

    fn version(&self, now: Timestamp) -> ApiResult<TypeVersion> {
        let compile = |text: &RawValue| DataSchema::compile(text.get(), &JsonSchemas);
        let schema = self.schema.map(compile).transpose();
        let schema = schema.map_err(CustomTypeError::Schema)?;
        let example = self.example.map(RawValue::get);
        Ok(TypeVersion::read(schema.as_ref(), example, now)?)
    }
}

/// Reads schema and example as they would be registered.
fn read_texts(value: &Value) -> Result<(), String> {
    let text = value.to_string();
    let texts = Texts::read(text.as_bytes()).map_err(|error| format!("{error:?}"))?;
    let read = texts.version(Timestamp::from_millis(0));
    read.map(|_| ()).map_err(|error| format!("{error:?}"))
}

impl Reading for AskedType {
    fn read(value: &Value) -> Result<(), String> {
        let asked: RegisterEventType =
            body::of_value(value).map_err(|error| format!("{error:?}"))?;
        TypeName::parse(&asked.name).map_err(|error| error.to_string())?;
        read_texts(value)
    }
}

impl Reading for AskedVersion {
    fn read(value: &Value) -> Result<(), String> {
        read_texts(value)
    }
}

async fn register_event_type(
    State(api): State<Arc<Api>>,
    caller: Caller,
    JsonBytes(bytes, _): JsonBytes<AskedType>,
) -> ApiResult<Created<EventTypeView<'static>>> {
    let asked: RegisterEventType = body::parse(&bytes)?;
    let name = TypeName::parse(&asked.name).map_err(|error| {
        let problem = Problem::invalid("name").value(asked.name);
        because(problem, &error.to_string())
    })?;
    let first = Texts::read(&bytes)?.version(api.now())?;
    let description = asked.description.unwrap_or_default();
    let made = CustomType::new(caller.account, name, description, first)?;
    let exists = || {
        let advice = format!(
            "change it with PATCH, or add a version with POST {PATH}/{}/versions",
            made.name
        );
        let problem = Problem::about(Code::AlreadyExists, "name").value(made.name.as_str());
        ApiError::from(because(problem, &advice))
    };
    let found = api.store.custom_type(caller.account, &made.name).await?;
    if found.is_some() {
        return Err(exists());
    }
    api.require_room_for_types(caller.account, 1, made.bytes())
        .await?;
    match api.commit(made.clone().register()).await {
        Ok(()) => Ok(Created::of(&EventTypeView::from(&made))),
        Err(CommitError::Conflict) => Err(exists()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeEventType {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    deprecated: Option<bool>,
    #[serde(default)]
    deprecation_note: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<Ignored>")]
    schema: Option<IgnoredAny>,
    #[serde(default)]
    #[schemars(with = "Option<Ignored>")]
    example: Option<IgnoredAny>,
}

async fn change_event_type(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(asked): Json<ChangeEventType>,
) -> ApiResult<Answer<EventTypeView<'static>>> {
    let name = path.text("name")?;
    for (given, member) in [(&asked.schema, "schema"), (&asked.example, "example")] {
        if given.is_some() {
            let advice = format!("it is changed by another version: POST {PATH}/{name}/versions");
            return Err(because(Problem::invalid(member), &advice).into());
        }
    }
    let patch = CustomTypePatch {
        description: asked.description,
        deprecated: asked.deprecated,
        deprecation_note: asked.deprecation_note,
    };
    let now = api.now();
    let changed = api.commit_deciding(|| async {
        let found = api.changeable_type(caller.account, name).await?;
        Ok(found.change(patch.clone(), now)?)
    });
    Ok(Answer::of(&EventTypeView::from(&changed.await?)))
}

async fn add_version(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    JsonBytes(bytes, _): JsonBytes<AskedVersion>,
) -> ApiResult<Created<EventTypeView<'static>>> {
    let name = path.text("name")?;
    api.changeable_type(caller.account, name).await?;
    let _: serde_json::Map<String, Value> = body::parse(&bytes)?;
    let texts = Texts::read(&bytes)?;
    if texts.schema.is_none() {
        return Err(because(Problem::invalid("schema"), "a version is a JSON Schema").into());
    }
    let next = texts.version(api.now())?;
    api.require_room_for_types(caller.account, 0, next.bytes())
        .await?;
    let changed = api.commit_deciding(|| async {
        let found = api.changeable_type(caller.account, name).await?;
        Ok(found.add_version(next.clone())?)
    });
    let changed = changed.await?;
    Ok(Created::of(&EventTypeView::from(&changed)))
}

async fn delete_event_type(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let name = path.text("name")?;
    let deleted = api.commit_deciding(|| async {
        let found = api.changeable_type(caller.account, name).await?;
        api.require_unnamed(&found).await?;
        Ok((found.delete(), ()))
    });
    deleted.await?;
    Ok(NoContent)
}

impl Api {
    /// A type that the account has registered.
    async fn named_type(&self, account: AccountId, name: &str) -> ApiResult<Arc<CustomType>> {
        let missing = || Problem::not_found("name");
        let name = TypeName::parse(name).map_err(|_| missing())?;
        let found = self.store.custom_type(account, &name).await?;
        Ok(found.ok_or_else(missing)?)
    }

    /// The same, where it would be changed: those of the catalogue cannot be.
    async fn changeable_type(&self, account: AccountId, name: &str) -> ApiResult<Arc<CustomType>> {
        if let (Some(_), Ok(name)) = (EventType::named(name), TypeName::parse(name)) {
            return Err(CustomTypeError::BuiltIn(name).into());
        }
        self.named_type(account, name).await
    }

    /// Refuses what would be more than an account may register.
    pub(crate) async fn require_room_for_types(
        &self,
        account: AccountId,
        more: usize,
        more_bytes: usize,
    ) -> ApiResult<()> {
        let known = self.store.custom_types(account).await?;
        if known.len() + more > CUSTOM_TYPES_MAX {
            let problem = Problem::of(Code::LimitReached);
            return Err(problem
                .with("limit", CUSTOM_TYPES_MAX.to_string())
                .with("resource", "event types")
                .into());
        }
        let bytes: usize = known.iter().map(CustomType::bytes).sum();
        if bytes + more_bytes > CUSTOM_TYPES_BYTES_MAX {
            let problem = Problem::of(Code::LimitReached);
            return Err(problem
                .with("limit", CUSTOM_TYPES_BYTES_MAX.to_string())
                .with("resource", "bytes of schemas and examples of event types")
                .into());
        }
        Ok(())
    }

    /// Refuses to delete a type while endpoints ask for it by its name.
    async fn require_unnamed(&self, custom: &CustomType) -> ApiResult<()> {
        let name = custom.name.as_str();
        let endpoints = self.store.endpoints(custom.account).await?;
        let naming = endpoints.iter().filter(|subscription| {
            let endpoint = subscription.endpoint.as_deref();
            let mut types = endpoint.into_iter().flat_map(|endpoint| &endpoint.types);
            types.any(|pattern| TypePattern::exact(pattern) == Some(name))
        });
        let ids: Vec<String> = naming.map(|endpoint| endpoint.id.to_string()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let shown = ids.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
        let more = match ids.len().checked_sub(NAMED_MAX) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        let reason = format!(
            "it is asked for by endpoints {}{more}; let them ask for other types first, or deprecate it",
            shown.join(", ")
        );
        let problem = Problem::about(Code::InUse, "name").value(name);
        Err(because(problem, &reason).into())
    }
}
