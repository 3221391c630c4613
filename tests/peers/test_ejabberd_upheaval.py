"""A conversation with an account at a real ejabberd, and what may happen in the middle of it."""

import unittest

from upheaval import Over4, Over6, main


class WithEjabberd:
    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd()

    def partner_log(self):
        return (self.lab.folder / "ejabberd" / "ejabberd.log").read_text(errors="replace")

    # COMPAT(ejabberd 23.01): it has no acknowledgements between servers, and at its end drops what it has just read.
    def taken_log(self):
        return "\n".join(line for line in self.partner_log().splitlines() if "Received XML on stream" in line)


class EjabberdUpheaval(WithEjabberd, Over4, unittest.TestCase):
    pass


class EjabberdUpheavalOverIpv6(WithEjabberd, Over6, unittest.TestCase):
    pass


if __name__ == "__main__":
    main()
