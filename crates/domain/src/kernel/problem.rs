//! The catalogue of error codes. Clients are told to read codes, never prose (contract 8.1).

use std::borrow::Cow;

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $summary:literal;)*) => {
        /// One kind of problem: a code, an HTTP status and a sentence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The sentence; `${…}` are parameters.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }
        }
    };
}

problems! {
    /// A parameter holds a value that we cannot accept.
    InvalidParameter = "CMN-101", 400, "Parameter [${parameterName}] value is invalid";
    ResourceNotFound = "CMN-102", 404, "Resource for parameter [${parameterName}] is not found";
    UnparsableJson = "CMN-103", 400, "JSON can't be parsed.";
    UnparsableRequest = "CMN-104", 400, "Cannot parse request";
    BatchTooLarge = "CMN-106", 400, "Batch request is limited to ${limit} entries";
    /// The account has as many objects of a kind as it may have.
    LimitReached = "CMN-107", 403, "There are ${limit} of [${resource}] already, which is the most; delete one first";
    /// Something that only a telephone network could do.
    FeatureNotAvailable = "CMN-109", 403, "Feature not available.";
    MethodNotAllowed = "CMN-111", 405, "Method [${method}] is not allowed here";
    BodyTooLarge = "CMN-112", 413, "Request body is larger than ${limit} bytes";
    UnsupportedMediaType = "CMN-113", 415, "Content type is not supported";
    RequestTimeout = "CMN-114", 408, "The request did not arrive in time";
    /// What was read has changed while we decided, again and again.
    Conflict = "CMN-115", 409, "The resource is being changed by others; try again";
    AlreadyExists = "CMN-116", 409, "Resource for parameter [${parameterName}] already exists";
    /// What would be deleted is named by others.
    InUse = "CMN-117", 409, "Resource for parameter [${parameterName}] is in use";
    /// The publisher's id of an event stands for another one already.
    PublishedDifferently = "CMN-118", 409, "Another event was published with the same [${parameterName}]";
    /// Somebody else has changed it since the caller read it.
    VersionDiffers = "CMN-119", 412, "The resource is at version [${version}], not at the one that If-Match names";
    /// The caller's key of a request stands for another one already.
    KeyUsedDifferently = "CMN-121", 409, "Another request was made with the same [${parameterName}]";
    /// The first request with the same key is still being answered.
    FirstStillRunning = "CMN-122", 409, "The first request with the same [${parameterName}] is still being answered";
    /// The first request with the same key was done, and its answer is gone.
    FirstAnswerGone = "CMN-123", 409, "The request with the same [${parameterName}] was done, but its answer is gone";
    InvalidUri = "CMN-120", 404, "Invalid URI";
    InternalError = "CMN-203", 500, "Internal Server Error";
    /// The store cannot make data durable, so nothing is acknowledged.
    StoreUnavailable = "CMN-204", 503, "Service is temporarily unavailable";
    RequestRateExceeded = "CMN-301", 429, "Request rate exceeded";
    /// The app lacks a permission.
    AppPermissionMissing = "CMN-401", 403, "In order to call this API endpoint, application needs to have [${permission}] permission";
    /// The person lacks a permission.
    PermissionMissing = "CMN-408", 403, "In order to call this API endpoint, user needs to have [${permission}] permission";
    /// Nothing can be written to it until it is reopened.
    TeamArchived = "CMN-420", 403, "The team is archived";
    LoginRequired = "CMN-405", 401, "Login to extension required.";
    AuthorizationMissing = "AGW-401", 401, "Authorization header is not specified";
    AuthorizationInvalid = "AGW-402", 401, "Invalid Authorization header";
    TokenExpired = "OAU-128", 401, "Access token expired";
    TokenInvalid = "OAU-213", 401, "Token not found";
    ClientInvalid = "OAU-146", 401, "Client application is not authorized";
    AssertionUnparsable = "OAU-149", 400, "Unparseable assertion";
    GrantInvalid = "OAU-211", 400, "Token is invalid or expired";
    CredentialsInvalid = "OAU-140", 400, "Invalid resource owner credentials";
    /// An administrator has disabled the person.
    PersonDisabled = "OAU-236", 400, "Extension is disabled or frozen";
    GrantUnsupported = "OAU-250", 400, "Unsupported grant type";
    OAuthRequestInvalid = "OAU-101", 400, "Parameter [${parameterName}] is missing or invalid";
    PresenceDisabled = "SUB-402", 403, "Presence feature is disabled for this extension type";
    PresenceForbidden = "SUB-403", 403, "User disallowed to monitor his presence";
    MessagesOfOthers = "SUB-405", 403, "Not allowed subscribe for messages to other extensions";
    OtherAccount = "SUB-406", 403, "Not allowed subscribe for events to extensions of other account";
    UnknownUser = "SUB-408", 403, "Not allowed subscribe for unknown user";
    /// Told in `disabledFilters`, and alone when no filter is left.
    ExtensionPermissionMissing = "SUB-412", 403, "Extension permission [${permission}] is missing";
    TooManySubscriptions = "SUB-505", 403, "Subscriptions limit exceeded";
    SubscriptionExpired = "SUB-507", 404, "Subscription with key [${subscriptionKey}] and assigned session [${session}] was expired";
    InvalidEventFilters = "SUB-508", 400, "Invalid event filters: [${filters}]";
    OnlyReminder = "SUB-515", 400, "Reminder event filter cannot be the only one";
    InvalidReminder = "SUB-516", 400, "Invalid reminder parameters";
    NoValidationToken = "SUB-520", 400, "Validation Token is not returned";
    WebHookUnreachable = "SUB-521", 400, "WebHook is not reachable";
    WebHookBadStatus = "SUB-522", 400, "WebHook responds with incorrect HTTP status. HTTP status is ${status}";
    HttpsRequired = "SUB-523", 400, "HTTPS is required";
    CertificateInvalid = "SUB-524", 400, "HTTPS certificate is not valid";
    InvalidWebHookReply = "SUB-525", 400, "WebHook server response is invalid";
    MissedCallsOfOthers = "SUB-527", 403, "Not allowed subscribe for missed calls of another extension";
    TransportPermissionMissing = "SUB-528", 403, "[${permission}] application permission is required for [${transport}] transport";
    /// The token that names what to recover was not made by a gateway such as this.
    RecoveryTokenMalformed = "WSG-400", 400, "Malformed WebSocket session context token";
    FrameUnparsable = "WSG-808", 400, "Cannot parse the frame";
    TooManyActiveRequests = "WSG-809", 429, "More than ${limit} requests are active on the connection";
    NotOverWebSocket = "WSG-810", 400, "The resource is not available over WebSocket";
    IdleTimeout = "WSG-902", 408, "Idle timeout expired";
    AbsoluteTimeout = "WSG-903", 408, "Absolute timeout expired";
    ReaderTooSlow = "WSG-904", 408, "Notifications are not read fast enough";
    TooManyConnections = "WSG-905", 403, "More than ${limit} connections of one session";
    FrameTooLarge = "WSG-906", 413, "Frame is larger than ${limit} bytes";
    FrameNotText = "WSG-907", 415, "Only text frames are understood";
    /// Told as `recoveryErrorCode`, as are the next two.
    SocketUnknown = "WSG-1001", 404, "WebSocket session is not found, or its time to recover is over";
    SocketOfAnotherSession = "WSG-1003", 403, "WebSocket session belongs to another OAuth session";
    SocketWithoutSubscription = "WSG-1005", 404, "WebSocket session has no subscription";
}

/// A problem as it is told to a client: a code with its parameters filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    pub message: String,
    pub parameter_name: Option<Cow<'static, str>>,
    pub parameter_value: Option<String>,
    /// What else is wrong with the same request.
    pub next: Option<Box<Self>>,
}

impl Problem {
    /// The problem with its sentence as it stands.
    pub fn of(code: Code) -> Self {
        Self {
            code,
            message: code.summary().to_owned(),
            parameter_name: None,
            parameter_value: None,
            next: None,
        }
    }

    /// The first of `problems`, which leads to the others; `None` when there is none.
    pub fn first_of(problems: Vec<Self>) -> Option<Self> {
        let in_front = |next: Option<Self>, problem| {
            Some(Self {
                next: next.map(Box::new),
                ..problem
            })
        };
        problems.into_iter().rev().fold(None, in_front)
    }

    /// It and what else is wrong with the same request.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |problem| problem.next.as_deref())
    }

    /// Fills `${name}` in.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.message = self
            .message
            .replace(&format!("${{{name}}}"), value.as_ref());
        self
    }

    /// A parameter that holds a value we cannot accept.
    pub fn invalid(parameter: impl Into<Cow<'static, str>>) -> Self {
        Self::about(Code::InvalidParameter, parameter)
    }

    /// A parameter that names nothing that the caller may see.
    pub fn not_found(parameter: impl Into<Cow<'static, str>>) -> Self {
        Self::about(Code::ResourceNotFound, parameter)
    }

    /// A problem about one parameter.
    pub fn about(code: Code, parameter: impl Into<Cow<'static, str>>) -> Self {
        let parameter = parameter.into();
        Self {
            parameter_name: Some(parameter.clone()),
            ..Self::of(code).with("parameterName", &parameter)
        }
    }

    /// Ends the sentence with what would be right.
    #[must_use]
    pub fn must_be(mut self, rule: &str) -> Self {
        self.message = format!("{}: it must be {rule}", self.message);
        self
    }

    /// Says which value was refused.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.parameter_value = Some(value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use crate::kernel::golden::assert_golden;

    #[test]
    fn codes_are_unique() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn the_table_changes_only_on_purpose() {
        let table: Vec<_> = Code::ALL
            .iter()
            .map(|code| format!("{} {} {}", code.name(), code.status(), code.summary()))
            .collect();
        assert_golden("src/kernel/golden/problems.txt", &table.join("\n"));
    }

    #[test]
    fn parameters_are_filled_in() {
        let problem = Problem::invalid("expiresIn").value("0");
        assert_eq!(problem.message, "Parameter [expiresIn] value is invalid");
        assert_eq!(problem.parameter_value.as_deref(), Some("0"));
    }

    #[test]
    fn the_first_of_several_problems_carries_the_others() {
        let problems = ["a", "b", "c"].map(Problem::invalid);
        let first = Problem::first_of(problems.to_vec()).unwrap();
        let names: Vec<_> = first
            .all()
            .filter_map(|problem| problem.parameter_name.as_deref())
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(Problem::first_of(Vec::new()), None);
    }
}
