"""Numbered messages both ways between an account at a real XMPP server and a SIP server that the scene plays itself, so that
it knows of each what its sender was told."""

import asyncio
import concurrent.futures
import queue
import secrets
import sys
import threading
import time

from scene import ROOT, lab
from xmpp_user import XmppUser

sys.path.insert(0, str(ROOT / "tests" / "fakes"))
from sip_peer import SipPeer  # noqa: E402

PAUSE_S = 0.1  # between two messages of one direction
ANN, ROMEO = f"ann@{lab.SIP_DOMAIN}", f"romeo@{lab.XMPP_DOMAIN}"
PATIENCE_S = 40  # of SipPeer, which then says 408 itself
NO_ANSWER = None


class Conversation:
    """Ann says "back N", Romeo "there N", from `start` to `end`."""

    def __init__(self, the_lab):
        self.lab = the_lab
        self._name = secrets.token_hex(4)  # no message of another conversation is taken for a repeat of ours (8.9)
        self.sent = {"there": 0, "back": 0}
        self.statuses = {}        # of "back N": what Ann was told
        self._inbox = []          # of Romeo
        self._ended = threading.Event()
        self._speaks = threading.Event()
        self._held = threading.Lock()  # by Romeo while he says something
        self._loop = asyncio.new_event_loop()
        self._threads = [threading.Thread(target=act, daemon=True) for act in (self._loop.run_forever, self._romeo_speaks)]
        self._sip = SipPeer(the_lab.ports["sip"], the_lab.ports["gatehouse_sip"])

    def start(self):
        self.romeo_comes()
        self._speaks.set()
        for thread in self._threads:
            thread.start()
        asyncio.run_coroutine_threadsafe(self._sip.listen(), self._loop).result(10)
        self._ann = asyncio.run_coroutine_threadsafe(self._ann_speaks(), self._loop)

    # --- Romeo, whom his server's end takes along

    def romeo_comes(self):
        self.romeo = XmppUser(f"{ROMEO}/laptop", lab.PASSWORD, self.lab.ports["c2s"], self.lab.authority.ca_file)
        self._speaks.set()

    def romeo_goes(self):
        """He says nothing more, and leaves once what he said has arrived or come back: what his server has not passed on
        would be lost by it alone."""
        with self._held:
            self._speaks.clear()
        lab.wait_until(lambda: not self.without_word(), 60, f"Romeo's messages are settled: {self.without_word()}")
        self._romeo_leaves()

    def _romeo_leaves(self):
        self.romeo.close()
        self._read_inbox()  # also what reached him on his way out

    def _romeo_speaks(self):
        while not self._ended.wait(PAUSE_S):
            with self._held:
                if not self._speaks.is_set():
                    continue
                self.romeo.send(ANN, f"there {self.sent['there']} {self._name}",
                                f"{self._name}-{self.sent['there']}")
                self.sent["there"] += 1

    async def _ann_speaks(self):
        requests = []
        while not self._ended.is_set():
            requests.append(asyncio.ensure_future(self._ask(self.sent["back"])))
            self.sent["back"] += 1
            await asyncio.sleep(PAUSE_S)
        await asyncio.gather(*requests)

    async def _ask(self, number):
        asked = time.monotonic()
        try:
            status = await self._sip.send(f"sip:{ANN}", f"sip:{ROMEO}", f"back {number} {self._name}")
            self.statuses[number] = status if time.monotonic() - asked < PATIENCE_S else NO_ANSWER
        except ConnectionError:
            self.statuses[number] = 0

    # --- what became of them

    def _read_inbox(self):
        while True:
            try:
                self._inbox.append(self.romeo.inbox.get_nowait())
            except queue.Empty:
                return list(self._inbox)

    def _numbers(self, bodies):
        return [int(body.split()[1]) for body in bodies if body.endswith(self._name)]

    def at_ann(self):
        return self._numbers(body for _, _, body in list(self._sip.received))

    def at_romeo(self):
        return self._numbers(message["body"] for message in self._read_inbox() if message["type"] != "error")

    def came_back(self):
        """Romeo's that came back as an error, with its condition."""
        return {int(message["id"].partition("-")[2]): message["error"]["condition"] for message in self._read_inbox()
                if message["type"] == "error" and message["id"].startswith(self._name)}

    def without_word(self):
        """Romeo's that neither arrived nor came back."""
        return sorted(set(range(self.sent["there"])) - set(self.at_ann()) - set(self.came_back()))

    def goes_on(self, count=15):
        """Waits until `count` messages that are sent from now on have arrived in each direction."""
        first = dict(self.sent)
        lab.wait_until(lambda: sum(n >= first["there"] for n in set(self.at_ann())) >= count and
                       sum(n >= first["back"] for n in set(self.at_romeo())) >= count, 90,
                       f"messages arrive both ways again; Ann was told {set(self.statuses.values())}, Romeo "
                       f"{set(self.came_back().values())}")

    def end(self, log_of_taken=lambda: ""):
        """Nobody says more; then every message is settled, or the scene has found a fault. `log_of_taken`: the words in it
        are the partner's to lose. Returns what is wrong, what was told to whom, and what came twice."""
        self._ended.set()
        self._ann.result(60)
        accepted = {number for number, status in self.statuses.items() if status == 200}

        def accepted_and_lost():
            lost = accepted - set(self.at_romeo())
            log = log_of_taken() if lost else ""
            return sorted(number for number in lost if f">back {number} {self._name}<" not in log)
        if not _becomes(lambda: accepted <= set(self.at_romeo()), 10):
            self._romeo_leaves()  # what came while he was away, or just as he came, waits in his store
            self.romeo_comes()
        _becomes(lambda: not accepted_and_lost() and not self.without_word(), 90)
        fault = {
            "Romeo's without word": self.without_word(),
            "accepted from Ann, not arrived": accepted_and_lost(),
            "Ann's without answer": sorted(n for n in range(self.sent["back"]) if self.statuses.get(n) is NO_ANSWER),
        }
        told = {"Romeo's came back": self.came_back(),
                "Ann's refused": {n: status for n, status in self.statuses.items() if status != 200}}
        twice = {"at Ann": len(self.at_ann()) - len(set(self.at_ann())),
                 "at Romeo": len(self.at_romeo()) - len(set(self.at_romeo()))}
        return {name: found for name, found in fault.items() if found}, told, twice

    def close(self):
        self._ended.set()
        concurrent.futures.wait([self._ann], 60)
        self.romeo.close()
        asyncio.run_coroutine_threadsafe(self._sip.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(10)


def _becomes(condition, seconds):
    try:
        return lab.wait_until(condition, seconds, "")
    except TimeoutError:
        return False
