//! How many clients the process has files for: each connection is one.

use hookyard_domain::kernel::limits::{CONNECTIONS_MAX, SOCKETS_MAX};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files kept for what is not a client: the database, calls to receivers, listeners.
const OTHERS: usize = 2_048;

/// How many clients may be connected at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Connections that speak HTTP.
    pub(crate) connections: usize,
    /// Connections that have become a WebSocket.
    pub(crate) sockets: usize,
}

impl Room {
    /// The room in so many open files; `None` is as many as we like.
    fn within(files: Option<usize>) -> Self {
        let all = Self {
            connections: CONNECTIONS_MAX,
            sockets: SOCKETS_MAX,
        };
        let Some(files) = files else {
            return all;
        };
        let clients = files - OTHERS.min(files / 2);
        // Sockets stay, and other connections come and go.
        let connections = (clients / 3).clamp(1, CONNECTIONS_MAX);
        let sockets = clients.saturating_sub(connections).min(SOCKETS_MAX);
        Self {
            connections,
            sockets,
        }
    }
}

/// Lets the process open as many files as the system allows it, and divides them.
pub(crate) fn claim() -> Room {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!(%error, "The limit of open files stays as it is");
            limit.current
        }
    };
    let room = Room::within(files.map(|files| usize::try_from(files).unwrap_or(usize::MAX)));
    tracing::debug!(
        ?files,
        room.connections,
        room.sockets,
        "Open files are divided"
    );
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_leave_files_for_the_rest() {
        for files in [16, 1_024, 4_096, 20_000, 65_536, usize::MAX] {
            let room = Room::within(Some(files));
            assert!(
                room.connections > 0 && room.sockets > 0,
                "{files}: {room:?}"
            );
            let left = files - room.connections - room.sockets;
            assert!(left >= OTHERS.min(files / 2), "{files}: {room:?}");
        }
    }

    #[test]
    fn many_files_are_room_for_everybody() {
        let all = Room::within(None);
        assert_eq!(
            (all.connections, all.sockets),
            (CONNECTIONS_MAX, SOCKETS_MAX)
        );
        assert_eq!(Room::within(Some(65_536)), all);
    }
}
