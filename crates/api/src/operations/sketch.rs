//! What the types of a handler say of it.

use hookyard_domain::Code;
use http::StatusCode;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::kernel::problem::Envelope;
use crate::operations::wire::Anything;

/// A schema that is made when the document is, so that one generator names everything.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// Reads an example as the handler reads what it stands for.
pub(crate) type Reader = fn(&Value) -> Result<(), String>;

/// Content of one type.
#[derive(Debug, Clone)]
pub(super) struct Media {
    pub(super) kind: &'static str,
    pub(super) schema: Make,
    /// The `data` of each of several events.
    pub(super) item: Option<Make>,
}

/// An answer that is no problem.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: Option<StatusCode>,
    pub(super) about: &'static str,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) media: Vec<Media>,
}

/// A body that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) media: Media,
    pub(super) required: bool,
    pub(super) read: Option<Reader>,
}

/// What the types of a handler say of it.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    pub(super) bearer: bool,
    /// Whether it tells only what it names itself.
    pub(super) own_errors: bool,
    pub(super) fails: Vec<Code>,
    pub(super) answers: Vec<Answered>,
    /// What problems look like; the catalogue's, when it says nothing.
    pub(super) problems: Option<Make>,
    pub(super) query: Vec<Make>,
    /// Names of the parameters of the query.
    parameters: Vec<String>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) requests: Vec<Asked>,
}

impl Sketch {
    /// Parameters of the query are the members of `T`.
    pub(crate) fn query<T: JsonSchema>(&mut self) {
        self.query.push(T::json_schema);
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let members = schema.get("properties").and_then(Value::as_object);
        self.parameters
            .extend(members.into_iter().flatten().map(|(name, _)| name.clone()));
    }

    /// Names of the parameters of the query.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(String::as_str)
    }

    /// A header that is read.
    pub(crate) fn header(&mut self, name: &'static str, about: &'static str) {
        self.headers.push((name, about));
    }

    /// A body of a type of its own.
    pub(crate) fn request<T: JsonSchema>(
        &mut self,
        kind: &'static str,
        required: bool,
        read: Option<Reader>,
    ) {
        let media = Media {
            kind,
            schema: |generator| generator.subschema_for::<T>(),
            item: None,
        };
        self.requests.push(Asked {
            media,
            required,
            read,
        });
    }

    /// A JSON answer.
    pub(crate) fn json<T: JsonSchema>(&mut self, status: StatusCode, about: &'static str) {
        self.media::<T>(status, "application/json", about);
    }

    /// An answer of any type of content.
    pub(crate) fn media<T: JsonSchema>(
        &mut self,
        status: StatusCode,
        kind: &'static str,
        about: &'static str,
    ) {
        let media = Media {
            kind,
            schema: |generator| generator.subschema_for::<T>(),
            item: None,
        };
        self.answered(Some(status), about).media.push(media);
    }

    /// Server-sent events, whose `data` is a `T`.
    pub(crate) fn events<T: JsonSchema>(&mut self, about: &'static str) {
        let media = Media {
            kind: "text/event-stream",
            schema: |generator| generator.subschema_for::<String>(),
            item: Some(SchemaGenerator::subschema_for::<T>),
        };
        self.answered(Some(StatusCode::OK), about).media.push(media);
    }

    /// An answer that is a text.
    pub fn text(&mut self, status: StatusCode, kind: &'static str, about: &'static str) {
        self.media::<String>(status, kind, about);
    }

    /// An answer that is any JSON.
    pub fn any_json(&mut self, status: StatusCode, kind: &'static str, about: &'static str) {
        self.media::<Anything>(status, kind, about);
    }

    /// An answer that tells a problem of the catalogue.
    pub fn problem(&mut self, status: StatusCode, about: &'static str) {
        self.json::<Envelope<'static>>(status, about);
    }

    /// An answer without a body.
    pub fn empty(&mut self, status: StatusCode, about: &'static str) {
        self.answered(Some(status), about);
    }

    /// Any answer at all.
    pub(crate) fn anything(&mut self, about: &'static str) {
        self.answered(None, about);
    }

    /// A header of every answer so far.
    pub(crate) fn told_with(&mut self, name: &'static str, about: &'static str) {
        for answer in &mut self.answers {
            answer.headers.push((name, about));
        }
    }

    /// Problems that it brings.
    pub(crate) fn fails_with(&mut self, codes: &[Code]) {
        self.fails.extend(codes);
    }

    /// Problems that look other than those of the catalogue.
    pub(crate) fn problems<T: JsonSchema>(&mut self) {
        self.problems = Some(SchemaGenerator::subschema_for::<T>);
    }

    /// It says itself what its errors are.
    pub fn has_own_errors(&mut self) {
        self.own_errors = true;
    }

    pub(super) fn statuses(&self) -> impl Iterator<Item = StatusCode> + '_ {
        self.answers.iter().filter_map(|answer| answer.status)
    }

    fn answered(&mut self, status: Option<StatusCode>, about: &'static str) -> &mut Answered {
        let known = self.answers.iter();
        let place = known.take_while(|answer| answer.status != status).count();
        if place == self.answers.len() {
            self.answers.push(Answered {
                status,
                about,
                headers: Vec::new(),
                media: Vec::new(),
            });
        }
        &mut self.answers[place]
    }
}
