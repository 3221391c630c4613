"""The borders of the tree: who may include what, and who may be included by whom."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A third-party header and the folders that own it; everybody else goes through those folders' own headers.
OWNERS = {
    r"uv\.h": ("core/loop/", "ipc/"),
    r"zmq\.h": ("ipc/",),
    r"openssl/.*": ("core/tls/", "core/certificate/"),
    r"expat\.h": ("core/xmpp/", "core/ctl/lync_clixml.cc"),
    r"unicode/.*": ("core/xmpp/", "plugins/sip_translator/", "plugins/policy_engine/lookalike.cc"),
    r"osip.*": ("core/sip/",),
    r"ares\.h": ("core/loop/",),
    r"yaml-cpp/.*": ("core/config/",),
    r"sqlite3\.h": ("plugins/policy_engine/",),
    r"seccomp\.h": ("core/worker/",),
    r"CLI/.*": ("core/ctl/", "core/supervisor/"),
}


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield str(path.relative_to(ROOT)), re.findall(r'#include [<"]([^>"]+)[>"]', path.read_text())


class Layout(unittest.TestCase):
    def test_third_party_headers_are_included_by_their_owners_only(self):
        for name, includes in sources("core", "ipc", "plugins"):
            for header in includes:
                for pattern, owners in OWNERS.items():
                    if re.fullmatch(pattern, header):
                        self.assertTrue(name.startswith(owners), f"{name} includes {header}, which belongs to {owners}")

    def test_nothing_of_a_plugin_is_included_from_outside_its_folder(self):
        for name, includes in sources("core", "ipc", "plugins"):
            for header in includes:
                plugin = re.match(r"plugins/\w+/", header)
                if plugin:
                    self.assertTrue(name.startswith(plugin.group()), f"{name} includes {header}")

    def test_links_know_nothing_of_xmpp_or_sip(self):
        for name, includes in sources("ipc"):
            for header in includes:
                self.assertNotRegex(header, r"core/(xmpp|sip|policy|tls|config|worker|supervisor)/", name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
