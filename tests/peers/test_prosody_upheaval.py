"""A conversation with an account at a real Prosody, and what may happen in the middle of it."""

import unittest

from upheaval import Over4, Over6, main


class WithProsody:
    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def partner_log(self):
        return self.lab.partner.text()

    def taken_log(self):
        return ""  # what it has not acknowledged it has not taken


class ProsodyUpheaval(WithProsody, Over4, unittest.TestCase):
    pass


class ProsodyUpheavalOverIpv6(WithProsody, Over6, unittest.TestCase):
    pass


if __name__ == "__main__":
    main()
