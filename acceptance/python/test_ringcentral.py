"""RingCentral's own Python SDK as it comes from PyPI: only the server's URL differs from what an
integrator runs against RingCentral."""

import asyncio
import json
import unittest

from ringcentral import SDK
from ringcentral.http.api_exception import ApiException
from ringcentral.websocket.events import WebSocketEvents

from receiver import Receiver
from yard import Yard

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
NUMBER = r"^[1-9]\d*$"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
POSTS = "/team-messaging/v1/posts"
CHATS = "/team-messaging/v1/chats"
SUBSCRIPTION = "/restapi/v1.0/subscription"
FRAME_TIMEOUT_S = 15


class RingCentralTests(unittest.TestCase):
    def setUp(self):
        self.yard = Yard()
        self.addCleanup(lambda: self.assertEqual(self.yard.stop(), 0))
        self.sdk = SDK(
            self.yard.credentials["RC_APP_CLIENT_ID"],
            self.yard.credentials["RC_APP_CLIENT_SECRET"],
            self.yard.url,
        )
        self.platform = self.sdk.platform()
        self.grant = self.platform.login(jwt=self.yard.credentials["RC_USER_JWT"]).json_dict()
        team = {"name": "Builds", "description": "What the build server says", "public": False}
        self.team = self.platform.post("/team-messaging/v1/teams", team).json_dict()

    def post(self, text):
        path = f"/team-messaging/v1/chats/{self.team['id']}/posts"
        return self.platform.post(path, {"text": text}).json_dict()

    def refusal(self, call, *arguments):
        """The status and the code with which a call is refused."""
        with self.assertRaises(ApiException) as caught:
            call(*arguments)
        response = caught.exception.api_response().response()
        return f"{response.status_code} {response.json()['errorCode']}"

    def check_post(self, envelope, subscription, post):
        """Checks an envelope that tells of `post`."""
        self.assertRegex(envelope["uuid"], NUMBER)
        self.assertRegex(envelope["timestamp"], TIME)
        self.assertEqual(envelope["event"], POSTS)
        self.assertEqual(envelope["subscriptionId"], subscription)
        self.assertEqual(envelope["ownerId"], self.grant["owner_id"])
        self.assertEqual(envelope["body"], {**post, "eventType": "PostAdded"})

    def test_logs_in_calls_refreshes_and_logs_out(self):
        self.assertEqual(self.grant["token_type"], "bearer")
        self.assertIn("TeamMessaging", self.grant["scope"].split(" "))
        self.assertTrue(self.platform.logged_in())
        extension = self.platform.get("/account/~/extension/~").json_dict()
        self.assertEqual(str(extension["id"]), self.grant["owner_id"])

        self.assertEqual(self.team["name"], "Builds")
        self.assertEqual(self.team["type"], "Team")
        post = self.post("Grüße, *world* 🎉")
        self.assertRegex(post["id"], NUMBER)
        self.assertEqual(post["text"], "Grüße, *world* 🎉")
        posts = self.platform.get(f"/team-messaging/v1/chats/{self.team['id']}/posts").json()
        self.assertEqual(posts.records[0].text, "Grüße, *world* 🎉")
        self.assertEqual(self.refusal(self.platform.get, "/glip/chats/1"), "404 CMN-102")

        before = self.platform.auth().access_token()
        self.platform.refresh()
        self.assertNotEqual(self.platform.auth().access_token(), before)
        teams = self.platform.get("/glip/teams", {"recordCount": 250}).json_dict()
        self.assertIn(self.team["id"], [team["id"] for team in teams["records"]])
        self.platform.logout()
        self.assertFalse(self.platform.logged_in())

    def test_a_wrong_jwt_is_refused(self):
        stranger = SDK(
            self.yard.credentials["RC_APP_CLIENT_ID"],
            self.yard.credentials["RC_APP_CLIENT_SECRET"],
            self.yard.url,
        ).platform()
        with self.assertRaises(ApiException) as caught:
            stranger.login(jwt="not.a.jwt")
        self.assertEqual(caught.exception.api_response().response().status_code, 400)

    def test_a_webhook_is_asked_first_and_then_told(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        mode = {
            "transportType": "WebHook",
            "address": receiver.address,
            "verificationToken": "of the subscriber",
        }
        request = {"eventFilters": [POSTS], "expiresIn": 3600, "deliveryMode": mode}
        created = self.platform.post(SUBSCRIPTION, request).json_dict()
        self.assertRegex(created["id"], UUID)
        self.assertEqual(created["status"], "Active")
        self.assertEqual(created["eventFilters"], [POSTS])
        self.assertEqual(
            created["deliveryMode"],
            {"transportType": "WebHook", "encryption": False, "address": receiver.address},
        )
        [handshake] = receiver.handshakes
        self.assertEqual(handshake["headers"]["Verification-Token"], "of the subscriber")
        self.assertEqual(handshake["body"], b"")

        post = self.post("The build passed")
        event = receiver.next("PostAdded")
        self.assertEqual(event["headers"]["Verification-Token"], "of the subscriber")
        self.check_post(event["json"], created["id"], post)

        path = f"{SUBSCRIPTION}/{created['id']}"
        longer = self.platform.put(path, {"eventFilters": [POSTS], "expiresIn": 7200}).json_dict()
        self.assertGreater(longer["expirationTime"], created["expirationTime"])
        self.assertEqual(self.platform.post(f"{path}/renew").json_dict()["id"], created["id"])
        self.assertEqual(self.platform.delete(path).response().status_code, 204)
        self.assertRegex(self.refusal(self.platform.get, path), "^404 ")

    def test_a_websocket_is_told(self):
        asyncio.run(asyncio.wait_for(self.listen(), 60))

    async def listen(self):
        socket = Socket(self.sdk)
        await socket.open()
        try:
            details = json.loads(socket.client.get_connection_info()["connection_details"])
            self.assertEqual(details[0]["type"], "ConnectionDetails")
            self.assertEqual(details[0]["status"], 200)
            self.assertGreater(details[1]["idleTimeout"], 0)
            self.assertNotIn("recoveryState", details[1])

            subscription = await self.subscribe(socket)
            post = self.post("The build passed")
            self.check_post((await socket.notification())[1], subscription, post)

            # Other filters, by PUT on the same connection.
            await socket.client.update_subscription(socket.created, [CHATS])
            meta, body = await socket.reply()
            self.assertEqual((meta["status"], body["id"]), (200, subscription))
            self.assertEqual(body["eventFilters"], [CHATS])
            self.post("Not for this subscription any more")
            chat = {"name": "Deployments", "public": False}
            chat = self.platform.post("/team-messaging/v1/teams", chat).json_dict()
            envelope = (await socket.notification())[1]
            self.assertEqual(envelope["event"], CHATS)
            self.assertEqual(envelope["body"]["id"], chat["id"])

            # Notifications keep their order: had the second post been heard, it would come first.
            await socket.client.remove_subscription(socket.created)
            self.assertEqual((await socket.reply())[0]["status"], 204)
            self.post("Nobody listens")
            again = await self.subscribe(socket)
            self.assertNotEqual(again, subscription)
            post = self.post("Somebody listens again")
            self.check_post((await socket.notification())[1], again, post)
        finally:
            await socket.close()

    async def subscribe(self, socket):
        """Subscribes to posts; returns the subscription's id."""
        await socket.client.create_subscription([POSTS])
        meta, body = await socket.reply()
        self.assertEqual(meta["status"], 200, body)
        self.assertIsNotNone(socket.created, "the SDK does not take the reply for a subscription")
        self.assertEqual(socket.created.get_subscription_info()[1], body)
        self.assertEqual(body["status"], "Active")
        self.assertEqual(body["eventFilters"], [POSTS])
        self.assertEqual(
            body["deliveryMode"], {"transportType": "WebSocket", "encryption": False}
        )
        return body["id"]


class Socket:
    """The SDK's WebSocket client, with what it tells in queues."""

    def __init__(self, sdk):
        self.client = sdk.create_web_socket_client()
        self.created = None
        self._replies = asyncio.Queue()
        self._notifications = asyncio.Queue()
        self._ready = asyncio.Event()
        on = self.client.on
        on(WebSocketEvents.connectionCreated, lambda _: self._ready.set())
        on(WebSocketEvents.subscriptionCreated, self._keep)
        on(WebSocketEvents.receiveSubscriptionNotification, self._notifications.put_nowait)
        on(WebSocketEvents.receiveMessage, self._sort)

    def _keep(self, subscription):
        self.created = subscription

    def _sort(self, text):
        frame = json.loads(text)
        if frame[0]["type"] != "ServerNotification":
            self._replies.put_nowait(frame)

    async def open(self):
        self._task = asyncio.create_task(self.client.create_new_connection())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait(
            [self._task, ready], timeout=FRAME_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not ready.done():
            ready.cancel()
            self._task.cancel()
            await self._task

    async def _next(self, queue):
        """The next frame; a connection that ends meanwhile is an error."""
        waiting = asyncio.create_task(queue.get())
        await asyncio.wait(
            [self._task, waiting], timeout=FRAME_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        if self._task.done():
            self._task.result()
        raise AssertionError(f"no frame came within {FRAME_TIMEOUT_S} s")

    async def reply(self):
        """The next reply to a request. The SDK sees it after this does, so it gets a turn."""
        frame = await self._next(self._replies)
        await asyncio.sleep(0)
        if frame[0]["type"] != "ClientRequest":
            raise AssertionError(f"no reply but {frame}")
        return frame[0], frame[1] if len(frame) > 1 else None

    async def notification(self):
        return await self._next(self._notifications)

    async def close(self):
        await self.client.close_connection()
        await asyncio.wait([self._task], timeout=FRAME_TIMEOUT_S)
        if not self._task.done():
            raise AssertionError("the connection did not close")
        self._task.exception()


if __name__ == "__main__":
    unittest.main()
