"""An XMPP account's client, driven from ordinary code: slixmpp in a thread of its own."""

import asyncio
import queue
import ssl
import threading

import slixmpp


class XmppUser:
    """Logs in at once; fails after 20 s. `inbox` gets every message stanza, errors among them."""

    def __init__(self, jid, password, port, ca_file):
        self.inbox = queue.Queue()
        self._ready = threading.Event()
        self._failed = None
        self._settings = (jid, password, port, ca_file)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(20) or self._failed:
            raise RuntimeError(f"{jid} cannot log in: {self._failed or 'no answer in 20 s'}")

    def send(self, to, body, stanza_id=None):
        def act():
            message = self._client.make_message(mto=to, mbody=body, mtype="chat")
            if stanza_id:
                message["id"] = stanza_id
            message.send()
        self._loop.call_soon_threadsafe(act)

    def show(self, show, status):
        """Tells those who watch: away, chat, dnd or xa, and words of his own."""
        self._loop.call_soon_threadsafe(lambda: self._client.send_presence(pshow=show, pstatus=status))

    def refuse(self, jid):
        """Nobody of that address may watch any more."""
        self._loop.call_soon_threadsafe(lambda: self._client.send_presence(pto=jid, ptype="unsubscribed"))

    def receive(self, seconds=20):
        return self.inbox.get(timeout=seconds)

    def close(self):
        self._loop.call_soon_threadsafe(lambda: self._client.disconnect(wait=1))
        self._thread.join(5)

    def _run(self):
        jid, password, port, ca_file = self._settings
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        client = slixmpp.ClientXMPP(jid, password)
        self._client = client
        client.ca_certs = str(ca_file)
        client.ssl_context.check_hostname = False
        client.ssl_context.minimum_version = ssl.TLSVersion.TLSv1_2
        client.add_event_handler("session_start", self._on_session)
        client.add_event_handler("failed_auth", lambda event: self._fail("authentication failed"))
        client.add_event_handler("presence_available", self._on_presence)
        client.add_event_handler("message", self.inbox.put)
        client.add_event_handler("message_error", self.inbox.put)
        client.connect(("127.0.0.1", port))
        self._loop.run_until_complete(client.disconnected)
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def _on_session(self, _event):
        self._client.send_presence()

    # Before the server has reflected it, messages still go to the account's store.
    def _on_presence(self, presence):
        if presence["from"] == self._client.boundjid:
            self._ready.set()

    def _fail(self, why):
        self._failed = why
        self._ready.set()
