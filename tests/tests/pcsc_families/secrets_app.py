"""Has the library of Nitrokey's maker talk to the one Nitrokey 3 on PC/SC.

    secrets_app.py list             kinds, properties and names, one entry a line
    secrets_app.py code NAME STEP   the code for a time step
    secrets_app.py add NAME         a key in base32 is read from standard input
    secrets_app.py add-uri          a Key URI is read from standard input
    secrets_app.py set-pin          a PIN is read from standard input
    secrets_app.py add-guarded NAME a PIN and a key in base32, one a line

What the app refuses ends with exit code 3 and its status word on standard error.
"""

import base64
import sys

from nitrokey.nk3 import NK3
from nitrokey.nk3.secrets_app import Algorithm, Kind, SecretsApp, SecretsAppException
from nitrokey.trussed import Transport


def main(words):
    keys = NK3.list(transport=Transport.CCID)
    if len(keys) != 1:
        sys.exit(f"{len(keys)} Nitrokeys on PC/SC")
    with keys[0] as key:
        app = SecretsApp(key)
        try:
            talk(app, words)
        except SecretsAppException as refused:
            print(refused.code, file=sys.stderr)
            sys.exit(3)


def talk(app, words):
    match words:
        case ["list"]:
            for item in app.list_with_properties():
                print(item.kind.name, item.properties, item.label.decode(), sep="|")
        case ["code", name, step]:
            print(app.calculate(name.encode(), int(step)).decode())
        case ["add", name]:
            register(app, name, secret())
        case ["add-uri"]:
            app.register_uri(sys.stdin.readline().strip())
        case ["set-pin"]:
            app.set_pin_raw(sys.stdin.readline().strip())
        case ["add-guarded", name]:
            pin = sys.stdin.readline().strip()
            key = secret()
            app.verify_pin_raw(pin)
            register(app, name, key, pin_based_encryption=True)
        case _:
            sys.exit(__doc__)


def register(app, name, key, **more):
    app.register(name.encode(), key, 6, Kind.Totp, Algorithm.Sha1, **more)


def secret():
    return base64.b32decode(sys.stdin.readline().strip())


main(sys.argv[1:])
