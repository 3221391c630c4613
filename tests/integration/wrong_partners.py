"""Partners that no way in may let into the store: what is wrong, and what the operator must be told."""

import dataclasses

from partner_files import FIELDS

OURS, ALSO_OURS = "contoso.example", "eu.contoso.example"
THERE, THERE_TOO = "fabrikam.example", "tailspin.example"  # partners, the second with an additional domain
DENIED, DENIED_BELOW = "bad.example", "worse.example"
# Who knocked: a good one, and one whose name looks like a partner's.
KNOCKS, KNOCKS_ALIKE = "knocks.example", "fabrіkam.example"  # the third letter from the right of the label is Cyrillic
NEW = "northwind.example"

COMMANDS = ("new", "set", "accept")
IMPORTS = ("clixml", "json", "csv", "list")
WAYS = (*COMMANDS, "apply", *IMPORTS)
A_DOMAIN = "write one like partner.example"
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@dataclasses.dataclass
class Wrong:
    name: str
    record: dict        # what is said of the partner beside its domain, or with another
    says: str           # of the sentence
    remedy: str
    # By way in: (says, remedy) where it speaks of something else there, None where it cannot say this at all.
    but: dict = dataclasses.field(default_factory=dict)
    usage: bool = False  # gatehousectl refuses the words themselves, which is exit code 2

    def told(self, way):
        """The fragments that the sentence of this way has; None: the way has no such cell."""
        if way in self.but:
            return self.but[way]
        if way in IMPORTS and any(FIELDS[field][2] is None for field in self.record):
            return None
        return self.says, self.remedy


def without(*ways):
    return {way: None for way in ways}


def row(number, tls, sasl, code, remedy, **more):
    return Wrong(f"row {number} of the matrix", {"tls": tls, "sasl": sasl, "dialback": "false", **more}, f"{code}: ", remedy)


def domain(name, text, says, remedy, but=None, accepted=False):
    """A wrong primary domain. `accepted`: it may have knocked, so it could be accepted."""
    left_out = without("set") if accepted else without("set", "accept")  # they begin with a domain that is known
    return Wrong(name, {"domain": text}, says, remedy, {**left_out, **(but or {})})


def more_domains(name, texts, says, remedy, but=None):
    return Wrong(name, {"additional_domains": texts}, says, remedy, but or {})


def lync_says(says, remedy):
    return {way: (says, remedy) for way in IMPORTS}


def word(field, text, right, lync_right=None):
    but = {} if FIELDS[field][2] is None else lync_says(f"{FIELDS[field][2]} '{text}' is ", lync_right)
    return Wrong(f"{field} '{text}'", {field: text}, text, right, but, usage=True)


LEAVE_OUT = {"apply": ("on the deny list by '", "leave one of the two out")}

ROWS = [
    row(6, "not-supported", "required", "E1", "set TLS to required or dialback to true"),
    row(12, "not-supported", "optional", "E1", "set TLS to required or dialback to true"),
    row(14, "required", "not-supported", "E2", "set SASL to required or dialback to true"),
    row(16, "optional", "not-supported", "E2", "set SASL to required or dialback to true"),
    row(18, "not-supported", "not-supported", "E2", "set TLS and SASL to required or dialback to true"),
    Wrong("row 5 with strict SASL",
          {"tls": "not-supported", "sasl": "required", "dialback": "true", "strict_sasl": "true"},
          "E1: ", "set TLS to required or strict SASL to false"),
    Wrong("DANE enforced without TLS", {"tls": "not-supported", "sasl": "not-supported", "dane": "enforce"},
          "DANE cannot be enforced without TLS", "set DANE to off or TLS to required"),
    Wrong("DANE enforced on a proxy", {"proxy": "proxy.example", "dane": "enforce"},
          "DANE cannot be enforced on a proxy", "set DANE to off or leave the proxy out"),
]

# A name that could not be looked up at all, as the partner's first and as one more.
BAD_NAMES = {
    "empty": "", "no domain": "@", "an address of a user": "romeo@northwind.example", "a URL": "https://northwind.example",
    "a port": "northwind.example:5269", "an IP address": "192.0.2.1", "an IPv6 address": "[2001:db8::1]",
    "one label": "northwind", "a blank inside": "north wind.example", "a hyphen at the end": "northwind-.example",
    "an underscore": "north_wind.example", "a label of 64": "n" * 64 + ".example", "no IDN": "xn--0000000.example",
    "two dots": "northwind..example", "a control character": "north\x07wind.example", "too many octets": "n." * 600 + "example",
}
EMPTY = "the domain is empty"
NAMELESS = ("has neither Domain nor Identity", "name its domain in one of them")


def bad_name(name, text):
    if not text:
        return domain(f"domain: {name}", text, EMPTY, A_DOMAIN, lync_says(*NAMELESS))
    return domain(f"domain: {name}", text, "is not a domain", A_DOMAIN)


DOMAINS = [bad_name(name, text) for name, text in BAD_NAMES.items()] + [
    more_domains("additional domain: no domain", ["@"], "'@' is not a domain", A_DOMAIN),
    more_domains("additional domain: a blank inside", ["chat.north wind.example"], "is not a domain", A_DOMAIN,
                 without(*IMPORTS)),  # a blank parts two names there
    more_domains("additional domain: empty", ["a.example", "", "b.example"], EMPTY, A_DOMAIN, without(*IMPORTS)),
    more_domains("additional domains: 257", [f"n{number}.northwind.example" for number in range(257)],
                 "257 additional domains are too many", "at most 256"),

    domain("our own domain", OURS, f"'{OURS}' is one of our own", "a partner is somebody else's"),
    domain("our own domain, written otherwise", "Contoso.EXAMPLE.", f"'{OURS}' is one of our own", "a partner is somebody else's"),
    more_domains("our own domain among others", [ALSO_OURS], f"'{ALSO_OURS}' is one of our own", "a partner is somebody else's"),

    domain("a partner that is there", THERE, f"partner '{THERE}' exists already", f"gatehousectl partner set {THERE}",
           {"apply": (f"'{THERE}' belongs to partner '{THERE}' already", "name it once"),
            **lync_says("the partner exists already", "give --replace")}),
    domain("a domain of another partner", f"chat.{THERE_TOO}", f"is an additional domain of partner '{THERE_TOO}'",
           f"partner set {THERE_TOO} --additional-domains", {"apply": (f"belongs to partner '{THERE_TOO}'", "name it once")}),
    more_domains("another partner's domain among others", [THERE_TOO], f"'{THERE_TOO}' is a partner of its own; leave it out here",
                 f"partner remove {THERE_TOO}", {"apply": (f"belongs to partner '{THERE_TOO}'", "name it once")}),
    more_domains("another partner's additional domain", [f"chat.{THERE_TOO}"], f"additional domain of partner '{THERE_TOO}'",
                 f"partner set {THERE_TOO} --additional-domains",
                 {"apply": (f"belongs to partner '{THERE_TOO}'", "name it once")}),
    more_domains("another partner's wildcard", [f"*.{THERE_TOO}"], f"additional domain of partner '{THERE_TOO}'",
                 f"partner set {THERE_TOO} --additional-domains",
                 {"apply": (f"belongs to partner '{THERE_TOO}'", "name it once")}),
    more_domains("one domain twice", ["a.example", "A.example"], "'a.example' is named twice", "name it once"),

    domain("a denied domain", DENIED, f"on the deny list by '{DENIED}'", f"partner undeny {DENIED}", LEAVE_OUT),
    domain("below a denied wildcard", f"a.{DENIED_BELOW}", f"on the deny list by '*.{DENIED_BELOW}'", "partner undeny", LEAVE_OUT),
    more_domains("a denied domain among others", [DENIED], f"on the deny list by '{DENIED}'", f"partner undeny {DENIED}", LEAVE_OUT),
]

LOOKS = [
    domain("looks like a partner, in mixed scripts", KNOCKS_ALIKE, "mixes scripts in 'fabrіkam'", "give --allow-lookalike",
           accepted=True),
    more_domains("looks like a partner among others", [KNOCKS_ALIKE], "mixes scripts", "give --allow-lookalike"),
    more_domains("looks like a partner in one script", ["fabrikarn.example"], f"looks like '{THERE}'", "give --allow-lookalike",
                 {"set": None}),  # the partner that is set there is the one it looks like
    more_domains("looks like another one, in punycode", ["tailspіn.example".encode("idna").decode()], "mixes scripts", "give --allow-lookalike"),
]

WILDCARDS = [
    domain("a wildcard as the first domain", "*.northwind.example", "a wildcard cannot be a partner's first domain",
           "additional domain"),
    more_domains("everything", ["*"], "'*' is no wildcard", "write one like *.partner.example"),
    more_domains("a star without a dot", ["*northwind.example"], "is no wildcard", "write one like *.partner.example"),
    more_domains("a star inside", ["chat.*.northwind.example"], "is not a domain", A_DOMAIN),
    more_domains("two stars", ["*.*.northwind.example"], "is not a domain", A_DOMAIN),
    more_domains("everything below a top-level domain", ["*.example"], "everything below a top-level domain",
                 "*.partner.example"),
    more_domains("our own domain below it", [f"*.{OURS}"], f"has our own domain '{ALSO_OURS}' below it", "one by one"),
]

PROXIES = [Wrong(f"proxy '{text}'", {"proxy": text}, "is not HOST[:PORT]", "write it like proxy.partner.example:5269")
           for text in ("proxy.example:", "proxy.example:0", "proxy.example:65536", "proxy.example:xmpp", ":5269", "[::1",
                        "::1", "[proxy.example]:5269", "https://proxy.example", "proxy_1.example:5269", "192.0.2.300:5269")]

NUMBERS = [
    Wrong("connection limit absurd", {"connection_limit": 100001}, "connection limit 100001 is too large", "at most 100000"),
    *(Wrong(f"connection limit '{text}'", {"connection_limit": text}, text, "number from 0 to",
            lync_says(f"ConnectionLimit '{text}'", "number from 0 to"), usage=True)
      for text in ("-1", "1.5", "many", "0x10", "1e3", "4294967296", "+5")),
    Wrong("expired", {"expires": 1577836800}, "would have expired already", "a time to come"),
    Wrong("expires at no time", {"expires": "soon"}, "soon", "2027-01-31T18:00Z", usage=True),
    Wrong("expires when the sun is gone", {"expires": 9 * 10**18}, "expiry 9000000000000000000 is too late", "or never",
          without(*COMMANDS)),  # they take dates of four digits
]

TEXTS = [
    # An import makes one short line of what Lync lets people write.
    Wrong("description too long", {"description": "ü" * 513}, "the description has 1026 octets", "at most 1024",
          without(*IMPORTS)),
    Wrong("description with an escape", {"description": "hello\x1b[2J"}, "the description has control characters",
          "write it on one line", without(*IMPORTS)),
    Wrong("description on two lines", {"description": "one\ntwo"}, "the description has control characters",
          "write it on one line", without(*IMPORTS)),
    Wrong("description with DEL", {"description": "a\x7fb"}, "the description has control characters", "write it on one line", without(*IMPORTS)),
    Wrong("description with a control of ISO 6429", {"description": "a\x9b2Jb"}, "the description has control characters",
          "write it on one line", without(*IMPORTS)),
    Wrong("description that turns the line around", {"description": "a\u202eb"}, "the description has control characters",
          "write it on one line", without(*IMPORTS)),
    Wrong("description not in UTF-8", {"description": b"a\xffb"}, "UTF-8", "write ", without(*IMPORTS), usage=True),

    Wrong("trust anchors that are none", {"trust_anchors": "trust me\n"}, "trust anchors: no PEM certificate",
          "-----BEGIN CERTIFICATE-----"),
    Wrong("trust anchors that cannot be read", {"trust_anchors": PEM.format("AAAA")},
          "trust anchors: certificate 1 cannot be read", "-----BEGIN CERTIFICATE-----"),
    Wrong("trust anchors too large", {"trust_anchors": "x" * 70000}, "more than 32768 octets",
          "what certifies this partner", usage=True),
    Wrong("trust anchors that are not there", {"trust_anchors": "/not/there.pem"}, "'/not/there.pem' is empty or cannot be read",
          "PEM", without("apply"), usage=True),
]

LEVELS, LYNC_LEVELS = "required", "Required, Optional, NotSupported"
WORDS = [
    # Types are the operator's too, so only the engine knows their names.
    Wrong("type 'friend'", {"type": "friend"}, "'friend' is no partner type",
          "use one of federated, public-verified, public-unverified, or make it with: gatehousectl partner type new",
          {"apply": ("'friend' is no partner type", "or put it below 'partner_types:' in the file"),
           **lync_says("PartnerType 'friend' is ", "Federated, PublicVerified, PublicUnverified")}),
    Wrong("type in another case", {"type": "Federated"}, "'Federated' is no partner type", "use one of federated",
          without(*IMPORTS)),
    word("tls", "yes", LEVELS, LYNC_LEVELS),
    word("sasl", "REQUIRED!", LEVELS, LYNC_LEVELS),
    word("dialback", "maybe", "true", "True or False"),
    word("keep_alive", "2", "true", "True or False"),
    word("strict_sasl", "on", "true"),
    word("dane", "sometimes", "enforce"),
    word("enabled", "yes", "true"),
]

ALL = ROWS + DOMAINS + LOOKS + WILDCARDS + PROXIES + NUMBERS + TEXTS + WORDS
