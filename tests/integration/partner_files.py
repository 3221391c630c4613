"""A partner's record as each way into the store writes it. A record is a dictionary by the names of FIELDS; a value that is
no good is written as it is."""

import datetime
import json
from xml.sax.saxutils import escape, quoteattr

# How the ways in call a field: flag of gatehousectl, key of `apply`, property of Lync's export; None: it has no such thing.
FIELDS = {
    "domain":             ("",                     "domain",             "Domain"),
    "additional_domains": ("--additional-domains", "additional_domains", "AdditionalDomains"),
    "type":               ("--type",               "type",               "PartnerType"),
    "tls":                ("--tls",                "tls",                "TlsNegotiation"),
    "sasl":               ("--sasl",               "sasl",               "SaslNegotiation"),
    "dialback":           ("--dialback",           "dialback",           "SupportDialbackNegotiation"),
    "connection_limit":   ("--connection-limit",   "connection_limit",   "ConnectionLimit"),
    "keep_alive":         ("--keep-alive",         "keep_alive",         "EnableKeepAlive"),
    "proxy":              ("--proxy",              "proxy",              "ProxyFqdn"),
    "description":        ("--description",        "description",        "Description"),
    "strict_sasl":        ("--strict-sasl",        "strict_sasl",        None),
    "dane":               ("--dane",               "dane",               None),
    "enabled":            ("--enabled",            "enabled",            None),
    "expires":            ("--expires",            "expires_unix",       None),
    "trust_anchors":      ("--trust",              "trust_anchors",      None),
}
TEXTS = ("domain", "proxy", "description", "trust_anchors")
LYNC_WORDS = {"required": "Required", "optional": "Optional", "not-supported": "NotSupported", "federated": "Federated",
              "public-verified": "PublicVerified", "public-unverified": "PublicUnverified", "true": "True", "false": "False"}


def lync(record):
    """The record by the names of Lync's export; None where that cannot say it."""
    if any(FIELDS[field][2] is None for field in record):
        return None
    named = {"Identity": record.get("domain", "")}
    for field, value in record.items():
        named[FIELDS[field][2]] = LYNC_WORDS.get(value, value) if isinstance(value, str) else value
    return named


# --- gatehousectl's flags

def flags(record, folder):
    """The words behind `partner new DOMAIN`. A PEM text goes into a file below `folder`, where it is not a path."""
    words = []
    for field, value in record.items():
        if field == "domain":
            continue
        if field == "additional_domains":
            value = ",".join(value)
        if field == "trust_anchors" and not value.startswith("/"):
            file = folder / "anchors.pem"
            file.write_text(value, encoding="utf-8")
            value = str(file)
        if field == "expires" and isinstance(value, int):
            value = datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        words += [FIELDS[field][0], value if isinstance(value, bytes) else str(value)]
    return words


# --- the file of `apply`

def yaml(record):
    """One entry of the group `partners:`, as bytes."""
    lines = []
    for field, value in record.items():
        if field == "additional_domains":
            text = "[" + ", ".join(json.dumps(domain) for domain in value) + "]"
        elif isinstance(value, bytes):
            lines.append(FIELDS[field][1].encode() + b': "' + value + b'"')
            continue
        else:
            text = json.dumps(value, ensure_ascii=False) if field in TEXTS else str(value)
        lines.append(f"{FIELDS[field][1]}: {text}".encode())
    return b"  - " + b"\n    ".join(lines) + b"\n"


# --- what Lync's shell writes

def clixml(named):
    """Export-Clixml."""
    properties = "".join(_clixml_value(name, value) for name, value in named.items())
    return ('<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><TN RefId="0">'
            "<T>Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner</T></TN>"
            f"<Props>{properties}</Props></Obj></Objs>").encode()


def _clixml_value(name, value):
    if isinstance(value, list):
        items = "".join(f"<S>{escape(item)}</S>" for item in value)
        return f'<Obj N={quoteattr(name)} RefId="9"><LST>{items}</LST></Obj>'
    if name in ("PartnerType", "TlsNegotiation", "SaslNegotiation"):
        return f'<Obj N={quoteattr(name)} RefId="1"><ToString>{escape(value)}</ToString><I32>0</I32></Obj>'
    if isinstance(value, int):
        return f"<U32 N={quoteattr(name)}>{value}</U32>"
    text = "".join(f"_x{ord(c):04X}_" if ord(c) < 0x20 or ord(c) == 0x7f else escape(c) for c in value)
    return f"<S N={quoteattr(name)}>{text}</S>"


def lync_json(named):
    """ConvertTo-Json."""
    values = {name: {"True": True, "False": False}.get(value, value) if isinstance(value, str) else value
              for name, value in named.items()}
    return json.dumps([values], ensure_ascii=False).encode()


def csv(named):
    """Export-Csv."""
    def field(value):
        text = "{" + ", ".join(value) + "}" if isinstance(value, list) else str(value)
        return '"' + text.replace('"', '""') + '"'
    return (",".join(f'"{name}"' for name in named) + "\r\n" + ",".join(map(field, named.values())) + "\r\n").encode()


def format_list(named):
    """Format-List; as the shell does where a line is full, a value with a line end goes on indented."""
    def text(value):
        return "{" + ", ".join(value) + "}" if isinstance(value, list) else str(value)
    return ("\r\n" + "".join(f"{name:<27}: {text(value)}\r\n" for name, value in named.items()) + "\r\n").encode()
