//! The token by which a client recovers its session, and why it may not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookyard_domain::{Code, SocketId};

/// The first byte: which reading of the rest.
const VERSION: u8 = 1;
/// Version, session, sequence.
const TOKEN_BYTES: usize = 1 + 16 + 8;

/// A session and the number of the last notification that the client has. Nobody guesses it: a
/// session's id is 122 random bits that are told to nobody else. It needs no seal: who changes the
/// number gets other notifications of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryToken {
    pub(super) socket: SocketId,
    pub(super) sequence: u64,
}

/// Not a token of ours, and not what an earlier server has left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl RecoveryToken {
    /// What the client is given.
    pub fn write(self) -> String {
        let mut bytes = [VERSION; TOKEN_BYTES];
        bytes[1..17].copy_from_slice(self.socket.0.as_bytes());
        bytes[17..].copy_from_slice(&self.sequence.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; it may be of a session that is gone.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
        let bytes: [u8; TOKEN_BYTES] = bytes.try_into().map_err(|_| Malformed)?;
        let [VERSION, rest @ ..] = bytes else {
            return Err(Malformed);
        };
        let (socket, sequence) = rest.split_at(16);
        Ok(Self {
            socket: SocketId(uuid::Uuid::from_bytes(
                socket.try_into().expect("it was split there"),
            )),
            sequence: u64::from_be_bytes(sequence.try_into().expect("eight are left")),
        })
    }
}

/// Why a session is not recovered (contract 6.5). The client gets a new one and subscribes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecoveryError {
    /// It never was, its time is over, or the server has been restarted.
    Unknown,
    OfAnotherSession,
    NoSubscription,
}

impl RecoveryError {
    pub(super) const fn code(self) -> Code {
        match self {
            Self::Unknown => Code::SocketUnknown,
            Self::OfAnotherSession => Code::SocketOfAnotherSession,
            Self::NoSubscription => Code::SocketWithoutSubscription,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_was_written() {
        let token = RecoveryToken {
            socket: SocketId::from_random([7; 16]),
            sequence: 1_767_225_600_123,
        };
        let text = token.write();
        assert_eq!(text.len(), 34);
        assert_eq!(RecoveryToken::read(&text), Ok(token));
    }

    #[test]
    fn everything_else_is_malformed() {
        let good = RecoveryToken {
            socket: SocketId::from_random([7; 16]),
            sequence: 1,
        }
        .write();
        let longer = format!("{good}AA");
        let other_version = format!("AA{}", &good[2..]);
        for text in [
            "",
            "undefined",
            "RTFh",
            "%",
            &good[1..],
            &longer,
            &other_version,
        ] {
            assert_eq!(RecoveryToken::read(text), Err(Malformed), "{text}");
        }
    }
}
