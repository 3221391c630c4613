"""Who may speak to whom: each type of partner in both directions, contacts that are allowed and blocked while traffic
flows, and what an operator is told of a refusal."""

import asyncio
import json
import os
import re
import signal
import unittest

from traffic import Edge, lab

ANN = f"ann@{lab.SIP_DOMAIN}"
ROMEO = f"romeo@{lab.XMPP_DOMAIN}"
OTHER = "adatum.example"
DISCO_INFO = "http://jabber.org/protocol/disco#info"


async def arrival(what, happened, seconds=30):
    """Waits until `happened()` gives something true, which is returned."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := happened()):
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.02)
    return found


class PermissionScene(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("permissions", other_partners=(OTHER,))
        self.addAsyncCleanup(self.edge.stop)
        self.stream = await self.edge.connect()
        self.numbers = iter(range(1000))
        self.type = "federated"

    async def ctl(self, *words, check=True):
        return await asyncio.to_thread(self.edge.lab.ctl, *words, check=check)

    def snapshots(self):
        """How many the translator has had."""
        return sum("sip_translator/0 policy-snapshot" in line for line in self.edge.lab.gatehouse.text().splitlines())

    async def change(self, *words):
        """A command that changes the policy, and the translator judges by it when this returns."""
        before = self.snapshots()
        await self.ctl(*words)
        await arrival(f"a snapshot after {words}", lambda: self.snapshots() > before)

    async def set_type(self, word):
        if word != self.type:
            await self.change("partner", "set", lab.XMPP_DOMAIN, "--type", word)
        self.type = word

    # --- the partner's side

    def sends(self, stanza):
        """Writes a stanza of Romeo's to Ann with a fresh id, which is returned."""
        identity = f"s{next(self.numbers)}"
        self.stream.send(stanza.replace(" ", f" from='{ROMEO}/desk' id='{identity}' ", 1))
        return identity

    def writes(self, text):
        return self.sends(f"<message to='{ANN}' type='chat'><body>{text}</body></message>")

    async def answer(self, identity):
        """The stanza that came back with this id."""
        return await arrival(f"an answer to {identity}", lambda: next(
            (e for e in self.edge.partner.received if e.attributes.get("id") == identity), None))

    async def condition(self, identity):
        error = (await self.answer(identity)).child("error")
        return error.children[0].local, error.attributes["type"]

    async def reaches_ann(self, text):
        self.writes(text)
        await arrival(f"'{text}' at the SIP server",
                      lambda: text in [body for _, _, body in self.edge.sip.received])

    # --- the SIP user's side

    async def ann_writes(self, text):
        return await asyncio.wait_for(self.edge.sip.send(f"sip:{ANN}", f"sip:{ROMEO}", text), 40)


class PartnerTypes(PermissionScene):
    async def test_contacts_of_federated_and_verified_partners_speak_without_having_been_added(self):
        for word in ("federated", "public-verified"):
            with self.subTest(word):
                await self.set_type(word)
                await self.reaches_ann(f"hello of {word}")
                self.assertEqual(await self.ann_writes(f"back to {word}"), 200)
                answer = await self.answer(self.sends(f"<iq to='{ANN}' type='get'><query xmlns='{DISCO_INFO}'/></iq>"))
                self.assertEqual(answer.child("query").child("identity").attributes["category"], "account")

    async def test_a_contact_of_an_unverified_partner_speaks_once_he_was_added(self):
        await self.set_type("public-unverified")
        self.assertEqual(await self.condition(self.writes("too early")), ("forbidden", "auth"))
        for kind in ("subscribe", "probe"):
            answer = await self.answer(self.sends(f"<presence to='{ANN}' type='{kind}'/>"))
            self.assertEqual((answer.attributes["type"], answer.attributes["from"]), ("unsubscribed", ANN))
        question = f"<iq to='{ANN}' type='get'><query xmlns='{DISCO_INFO}'/></iq>"
        self.assertEqual(await self.condition(self.sends(question)), ("service-unavailable", "cancel"))
        self.assertEqual(await self.ann_writes("too early"), 403)
        self.assertRegex(self.edge.sip.last_answer.first("warning"),
                         rf'^399 {lab.SIP_DOMAIN} "contact not authorised \([0-9a-z]{{8}}\)"$')
        await self.change("contact", "allow", ANN, ROMEO)
        await self.reaches_ann("now he may")
        self.assertEqual(await self.ann_writes("so may she"), 200)
        await self.change("contact", "block", ANN, ROMEO)
        self.assertEqual(await self.condition(self.writes("not any more")), ("forbidden", "auth"))
        self.assertEqual(await self.ann_writes("nor she"), 403)
        self.assertEqual([body for _, _, body in self.edge.sip.received], ["now he may"])

    async def test_a_type_of_the_operators_own_is_live_for_its_partners_without_an_end_to_their_streams(self):
        await self.ctl("partner", "type", "new", "supplier", "--may-message-unlisted", "true")
        await self.set_type("supplier")
        await self.reaches_ann("hello of a supplier")
        self.assertEqual(await self.ann_writes("back to a supplier"), 200)
        subscribe = f"<presence to='{ANN}' type='subscribe'/>"
        self.assertEqual((await self.answer(self.sends(subscribe))).attributes["type"], "unsubscribed")
        headline = f"<message to='{ANN}' type='headline'><body>cheap %s</body></message>"
        self.sends(headline % "flights")
        await self.change("partner", "type", "set", "supplier", "--sees-note", "true")
        self.sends(headline % "parts")
        await arrival("the headline", lambda: "cheap parts" in [body for _, _, body in self.edge.sip.received])
        self.assertNotIn("cheap flights", [body for _, _, body in self.edge.sip.received])
        await self.change("partner", "type", "set", "supplier", "--may-message-unlisted", "false")
        self.assertEqual(await self.condition(self.writes("not any more")), ("forbidden", "auth"))
        self.assertEqual(await self.ann_writes("nor she"), 403)
        self.assertNotIn("stream-closed", self.edge.lab.gatehouse.text())

    async def test_nobody_learns_of_an_unverified_partner_who_exists(self):
        await self.set_type("public-unverified")
        answers = []
        for user in ("ann", "nobody"):
            identity = self.sends(f"<message to='{user}@{lab.SIP_DOMAIN}'><body>Are you there?</body></message>")
            error = (await self.answer(identity)).child("error")
            text = re.sub(r"\([0-9a-z]{8}\)", "(id)", error.child("text").text)
            answers.append((error.attributes, [child.name for child in error.children], text))
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(self.edge.sip.received, [])

    async def test_a_user_may_write_first_where_the_gateway_says_so_and_the_reply_stays_refused(self):
        await self.set_type("public-unverified")
        await self.change("gateway", "set", "--unverified-outbound-im", "allow")
        self.assertEqual(await self.ann_writes("may I?"), 200)
        self.assertEqual(await self.condition(self.writes("you may")), ("forbidden", "auth"))

    async def test_a_blocked_contact_of_a_federated_partner_is_refused_and_others_are_not(self):
        await self.change("contact", "block", ANN, ROMEO)
        self.assertEqual(await self.condition(self.writes("blocked")), ("forbidden", "auth"))
        self.stream.send(f"<message from='juliet@{lab.XMPP_DOMAIN}/x' to='{ANN}' id='j'><body>I am not</body></message>")
        await arrival("Juliet's message", lambda: [body for _, _, body in self.edge.sip.received] == ["I am not"])
        await self.change("contact", "forget", ANN, ROMEO)
        await self.reaches_ann("me neither")


class PolicyEngineAway(PermissionScene):
    async def test_what_depends_on_a_contact_waits_for_the_engine_and_what_does_not_passes(self):
        await self.set_type("public-unverified")
        await self.change("contact", "allow", ANN, ROMEO)
        engine = await asyncio.to_thread(self.edge.lab.worker_pid, "policy_engine/0")
        os.kill(engine, signal.SIGSTOP)
        waiting = self.writes("waits")
        other = await self.edge.connect(self.edge.others[0])
        self.edge.others[0].message(other, "bob", ANN, "passes", "b1")
        await arrival("the federated partner's message", lambda: self.edge.sip.received)
        self.assertEqual([body for _, _, body in self.edge.sip.received], ["passes"])
        self.assertFalse([e for e in self.edge.partner.received if e.attributes.get("id") == waiting])
        os.kill(engine, signal.SIGKILL)
        await arrival("what waited", lambda: "waits" in [body for _, _, body in self.edge.sip.received], 60)


class Explanations(PermissionScene):
    async def test_the_operator_finds_a_refusal_by_the_id_in_its_answer(self):
        await self.set_type("public-unverified")
        text = (await self.answer(self.writes("too early"))).child("error").child("text").text
        identity = re.fullmatch(r"contact not authorised \(([0-9a-z]{8})\)", text)[1]
        record = json.loads(await self.ctl("why", identity, "--json"))["refusals"][0]
        self.assertEqual((record["reason"], record["rule"], record["partner"], record["from"], record["to"]),
                         ("contact-not-authorised", "xmpp-message", lab.XMPP_DOMAIN, ROMEO, ANN))
        self.assertIn("contact allow", record["remedy"])
        self.assertIn(identity, await self.ctl("why", "--partner", lab.XMPP_DOMAIN))
        await asyncio.to_thread(self.edge.lab.gatehouse.wait_for, identity)  # the log line has it, too

    async def test_a_policy_test_says_what_traffic_then_meets(self):
        await self.set_type("public-unverified")

        async def tried(sender, to, kind):
            return json.loads(await self.ctl("policy", "test", sender, to, kind, "--json", check=False))
        before = await tried(ROMEO, ANN, "message")
        self.assertEqual((before["decision"], before["rule"], before["answer"]), ("deny", "xmpp-message", "forbidden"))
        self.assertEqual((await tried(f"sip:{ANN}", ROMEO, "message"))["answer"], "403")
        await self.change("contact", "allow", ANN, ROMEO)
        after = await tried(ROMEO, ANN, "message")
        self.assertEqual((after["decision"], after["contact_state"]), ("allow", "authorised"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
