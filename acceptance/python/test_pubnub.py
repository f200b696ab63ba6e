"""PubNub's own Python client as it comes from PyPI, listening to subscriptions: only its origin
differs from what an integrator runs against RingCentral."""

import asyncio
import base64
import json
import queue
import unittest

from Crypto.Cipher import AES
from Crypto.Util.Padding import unpad
from pubnub.callbacks import SubscribeCallback
from pubnub.enums import PNReconnectionPolicy, PNStatusCategory
from pubnub.pnconfiguration import PNConfiguration
from pubnub.pubnub import PubNub, SubscribeListener
from pubnub.pubnub_asyncio import PubNubAsyncio
from ringcentral import SDK

from yard import Yard

# 128 bits: who guesses the name may listen.
CHANNEL = r"^\d+_[0-9a-f]{32}$"
NUMBER = r"^[1-9]\d*$"
POSTS = "/team-messaging/v1/posts"
SUBSCRIPTION = "/restapi/v1.0/subscription"
# More than one answer to a poll can carry.
MANY = 150
TIMEOUT_S = 15


class PubNubTests(unittest.TestCase):
    def setUp(self):
        self.yard = Yard("[pubnub]\nenabled = true\n")
        self.addCleanup(lambda: self.assertEqual(self.yard.stop(), 0))
        self.platform = SDK(
            self.yard.credentials["RC_APP_CLIENT_ID"],
            self.yard.credentials["RC_APP_CLIENT_SECRET"],
            self.yard.url,
        ).platform()
        self.grant = self.platform.login(jwt=self.yard.credentials["RC_USER_JWT"]).json_dict()
        team = {"name": "Builds", "public": False}
        self.team = self.platform.post("/team-messaging/v1/teams", team).json_dict()

    def post(self, text):
        path = f"/team-messaging/v1/chats/{self.team['id']}/posts"
        return self.platform.post(path, {"text": text}).json_dict()

    def subscribe(self, encryption, **more):
        mode = {"transportType": "PubNub", "encryption": encryption}
        request = {"eventFilters": [POSTS], "deliveryMode": mode, **more}
        subscription = self.platform.post(SUBSCRIPTION, request).json_dict()
        self.assertEqual(subscription["status"], "Active")
        self.assertEqual(subscription["eventFilters"], [POSTS])
        self.assertRegex(subscription["deliveryMode"]["address"], CHANNEL)
        self.assertRegex(subscription["deliveryMode"]["subscriberKey"], "^sub-c-")
        return subscription

    def configuration(self, subscription):
        configuration = PNConfiguration()
        configuration.subscribe_key = subscription["deliveryMode"]["subscriberKey"]
        configuration.uuid = "acceptance"
        configuration.origin = self.yard.host
        configuration.ssl = False
        configuration.disable_config_locking = False
        configuration.reconnect_policy = PNReconnectionPolicy.LINEAR
        configuration.reconnection_interval = 0.2
        # The client cannot abort a poll, and would hold up the end of the tests.
        configuration.daemon = True
        return configuration

    def client(self, subscription):
        client = Client(self.configuration(subscription), subscription)
        self.addCleanup(client.stop)
        return client

    def check(self, envelope, subscription, post):
        """Checks an envelope that tells of `post`."""
        self.assertRegex(envelope["uuid"], NUMBER)
        self.assertEqual(envelope["event"], POSTS)
        self.assertEqual(envelope["subscriptionId"], subscription["id"])
        self.assertEqual(envelope["ownerId"], self.grant["owner_id"])
        self.assertEqual(envelope["body"], {**post, "eventType": "PostAdded"})

    def test_an_encrypted_channel_is_told_in_ciphertext(self):
        subscription = self.subscribe(True)
        mode = subscription["deliveryMode"]
        self.assertIs(mode["encryption"], True)
        self.assertEqual(mode["encryptionAlgorithm"], "AES")
        self.assertEqual(len(base64.b64decode(mode["encryptionKey"], validate=True)), 16)
        self.assertTrue(880 < subscription["expiresIn"] < 900, subscription["expiresIn"])

        client = self.client(subscription)
        client.listen()
        for text in ("The build passed", "Grüße 🎉", "x" * 9_000):
            post = self.post(text)
            message = client.next()
            self.assertIsInstance(message.message, str)
            self.assertNotIn(post["id"], message.message)
            self.check(read(message, subscription), subscription, post)

    def test_a_plain_channel_is_told_in_json(self):
        subscription = self.subscribe(False)
        mode = subscription["deliveryMode"]
        self.assertEqual(set(mode), {"transportType", "encryption", "address", "subscriberKey"})
        self.assertIs(mode["encryption"], False)

        client = self.client(subscription)
        client.listen()
        post = self.post("The build passed")
        message = client.next()
        self.assertIsInstance(message.message, dict)
        self.check(message.message, subscription, post)

    def test_one_client_listens_to_two_channels(self):
        plain, encrypted = self.subscribe(False), self.subscribe(True)
        client = self.client(plain)
        client.listen(encrypted)
        post = self.post("The build passed")
        both = {message.channel: message for message in (client.next(), client.next())}
        for subscription in (plain, encrypted):
            message = both[subscription["deliveryMode"]["address"]]
            self.check(read(message, subscription), subscription, post)

    def test_who_was_away_catches_up(self):
        subscription = self.subscribe(True)
        client = self.client(subscription)
        client.listen()
        self.post("The last that was heard")
        position = client.next().timetoken
        client.leave()

        posts = [self.post(f"Missed {number}") for number in range(MANY)]
        # The same program goes on, and another one that was given the position.
        for client in (client, self.client(subscription)):
            client.listen(position=position)
            for post in posts:
                self.check(read(client.next(), subscription), subscription, post)
            live = self.post("Not missed")
            self.check(read(client.next(), subscription), subscription, live)
            client.leave()
            posts.append(live)

    def test_renewal_keeps_the_channel_and_the_key(self):
        subscription = self.subscribe(True, expiresIn=300)
        client = self.client(subscription)
        client.listen()
        path = f"{SUBSCRIPTION}/{subscription['id']}"
        renewed = self.platform.put(path, {"eventFilters": [POSTS], "expiresIn": 900}).json_dict()
        self.assertEqual(renewed["deliveryMode"], subscription["deliveryMode"])
        self.assertGreater(renewed["expirationTime"], subscription["expirationTime"])
        self.assertTrue(880 < renewed["expiresIn"] < 900, renewed["expiresIn"])
        post = self.post("Still heard")
        self.check(read(client.next(), subscription), subscription, post)
        # As old SDKs renew: without saying for how long.
        renewed = self.platform.put(path, {"eventFilters": [POSTS]}).json_dict()
        self.assertEqual(renewed["deliveryMode"], subscription["deliveryMode"])
        self.assertTrue(880 < renewed["expiresIn"] < 900, renewed["expiresIn"])

    def test_a_restart_of_the_server_loses_nothing(self):
        subscription = self.subscribe(True)
        client = self.client(subscription)
        client.listen()
        post = self.post("Before")
        self.check(read(client.next(), subscription), subscription, post)
        for _ in range(2):
            with self.assertLogs("pubnub", "ERROR"):
                self.yard.restart()
                post = self.post("While the client was away")
                client.wait_for(PNStatusCategory.PNReconnectedCategory)
            self.check(read(client.next(), subscription), subscription, post)
        post = self.post("After")
        self.check(read(client.next(), subscription), subscription, post)

    def test_a_deleted_subscription_is_heard_no_more(self):
        subscription = self.subscribe(True)
        client = self.client(subscription)
        client.listen()
        with self.assertLogs("pubnub", "ERROR"):
            self.platform.delete(f"{SUBSCRIPTION}/{subscription['id']}")
            client.wait_for(PNStatusCategory.PNAccessDeniedCategory)

    def test_the_event_engine_listens_and_catches_up(self):
        asyncio.run(asyncio.wait_for(self.listen_with_the_event_engine(), 60))

    async def listen_with_the_event_engine(self):
        subscription = self.subscribe(True)
        first = AsyncClient(self.configuration(subscription), subscription)
        await first.listen()
        post = self.post("The last that was heard")
        message = await first.next()
        self.check(read(message, subscription), subscription, post)
        await first.stop()

        posts = [self.post(f"Missed {number}") for number in range(3)]
        second = AsyncClient(self.configuration(subscription), subscription)
        await second.listen(message.timetoken)
        for post in posts:
            self.check(read(await second.next(), subscription), subscription, post)
        post = self.post("Not missed")
        self.check(read(await second.next(), subscription), subscription, post)
        await second.stop()


def read(message, subscription):
    """The envelope that a message carries, decrypted the way RingCentral documents it."""
    key = subscription["deliveryMode"].get("encryptionKey")
    if key is None:
        return message.message
    cipher = AES.new(base64.b64decode(key), AES.MODE_ECB)
    text = cipher.decrypt(base64.b64decode(message.message, validate=True))
    return json.loads(unpad(text, AES.block_size).decode("utf-8"))


class Client:
    """PubNub's client, with what it tells in queues."""

    def __init__(self, configuration, subscription):
        self._pubnub = PubNub(configuration)
        self._channels = [subscription["deliveryMode"]["address"]]
        self._listener = None

    def listen(self, *others, position=None):
        """Listens from now on, or from `position` on."""
        self._channels += [other["deliveryMode"]["address"] for other in others]
        self._listener = Listener()
        self._pubnub.add_listener(self._listener)
        builder = self._pubnub.subscribe().channels(self._channels)
        if position is not None:
            builder = builder.with_timetoken(position)
        builder.execute()
        self.wait_for(PNStatusCategory.PNConnectedCategory)

    def next(self):
        try:
            return self._listener.message_queue.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise AssertionError(f"no message came within {TIMEOUT_S} s") from None

    def wait_for(self, category):
        """Waits until the client tells of that; other tidings are dropped."""
        told = []
        while category not in told:
            try:
                told.append(self._listener.statuses.get(timeout=TIMEOUT_S))
            except queue.Empty:
                raise AssertionError(f"no {category} within {TIMEOUT_S} s, but {told}") from None

    def leave(self):
        """Listens no more; what comes after this is not heard."""
        self._pubnub.unsubscribe().channels(self._channels).execute()
        self.wait_for(PNStatusCategory.PNAcknowledgmentCategory)
        self._pubnub.remove_listener(self._listener)

    def stop(self):
        self._pubnub.stop()


class Listener(SubscribeListener):
    def __init__(self):
        super().__init__()
        self.statuses = queue.Queue()

    def status(self, pubnub, status):
        self.statuses.put(status.category)


class AsyncClient:
    """PubNub's client for asyncio, which works with an event engine."""

    def __init__(self, configuration, subscription):
        self._pubnub = PubNubAsyncio(configuration)
        self._channel = subscription["deliveryMode"]["address"]
        self._messages = asyncio.Queue()
        self._connected = asyncio.Event()
        client = self

        class Callback(SubscribeCallback):
            def status(self, pubnub, status):
                if status.category == PNStatusCategory.PNConnectedCategory:
                    client._connected.set()

            def message(self, pubnub, message):
                client._messages.put_nowait(message)

            def presence(self, pubnub, presence):
                pass

        self._pubnub.add_listener(Callback())

    async def listen(self, position=None):
        builder = self._pubnub.subscribe().channels(self._channel)
        if position is not None:
            builder = builder.with_timetoken(position)
        builder.execute()
        await asyncio.wait_for(self._connected.wait(), TIMEOUT_S)

    async def next(self):
        return await asyncio.wait_for(self._messages.get(), TIMEOUT_S)

    async def stop(self):
        self._pubnub.unsubscribe_all()
        await self._pubnub.stop()


if __name__ == "__main__":
    unittest.main()
