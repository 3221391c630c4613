"""A CA as an operator meets one: signs requests, by the openssl command."""

import hashlib
import subprocess

from own_certificates import US


class Authority:
    """A CA as an operator meets one: signs requests, by the openssl command."""

    def __init__(self, authority):
        self.ca, self.folder = authority, authority.folder

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def sign(self, request, names=None, purposes="serverAuth,clientAuth", days=90, digest="-sha256"):
        """What it issues for that request; `names` in place of those it asks for."""
        stem = request.with_suffix("")
        extensions = stem.with_suffix(".ext")
        lines = ["keyUsage=digitalSignature", f"extendedKeyUsage={purposes}"]
        if names:
            lines.append("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        extensions.write_text("\n".join(lines) + "\n")
        issued = stem.with_suffix(".pem")
        copy = [] if names else ["-copy_extensions", "copy"]
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca.ca_file, "-CAkey", self.ca.ca_key, "-CAcreateserial",
                     "-days", days, digest, "-extfile", extensions, *copy, "-out", issued)
        return issued

    def key_and_request(self, name, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        key_file, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        self.openssl("req", "-new", "-newkey", *key, "-nodes", "-subj", f"/CN={US}", "-keyout", key_file, "-out", request)
        return key_file, request

    @staticmethod
    def key_digest(certificate):
        """SHA-256 of its public key, as a TLSA record 3 1 1 has it."""
        key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True, capture_output=True, input=key).stdout
        return hashlib.sha256(der).hexdigest()
