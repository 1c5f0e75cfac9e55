"""Has python-pskc, a PSKC library of another author, read or write a container.

    python_pskc.py read FILE            each key: algorithm, digits, interval, serial, secret
    python_pskc.py write FILE           one time-based key, in the clear
    python_pskc.py write-passphrase FILE   the same under a passphrase

What has to stay secret comes by standard input: the passphrase or the pre-shared key
on the first line (empty for none), the secret in hexadecimal on the second. A key
that cannot be read is printed with its error.
"""

import sys

from pskc import PSKC
from pskc.exceptions import PSKCError


def main(words):
    what, file = words
    password = sys.stdin.readline().strip()
    if what == "read":
        container = PSKC(file)
        if password:
            open_with(container, password)
        for key in container.keys:
            print(describe(key))
        return
    secret = bytes.fromhex(sys.stdin.readline().strip())
    container = PSKC()
    container.add_key(
        id="DEMO0001",
        serial="DEMO0001",
        manufacturer="Contoso",
        model="HardwareKey",
        issuer="Contoso",
        algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp",
        algorithm_suite="SHA256",
        response_length=8,
        response_encoding="DECIMAL",
        time_interval=60,
        secret=secret,
    )
    if what == "write-passphrase":
        container.encryption.setup_pbkdf2(password, iterations=1000)
    container.write(file)


def open_with(container, password):
    if container.encryption.derivation.algorithm:
        container.encryption.derive_key(password)
    else:
        container.encryption.key = bytes.fromhex(password)


def describe(key):
    try:
        secret = key.secret.hex() if key.secret else ""
        if key.check() is False:
            secret = "wrong"
    except PSKCError as error:
        secret = type(error).__name__
    kind = (key.algorithm or "").rsplit(":", 1)[-1]
    fields = [kind, key.response_length, key.time_interval, key.serial or key.id, secret]
    return " ".join("-" if field is None else str(field) for field in fields)


main(sys.argv[1:])
