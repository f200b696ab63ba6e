"""What endpoints receive, verified by the Standard Webhooks library for Python as it comes from
PyPI: all that a receiver needs is the secret."""

import base64
import json
import os
import queue
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ringcentral import SDK
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from yard import Yard

ARRIVAL_TIMEOUT_S = 15
# Long enough for an event to arrive within it, short enough to wait for its end.
OVERLAP_S = 3
OVERLAP_END_TIMEOUT_S = 10


class RawReceiver:
    """A receiver that keeps what it needs to verify: the headers, and the body as it came."""

    def __init__(self):
        self.status = 200
        self._requests = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._requests.put((body, headers))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/"

    def next(self):
        """Waits for a request; returns its body and its headers."""
        return self._requests.get(timeout=ARRIVAL_TIMEOUT_S)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class StandardWebhooksTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = Yard()
        try:
            cls.platform = SDK(
                cls.yard.credentials["RC_APP_CLIENT_ID"],
                cls.yard.credentials["RC_APP_CLIENT_SECRET"],
                cls.yard.url,
            ).platform()
            cls.platform.login(jwt=cls.yard.credentials["RC_USER_JWT"])
            cls.api = f"{cls.yard.url}/api/v1"
            cls.platform.post(f"{cls.api}/event-types", {"name": "invoice.paid"})
        except BaseException:
            cls.yard.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        code = cls.yard.stop()
        if code != 0:
            raise AssertionError(f"the server ended with {code}")

    def make_endpoint(self, **settings):
        """An endpoint for invoices at a receiver of its own: its address, and the receiver."""
        receiver = RawReceiver()
        self.addCleanup(receiver.stop)
        body = {"url": receiver.address, "eventTypes": ["invoice.*"], **settings}
        made = self.platform.post(f"{self.api}/endpoints", body).json_dict()
        path = f"{self.api}/endpoints/{made['id']}"
        # Others must not hear of what comes next.
        self.addCleanup(lambda: self.platform.delete(path))
        return path, receiver

    def secret(self, path):
        return self.platform.get(f"{path}/secret").json_dict()["secret"]

    def publish(self, data):
        event = {"type": "invoice.paid", "data": data}
        return self.platform.post(f"{self.api}/events", event).json_dict()

    def verify(self, secret, request):
        return Webhook(secret).verify(*request)

    def refuses(self, secret, request):
        with self.assertRaises(WebhookVerificationError):
            self.verify(secret, request)

    def test_an_event_is_verified(self):
        path, receiver = self.make_endpoint()
        self.publish({"amount": 10.5, "note": "größer 😀"})
        event = self.verify(self.secret(path), receiver.next())
        self.assertEqual(event["type"], "invoice.paid")
        self.assertEqual(event["data"], {"amount": 10.5, "note": "größer 😀"})

    def test_what_was_tampered_with_and_other_secrets_are_refused(self):
        path, receiver = self.make_endpoint()
        secret = self.secret(path)
        self.publish({"amount": 10})
        body, headers = receiver.next()
        self.verify(secret, (body, headers))
        tampered = body.replace(b"10", b"99")
        self.assertNotEqual(tampered, body)
        self.refuses(secret, (tampered, headers))
        self.refuses(secret, (body, {**headers, "webhook-id": "evt_1"}))
        later = str(int(headers["webhook-timestamp"]) + 1)
        self.refuses(secret, (body, {**headers, "webhook-timestamp": later}))
        other = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.refuses(other, (body, headers))

    def test_a_secret_of_ones_own_signs(self):
        secret = "whsec_" + base64.b64encode(os.urandom(64)).decode()
        path, receiver = self.make_endpoint(secret=secret)
        self.assertEqual(self.secret(path), secret)
        self.publish({"own": True})
        self.assertEqual(self.verify(secret, receiver.next())["data"], {"own": True})

    def test_a_batch_is_verified(self):
        path, receiver = self.make_endpoint(batchingIntervalMinutes=60)
        secret = self.secret(path)
        # What waits for the end of its interval is due when a pause ends.
        self.platform.post(f"{path}/pause")
        for number in (1, 2, 3):
            self.publish({"n": number})
        self.platform.post(f"{path}/resume")
        body, headers = receiver.next()
        events = self.verify(secret, (body, headers))
        self.assertEqual([event["data"]["n"] for event in events], [1, 2, 3])
        self.refuses(secret, (json.dumps(events[1:]).encode(), headers))

    def test_either_secret_verifies_during_the_overlap_then_the_new_one_alone(self):
        path, receiver = self.make_endpoint()
        former = self.secret(path)
        self.platform.post(f"{path}/secret/rotate", {"overlapS": OVERLAP_S})
        current = self.secret(path)
        self.assertNotEqual(current, former)
        self.publish({"during": "the overlap"})
        during = receiver.next()
        self.assertEqual(self.verify(former, during), self.verify(current, during))

        deadline = time.monotonic() + OVERLAP_END_TIMEOUT_S
        while len(self.platform.get(path).json_dict()["secrets"]) > 1:
            self.assertLess(time.monotonic(), deadline, "the overlap has an end")
            time.sleep(0.1)
        self.publish({"after": "the overlap"})
        after = receiver.next()
        self.assertEqual(self.verify(current, after)["data"], {"after": "the overlap"})
        self.refuses(former, after)


if __name__ == "__main__":
    unittest.main()
