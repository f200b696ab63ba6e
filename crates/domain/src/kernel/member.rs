//! What is the matter with one member of what somebody asks for.

/// A member that makes no sense, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member} {reason}")]
pub struct MemberError {
    /// Its name, with the place in a list: `redirectUris[2]`.
    pub member: String,
    /// The end of a sentence that begins with the member.
    pub reason: String,
}

impl MemberError {
    /// `member` makes no sense because of `reason`.
    pub fn new(member: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            member: member.into(),
            reason: reason.into(),
        }
    }
}
