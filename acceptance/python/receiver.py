"""A subscriber written the way RingCentral's documentation tells people to write one: echo the
validation token, answer 200, look at the JSON."""

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARRIVAL_TIMEOUT_S = 15


class Receiver:
    """A running receiver; it remembers what came and hands it out in order of arrival."""

    def __init__(self):
        self.handshakes = []
        self._events = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                token = self.headers.get("Validation-Token")
                if token is not None:
                    receiver.handshakes.append({"headers": self.headers, "body": text})
                    self.send_header("Validation-Token", token)
                else:
                    receiver._events.put({"headers": self.headers, "json": json.loads(text)})
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/events"

    def next(self, event_type):
        """Waits for the first event of that type; what came before it is dropped."""
        deadline = time.monotonic() + ARRIVAL_TIMEOUT_S
        dropped = []
        while True:
            try:
                event = self._events.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{event_type} did not arrive; got {dropped}") from None
            if event["json"]["body"].get("eventType") == event_type:
                return event
            dropped.append(event["json"])

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
