"""What a link between workers cannot deliver, its sender hears of: XMPP and SIP side alike."""

import asyncio
import unittest

from traffic import Edge, lab

ANN = f"ann@{lab.SIP_DOMAIN}"
ROMEO = f"romeo@{lab.XMPP_DOMAIN}"


async def arrival(what, happened, seconds=20):
    """Waits until `happened()` gives something true, which is returned."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := happened()):
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.02)
    return found


def stanza_error(edge, identity):
    """Condition and type of the error that came back for the stanza with this id, or None."""
    for element in edge.partner.received:
        if element.attributes.get("type") == "error" and element.attributes.get("id") == identity:
            error = element.child("error")
            return error.children[0].local, error.attributes["type"]
    return None


class TooLargeForTheLink(unittest.IsolatedAsyncioTestCase):
    async def test_both_senders_are_told_and_what_fits_still_passes(self):
        def small_link(topology):
            return topology.replace("max_message_bytes: 2097152", "max_message_bytes: 20000")
        edge = await Edge.start("small-link", change_topology=small_link)
        self.addAsyncCleanup(edge.stop)
        stream = await edge.connect()
        edge.partner.message(stream, "romeo", ANN, "x" * 30000, "large")
        edge.partner.message(stream, "romeo", ANN, "fits", "small")
        told = await arrival("a stanza error", lambda: stanza_error(edge, "large"))
        self.assertEqual(told, ("policy-violation", "modify"))
        await arrival("the message that fits", lambda: [body for _, _, body in edge.sip.received] == ["fits"])
        status = await asyncio.wait_for(edge.sip.send(f"sip:{ANN}", f"sip:{ROMEO}", "y" * 30000), 20)
        self.assertEqual(status, 403)
        status = await asyncio.wait_for(edge.sip.send(f"sip:{ANN}", f"sip:{ROMEO}", "fits too"), 20)
        self.assertEqual(status, 200)


class Draining(unittest.IsolatedAsyncioTestCase):
    async def test_a_restarted_listener_still_sends_the_errors_of_what_it_handed_over(self):
        edge = await Edge.start("drain-with-error")
        self.addAsyncCleanup(edge.stop)
        await asyncio.to_thread(edge.lab.ctl, "worker", "scale", "tls_listener", "1")
        edge.sip.refuses_late = ("ann", 1)
        stream = await edge.connect()
        edge.partner.message(stream, "romeo", ANN, "nobody home", "late")
        await arrival("the message", lambda: edge.sip.received)
        await asyncio.to_thread(edge.lab.ctl, "worker", "restart", "tls_listener/0")
        told = await arrival("a stanza error", lambda: stanza_error(edge, "late"))
        self.assertEqual(told, ("item-not-found", "cancel"))

    async def test_a_translator_born_after_a_listener_was_drained_uses_the_other(self):
        edge = await Edge.start("drained-before")
        self.addAsyncCleanup(edge.stop)
        await asyncio.to_thread(edge.lab.ctl, "worker", "scale", "tls_listener", "2")
        owner = f"tls_listener/{fnv1a(f'{lab.SIP_DOMAIN} {lab.XMPP_DOMAIN}') % 2}"
        await asyncio.to_thread(edge.lab.ctl, "worker", "drain", owner)
        await asyncio.to_thread(edge.lab.ctl, "worker", "restart", "sip_translator/0")
        status = await asyncio.wait_for(edge.sip.send(f"sip:{ANN}", f"sip:{ROMEO}", "by the other"), 50)
        self.assertEqual(status, 200)


def fnv1a(text):
    """How the translator picks the listener of a domain pair."""
    value = 14695981039346656037
    for octet in text.encode():
        value = (value ^ octet) * 1099511628211 % 2**64
    return value


class NoListeningPartner(unittest.IsolatedAsyncioTestCase):
    async def test_who_waited_for_the_attempt_gets_408_who_comes_later_480(self):
        edge = await Edge.start("nobody-listens", other_partners=("adatum.example",))
        self.addAsyncCleanup(edge.stop)
        await edge.others[0].stop()

        async def send(number):
            return await asyncio.wait_for(edge.sip.send(f"sip:{ANN}", "sip:bob@adatum.example", f"n={number}"), 20)
        self.assertEqual(await send(0), 408)
        statuses = [await send(number) for number in range(1, 4)]
        self.assertEqual(statuses[-1], 480, statuses)


if __name__ == "__main__":
    unittest.main(verbosity=2)
