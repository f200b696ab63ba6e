//! The table of operations: what an operation is, how a resource declares its own, and how the
//! table becomes the router. Types say what is asked and answered, one line says the rest.

pub(crate) mod answers;
pub(crate) mod calls;
mod codes;
pub(crate) mod document;
mod examples;
pub(crate) mod inputs;
mod paths;
mod serving;
pub(crate) mod shapes;
pub(crate) mod sketch;
pub(crate) mod wire;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use hookyard_domain::{Code, Scope};

pub use self::answers::{Answering, Outcome};
pub use self::calls::record_calls;
pub use self::document::{document, request_examples};
pub use self::inputs::{Content, Input, NoBody, Whole};
pub use self::sketch::Sketch;
use crate::kernel::rate_limits::Group;

/// Where the paths of a resource begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount {
    /// Prefixes that are described: the one to use first, former ones after it.
    pub prefixes: &'static [&'static str],
    /// Other spellings of the prefixes, listed beside the first.
    pub spelled: &'static [&'static str],
    /// Whether paths may end in a slash without being rewritten first.
    pub slashed: bool,
    /// Whether it stands outside the conversation with clients: without request ids, CORS and
    /// tunnelled methods.
    pub bare: bool,
}

impl Mount {
    /// Paths are whole.
    pub const ROOT: Self = Self {
        prefixes: &[""],
        spelled: &[],
        slashed: false,
        bare: false,
    };

    /// The team-messaging resources, under both of their prefixes.
    pub const MESSAGING: Self = Self {
        prefixes: &["/team-messaging/v1", "/restapi/v1.0/glip"],
        ..Self::ROOT
    };

    /// Whole paths outside the conversation.
    pub const BARE: Self = Self {
        bare: true,
        ..Self::ROOT
    };

    /// The public URLs of incoming webhooks, in all the spellings that senders use.
    pub const HOOKS: Self = Self {
        prefixes: &["/webhook/v2", "/webhook"],
        spelled: &[
            "/webhook/V2",
            "/webhooks",
            "/webhooks/v2",
            "/webhooks/V2",
            "/WEBHOOK",
            "/WEBHOOK/v2",
            "/WEBHOOK/V2",
            "/WEBHOOKS",
            "/WEBHOOKS/v2",
            "/WEBHOOKS/V2",
        ],
        slashed: true,
        bare: true,
    };

    /// The public URLs of bins.
    pub const BINS: Self = Self {
        prefixes: &["/bin"],
        slashed: true,
        ..Self::BARE
    };
}

/// By which method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Any,
}

impl Verb {
    pub const GET: Self = Self::Get;
    pub const POST: Self = Self::Post;
    pub const PUT: Self = Self::Put;
    pub const PATCH: Self = Self::Patch;
    pub const DELETE: Self = Self::Delete;
    pub const ANY: Self = Self::Any;

    /// The methods that are described; `HEAD` goes with `GET`.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Get => &["get"],
            Self::Post => &["post"],
            Self::Put => &["put"],
            Self::Patch => &["patch"],
            Self::Delete => &["delete"],
            Self::Any => &["post", "get", "put", "patch", "delete"],
        }
    }

    fn route<H, T, S>(self, handler: H) -> MethodRouter<S>
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        match self {
            Self::Get => routing::get(handler),
            Self::Post => routing::post(handler),
            Self::Put => routing::put(handler),
            Self::Patch => routing::patch(handler),
            Self::Delete => routing::delete(handler),
            Self::Any => routing::any(handler),
        }
    }
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Anybody,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in, with an app that has the permission.
    App(Scope),
    /// An administrator, with an app that has the permission.
    Administrator(Scope),
    /// An operator of the installation, with an app that has the permission.
    Operator(Scope),
    /// The handler decides, by what is asked for; these are the permissions that it may want.
    Depends(&'static [Scope]),
    /// An app, by its name and secret.
    Client,
    /// The console, by its cookie.
    Cookie,
    /// Whoever knows the URL.
    Secret,
}

/// Whether the same request can be sent again without being done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing remembers requests.
    Unnoticed,
    /// With the same `Idempotency-Key` it gets the answer of the first: whatever a caller posts,
    /// unless its line says otherwise.
    Answered,
    /// The operation knows them by ids of its own.
    Recognised,
}

impl Repeats {
    pub const UNNOTICED: Self = Self::Unnoticed;
    pub const RECOGNISED: Self = Self::Recognised;
}

/// What an operation is about: the parts of the document, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    SigningIn,
    Platform,
    Directory,
    Extensions,
    Apps,
    Credentials,
    Messages,
    Presence,
    Chats,
    Posts,
    Teams,
    Persons,
    IncomingWebhooks,
    Requests,
    Subscriptions,
    Endpoints,
    Deliveries,
    Events,
    EventTypes,
    Scenarios,
    Bins,
    Jobs,
    Erasing,
    Operating,
    Console,
    PubNub,
    WebSocket,
    Description,
}

/// One operation, as data.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Unique, such as `read_bin`.
    pub name: &'static str,
    pub tag: Tag,
    /// The first line of its documentation.
    pub summary: &'static str,
    /// All lines.
    pub about: String,
    pub verb: Verb,
    pub mount: Mount,
    pub path: &'static str,
    /// Set by its line or by its resource.
    pub access: Option<Access>,
    pub(crate) group: Option<Group>,
    /// Problems of this operation, beside those that its parts bring.
    pub fails: Vec<Code>,
    /// What takes its place, when it is kept for former clients only.
    pub deprecated: Option<&'static str>,
    /// Set by its line, if at all.
    pub repeats: Option<Repeats>,
    /// What the handler's type says.
    pub sketch: Sketch,
}

type Route<S> = Box<dyn FnOnce(Arc<Operation>) -> MethodRouter<S> + Send>;

/// An operation and what answers it.
pub struct Served<S> {
    operation: Operation,
    route: Route<S>,
}

impl<S> std::fmt::Debug for Served<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Served({})", self.operation.name)
    }
}

impl<S: Clone + Send + Sync + 'static> Served<S> {
    /// An operation that `handler` answers. Its arguments are named twice: as axum takes them, and
    /// as they are described.
    pub fn new<H, T, I, O>(
        name: &'static str,
        tag: Tag,
        verb: Verb,
        path: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, S> + Answering<I, O>,
        T: 'static,
        I: Input,
        O: Outcome,
    {
        let mut sketch = Sketch::default();
        I::sketch(&mut sketch);
        O::sketch(&mut sketch);
        let operation = Operation {
            name,
            tag,
            summary: "",
            about: String::new(),
            verb,
            mount: Mount::ROOT,
            path,
            access: None,
            group: None,
            fails: Vec::new(),
            deprecated: None,
            repeats: None,
            sketch,
        };
        let route = move |operation| serving::served(verb, verb.route(handler), operation);
        Self {
            operation,
            route: Box::new(route),
        }
    }

    /// Takes the lines of a doc comment.
    #[must_use]
    pub fn documented(mut self, lines: &[&'static str]) -> Self {
        let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
        self.operation.summary = lines.first().copied().unwrap_or_default();
        self.operation.about = lines.join("\n");
        self
    }

    #[must_use]
    pub fn at(mut self, mount: Mount) -> Self {
        self.operation.mount = mount;
        self
    }

    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.operation.name = name;
        self
    }

    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.operation.access.get_or_insert(access);
        self
    }

    #[must_use]
    pub fn counted(mut self, group: Group) -> Self {
        self.operation.group.get_or_insert(group);
        self
    }

    #[must_use]
    pub fn fails(mut self, codes: &[Code]) -> Self {
        self.operation.fails.extend(codes);
        self
    }

    #[must_use]
    pub fn repeats(mut self, repeats: Repeats) -> Self {
        self.operation.repeats = Some(repeats);
        self
    }

    #[must_use]
    pub fn instead(mut self, other: &'static str) -> Self {
        self.operation.deprecated = Some(other);
        self
    }
}

impl Operation {
    /// Who may call; building the table makes sure that it is said.
    pub fn access(&self) -> Access {
        let access = self.access;
        access.unwrap_or_else(|| panic!("nothing says who may call `{}`", self.name))
    }

    /// What becomes of the same request when it is sent again.
    pub fn repeats(&self) -> Repeats {
        let is_callers_post = self.verb == Verb::Post && self.sketch.bearer;
        self.repeats.unwrap_or(if is_callers_post {
            Repeats::Answered
        } else {
            Repeats::Unnoticed
        })
    }

    /// Every path that is described, the one to use first.
    pub fn paths(&self) -> impl Iterator<Item = String> + '_ {
        let prefixes = self.mount.prefixes.iter();
        prefixes.map(|prefix| format!("{prefix}{}", self.path))
    }

    /// Every other path that it is served at.
    pub fn spellings(&self) -> Vec<String> {
        let spelled = self.mount.spelled.iter();
        let spelled: Vec<_> = spelled
            .map(|prefix| format!("{prefix}{}", self.path))
            .collect();
        if !self.mount.slashed || self.path.contains("{*") {
            return spelled;
        }
        let slashed = self.paths().chain(spelled.iter().cloned());
        let slashed: Vec<_> = slashed.map(|path| path + "/").collect();
        spelled.into_iter().chain(slashed).collect()
    }
}

/// Operations of several resources.
#[derive(Debug)]
pub struct Resources<S>(Vec<Served<S>>);

impl<S> Default for Resources<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Clone + Send + Sync + 'static> Resources<S> {
    /// These and `more`.
    ///
    /// # Panics
    ///
    /// For a name that is there already, and for an operation that does not say who may call.
    #[must_use]
    pub fn with(mut self, more: Vec<Served<S>>) -> Self {
        for served in more {
            let name = served.operation.name;
            served.operation.access();
            let taken = self.0.iter().any(|other| other.operation.name == name);
            assert!(!taken, "two operations are called `{name}`");
            self.0.push(served);
        }
        self
    }

    /// What the operations are.
    pub fn described(&self) -> Vec<Operation> {
        let all = self.0.iter();
        all.map(|served| served.operation.clone()).collect()
    }

    /// The router of those whose place `is_wanted`, each under all of its prefixes and spellings.
    pub fn router(self, is_wanted: impl Fn(&Mount) -> bool) -> Router<S> {
        let wanted = self.0.into_iter();
        let wanted = wanted.filter(|served| is_wanted(&served.operation.mount));
        wanted.fold(Router::new(), |router, Served { operation, route }| {
            let operation = Arc::new(operation);
            let route = route(Arc::clone(&operation));
            let paths = operation.paths().chain(operation.spellings());
            paths.fold(router, |router, path| router.route(&path, route.clone()))
        })
    }
}

/// Declares a resource's operations. Doc comments become their description; `as` and `counted` of
/// the first line stand where a line says nothing.
#[macro_export]
macro_rules! operations {
    (@state) => { std::sync::Arc<$crate::Api> };
    (@state $state:ty) => { $state };
    (
        $(state $state:ty;)?
        tag $tag:ident, under $mount:ident $(, as $usual:expr)? $(, counted $usually:ident)?;
        $(
            $(#[doc = $doc:literal])*
            $handler:ident: $verb:ident $path:literal $(named $name:ident)?
            $(, as $access:expr)?
            $(, counted $group:ident)?
            $(, fails [$($code:ident),* $(,)?] $(and $more:ident)*)?
            $(, instead $other:ident)?
            $(, repeats $repeats:ident)?
            ;
        )*
    ) => {
        /// What it serves.
        #[expect(clippy::allow_attributes, reason = "some tables need no name of theirs")]
        pub(crate) fn operations() -> Vec<$crate::operations::Served<$crate::operations!(@state $($state)?)>> {
            #[allow(unused_imports, clippy::enum_glob_use, reason = "lines name what they need")]
            use $crate::operations::Access::*;
            #[allow(unused_imports, clippy::enum_glob_use, reason = "lines name what they need")]
            use hookyard_domain::Scope::*;
            let operations = vec![$(
                $crate::operations::Served::new(
                    stringify!($handler),
                    $crate::operations::Tag::$tag,
                    $crate::operations::Verb::$verb,
                    $path,
                    $handler,
                )
                .documented(&[$($doc),*])
                .at($crate::operations::Mount::$mount)
                $(.named(stringify!($name)))?
                $(.access($access))?
                $(.counted($crate::Group::$group))?
                $(.fails(&[$(hookyard_domain::Code::$code),*])$(.fails($more))*)?
                $(.instead(stringify!($other)))?
                $(.repeats($crate::operations::Repeats::$repeats))?
            ),*];
            $(let operations = $crate::operations::each(operations, |served| served.access($usual));)?
            $(let operations = $crate::operations::each(operations, |served| served.counted($crate::Group::$usually));)?
            operations
        }
    };
}

/// Every one as `change` leaves it.
pub fn each<S>(all: Vec<Served<S>>, change: impl Fn(Served<S>) -> Served<S>) -> Vec<Served<S>> {
    all.into_iter().map(change).collect()
}
