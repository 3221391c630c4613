"""`gatehousectl why`: what was refused, by whichever worker, and what an operator can do about it. Two listeners."""

import asyncio
import json
import os
import re
import signal
import subprocess
import unittest

from traffic import Edge, lab
from sip_peer import Watcher  # found by way of traffic
from xmpp_partner import Stream, XmppPartner

ANN = f"ann@{lab.SIP_DOMAIN}"
ROMEO = f"romeo@{lab.XMPP_DOMAIN}"
STRANGER = "stranger.example"
PATIENCE_S = 30


class Why(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("why", listeners=2, limits=("connections_per_minute: 100000",))
        self.addAsyncCleanup(self.edge.stop)

    async def ctl(self, *words, check=True):
        return await asyncio.to_thread(self.edge.lab.ctl, *words, check=check)

    async def why(self, *words):
        return json.loads(await self.ctl("why", *words, "--json")).get("refusals", [])

    async def run_why(self, *words):
        """The same, with all that the program says."""
        return await asyncio.to_thread(subprocess.run, [
            self.edge.lab.build / "bin" / "gatehousectl", "--runtime-dir", self.edge.lab.folder / "run", "why", *words],
            capture_output=True, text=True, timeout=PATIENCE_S)

    async def until(self, what, look):
        """Asks again until `look()` gives something true, which is returned."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not (found := await look()):
            self.assertLess(asyncio.get_running_loop().time(), end, what)
            await asyncio.sleep(0.05)
        return found

    def log_lines(self, identity):
        return [line for line in self.edge.lab.gatehouse.text().splitlines() if identity in line]

    async def logged(self, identity):
        """The first line of the log with this id, once it is there."""
        await asyncio.to_thread(lab.wait_until, lambda: self.log_lines(identity), 20, f"a line with {identity}")
        return self.log_lines(identity)[0]

    async def knock(self, domain):
        """A stream with this name on it; the condition and the text that end it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.edge.lab.ports["xmpp"])
        stream = Stream(reader, writer)
        stream.header(domain, lab.SIP_DOMAIN)
        try:
            await asyncio.wait_for(stream.expect("header"), PATIENCE_S)
            error = await asyncio.wait_for(stream.expect("element", "error"), PATIENCE_S)
        finally:
            stream.close()
        return error.children[0].local, error.child("text").text

    async def test_a_stranger_is_named_with_the_reason_and_the_remedy(self):
        condition, text = await self.knock(STRANGER)
        self.assertEqual(condition, "policy-violation")
        identity = re.fullmatch(r"not a partner \(([0-9a-z]{8})\)", text)[1]
        listed = await self.ctl("why", "--list")
        self.assertRegex(listed, rf"(?m)^{identity} .* {STRANGER} +{lab.SIP_DOMAIN} +stream +unknown-partner +policy-violation$")
        self.assertIn("unknown-partner\n    the remote domain is no partner's\n    remedy: add it with", listed)
        record, = await self.why(identity)
        self.assertEqual((record["partner"], record["from"], record["to"], record["kind"], record["direction"]),
                         (STRANGER, STRANGER, lab.SIP_DOMAIN, "stream", "xmpp-to-sip"))
        self.assertIn("partner new DOMAIN", await self.ctl("why", identity))
        line, = self.log_lines(identity)
        self.assertIn("stream-closed", line)
        self.assertIn("reason=unknown-partner", line)
        nobodys = await self.run_why("7f3kq2mx")
        self.assertEqual((nobodys.returncode, nobodys.stdout), (1, ""))
        self.assertIn("no refusal '7f3kq2mx' is remembered", nobodys.stderr)

    async def test_what_is_no_partner_for_other_reasons_is_told_the_same(self):
        await self.ctl("partner", "new", "off.example", "--enabled", "false")
        await self.ctl("partner", "deny", "bad.example")

        async def once_known(domain, reason):
            async def knocked():
                self.assertRegex((await self.knock(domain))[1], r"^not a partner \([0-9a-z]{8}\)$")
                return any(record["reason"] == reason for record in await self.why("--partner", domain))
            await self.until(f"{domain} is refused for {reason}", knocked)
        await once_known("off.example", "partner-disabled")
        await once_known("bad.example", "domain-denied")

    async def test_one_list_of_both_listeners(self):
        async def both():
            await self.knock(STRANGER)
            ids = {record["id"] for record in await self.why("--partner", STRANGER)}
            return ids if len(ids) == 2 else None
        # Each listener tells of the same thing once a minute, and which of them a connection comes to is chance.
        ids = await self.until("both listeners refused it", both)
        for identity in ids:
            self.assertEqual([record["id"] for record in await self.why(identity)], [identity])
        await self.knock("other.example")
        times = [int(record["at_unix_ms"]) for record in await self.why("--list")]
        self.assertGreaterEqual(len(times), 3)
        self.assertEqual(times, sorted(times, reverse=True))

    async def test_a_listener_that_does_not_answer_hides_nothing_of_the_others(self):
        async def both():
            await self.knock(STRANGER)
            return len(await self.why("--partner", STRANGER)) == 2
        await self.until("both listeners refused it", both)
        stopped = await asyncio.to_thread(self.edge.lab.worker_pid, "tls_listener/1")
        os.kill(stopped, signal.SIGSTOP)
        try:
            done = await self.run_why("--partner", STRANGER)
        finally:
            os.kill(stopped, signal.SIGCONT)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, "tls_listener/1 did not answer within 2 s; what it remembers is missing here\n")
        self.assertEqual(len(re.findall(rf"(?m)^[0-9a-z]{{8}} .*{STRANGER}", done.stdout)), 1)

    async def test_a_partner_with_a_bad_certificate(self):
        await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--sasl", "required", "--dialback", "false")
        authority = self.edge.lab.authority
        untrusted = XmppPartner(lab.XMPP_DOMAIN, *authority.self_signed(lab.XMPP_DOMAIN), authority.ca_file)

        async def refused():
            try:
                (await untrusted.connect(self.edge.lab.ports["xmpp"], lab.SIP_DOMAIN)).close()
            except ConnectionError as problem:  # before the snapshot, too: EXTERNAL is not offered to it
                self.assertRegex(str(problem), "not-authorized|mechanisms|features")
            return [record for record in await self.why("--partner", lab.XMPP_DOMAIN)
                    if record["reason"] == "certificate-refused"]
        record = (await self.until("its certificate is refused", refused))[0]
        self.assertEqual((record["kind"], record["rule"], record["answer"]), ("stream", "row-2", "not-authorized"))
        self.assertRegex(record["sentence"], r"does not prove its domain.*\(not trusted: .*self.signed")
        self.assertIn("test stream", record["remedy"])
        self.assertIn("certificate-refused", await self.logged(record["id"]))

    async def test_a_presence_that_is_dropped_without_a_word(self):
        stream = await self.edge.connect()
        for number in range(200):
            stream.send(f"<presence from='{ROMEO}/desk' to='{ANN}' id='p{number}'/>")
        stream.send(f"<message from='juliet@{lab.XMPP_DOMAIN}/x' to='{ANN}' id='m1' type='groupchat'><body>Hi</body></message>")

        async def both():
            records = await self.why("--partner", lab.XMPP_DOMAIN)
            return records if {"presence", "groupchat"} <= {record["kind"] for record in records} else None
        records = await self.until("the presence and the message are remembered", both)
        self.assertEqual(sorted((record["kind"], record["reason"], record.get("answer", "")) for record in records),
                         [("groupchat", "group-chat", "service-unavailable"), ("presence", "not-awaited", "")])
        dropped, = (record for record in records if record["kind"] == "presence")
        self.assertEqual((dropped["from"], dropped["to"]), (ROMEO, ANN))
        self.assertRegex(await self.ctl("why", dropped["id"]), r"(?m)^answer +nothing is told$")
        self.assertRegex(await self.ctl("why", "--partner", lab.XMPP_DOMAIN), r"(?m)not-awaited +nothing is told$")
        self.assertFalse(self.log_lines(dropped["id"]))

    def warned_id(self):
        """The id in the Warning of the last answer to the SIP side."""
        warning = self.edge.sip.last_answer.first("warning")
        found = re.fullmatch(r'399 \S+ ".* \(([0-9a-z]{8})\)"', warning)
        self.assertTrue(found, warning)
        return found[1]

    async def test_a_sip_sender_of_a_domain_that_is_not_ours(self):
        for send in (self.edge.sip.send("sip:eve@other.example", f"sip:{ROMEO}", "hello?"),
                     self.edge.sip.subscribe(Watcher("sip:eve@other.example", f"sip:{ROMEO}"))):
            self.assertEqual(await send, 403)
            record, = await self.why(self.warned_id())
            self.assertEqual((record["from"], record["to"], record["reason"], record["answer"]),
                             ("eve@other.example", ROMEO, "not-our-user", "403"))
            line, = self.log_lines(record["id"])
            self.assertIn("reason=not-our-user", line)

    async def test_sip_requests_that_are_not_served(self):
        self.edge.sip.last_answer = None
        for method, to, extra, status, kind, reason in (
                ("REGISTER", f"sip:{lab.SIP_DOMAIN}", "", 405, "request", "unreadable-content"),
                ("CANCEL", f"sip:{ROMEO}", "", 481, "request", "no-such-dialog"),
                ("SUBSCRIBE", f"sip:{ROMEO}", "Require: adhoclist\r\nEvent: presence\r\n", 420, "subscribe", "unreadable-content")):
            answer = await self.edge.sip.request(method, to, f"sip:{ANN}", extra)
            self.assertEqual(answer.status, status, method)
            record, = await self.why(self.warned_id())
            self.assertEqual((record["from"], record["kind"], record["reason"], record["answer"]),
                             (ANN, kind, reason, str(status)))
            line, = self.log_lines(record["id"])
            self.assertIn(f"request-refused method={method}", line)
            self.assertIn(f"reason={reason}", line)
        again = Watcher(f"sip:{ANN}", f"sip:{ROMEO}")
        again.remote_tag = "gone"
        self.assertEqual(await self.edge.sip.subscribe(again), 481)
        record, = await self.why(self.warned_id())
        self.assertEqual((record["to"], record["kind"], record["reason"]), (ROMEO, "subscribe", "no-such-dialog"))
        self.assertIn("subscribe-refused", await self.logged(record["id"]))

    async def test_sip_requests_that_are_wrong_in_themselves(self):
        """Each answer's Warning leads to the record, the list and the log line; repeating it makes no second record."""
        presence = "Event: presence\r\n"
        cases = (
            ("MESSAGE", {"hops": 0}, 483, "message", "routing-loop", "Too Many Hops"),
            ("MESSAGE", {"extra": f"P-Asserted-Identity: <sip:eve@{lab.SIP_DOMAIN}>\r\n"}, 403, "message", "identity-mismatch",
             "(MESSAGE: Forbidden"),
            ("SUBSCRIBE", {"extra": "Event: dialog\r\n"}, 489, "subscribe", "unreadable-content", "not the presence event"),
            ("SUBSCRIBE", {"extra": presence + "Accept: text/plain\r\n"}, 406, "subscribe", "unreadable-content",
             "PIDF is not accepted"),
            ("SUBSCRIBE", {"extra": presence + "Expires: 5\r\n"}, 423, "subscribe", "interval-too-brief", "expires too soon"),
            ("SUBSCRIBE", {"extra": presence}, 400, "subscribe", "malformed-request", "not one usable Contact"),
            ("MESSAGE", {"extra": "Max-Forwards: 70\r\n"}, 400, "request", "malformed-request", "Repeated Header"),
            ("REGISTER", {}, 405, "request", "unreadable-content", "(REGISTER: Method Not Allowed"),
            ("PUBLISH", {}, 405, "request", "unreadable-content", "(PUBLISH: Method Not Allowed"))
        ids = []
        for number, (method, shape, status, kind, reason, words) in enumerate(cases):
            if number % 3 == 0:
                await asyncio.sleep(1.1)  # of ten in a second each is logged, of more a sample
            for _ in range(3):
                answer = await self.edge.sip.request(method, f"sip:{ROMEO}", f"sip:{ANN}", **shape)
                self.assertEqual(answer.status, status, (method, shape))
                ids.append(self.warned_id())
            self.assertEqual(len(set(ids[-3:])), 1, (method, shape))
            record, = await self.why(ids[-1])
            self.assertEqual((record["kind"], record["reason"], record["answer"]), (kind, reason, str(status)))
            self.assertIn(f"{words})", record["sentence"])
            self.assertIn(record["sentence"].partition(" (")[0], answer.first("warning"))
            self.assertEqual(record["from"], "127.0.0.1" if words == "Repeated Header" else ANN)
            self.assertIn(f"reason={reason}", await self.logged(ids[-1]))
        self.assertEqual(len(set(ids)), len(cases))
        listed = {record["id"] for record in await self.why("--list")}
        self.assertLessEqual(set(ids), listed)

        async def counted():
            status = json.loads(await self.ctl("status", "--json"))
            translator, = (worker for worker in status["workers"] if worker["name"] == "sip_translator/0")
            return [counter["value"] for counter in translator["counters"]
                    if counter.get("labels") == '{reason="interval-too-brief",status="423"}']
        self.assertEqual(await self.until("the metric says so too", counted), [3])

    async def test_what_a_partner_is_told_of_its_stanzas_leads_to_the_record(self):
        self.edge.sip.refuses_late = ("ann", 0)
        stream = await self.edge.connect()
        stream.send(f"<message from='{ROMEO}/desk' to='{ANN}' id='m1' type='chat'><body>Hi</body></message>"
                    f"<iq from='{ROMEO}/desk' to='{lab.SIP_DOMAIN}' id='q1' type='get'><query xmlns='jabber:iq:version'/></iq>"
                    f"<message from='{ROMEO}/desk' to='{ANN}' id='m2' type='chat'><body>{'x' * 300_000}</body></message>")

        async def answered():
            errors = {element.attributes.get("id"): element.child("error") for element in self.edge.partner.received}
            return errors if {"m1", "q1", "m2"} <= set(errors) else None
        errors = await self.until("all three are answered", answered)
        for stanza, kind, reason, condition in (("m1", "message", "next-hop-refused", "item-not-found"),
                                                ("q1", "domain-iq", "unreadable-content", "service-unavailable"),
                                                ("m2", "message", "too-large", "policy-violation")):
            identity = re.search(r" \(([0-9a-z]{8})\)$", errors[stanza].child("text").text)[1]
            record, = await self.why(identity)
            self.assertEqual((record["from"], record["kind"], record["reason"], record["answer"], record["direction"]),
                             (ROMEO, kind, reason, condition, "xmpp-to-sip"))
            self.assertIn(f"reason={reason}", await self.logged(identity))
        refused, = (record for record in await self.why("--partner", lab.XMPP_DOMAIN) if record["reason"] == "next-hop-refused")
        self.assertIn("404 Not Found", refused["sentence"])

    async def test_partners_that_cannot_be_reached(self):
        await self.edge.partner.stop()
        self.assertIn(await self.edge.sip.send(f"sip:{ANN}", f"sip:{ROMEO}", "hello?"), (408, 480))
        said = self.warned_id()
        records = {record["kind"]: record for record in await self.why("--partner", lab.XMPP_DOMAIN)}
        self.assertEqual(set(records), {"stream", "message"})
        message = records["message"]
        self.assertEqual((message["id"], message["from"], message["to"], message["reason"], message["direction"]),
                         (said, ANN, ROMEO, "not-handed-over", "sip-to-xmpp"))
        self.assertIn("message-refused", await self.logged(said))
        record = records["stream"]
        self.assertEqual((record["from"], record["to"], record["kind"], record["direction"], record["reason"]),
                         (lab.SIP_DOMAIN, lab.XMPP_DOMAIN, "stream", "sip-to-xmpp", "partner-unreachable"))
        self.assertIn(f"127.0.0.1:{self.edge.lab.ports['s2s']}", record["sentence"])
        self.assertIn("stream-out-failed", await self.logged(record["id"]))
        await self.ctl("partner", "new", "nowhere.example", "--type", "federated")  # DNS does not know it

        async def sent():
            return await self.edge.sip.send(f"sip:{ANN}", "sip:bob@nowhere.example", "hello?") and [
                record for record in await self.why("--partner", "nowhere.example") if record["kind"] == "stream"]
        record = (await self.until("no server is found", sent))[0]
        self.assertIn(record["reason"], ("no-server-found", "dns-trouble"))
        self.assertIn("DNS", record["sentence"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
