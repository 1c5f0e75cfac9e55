"""Has the library of Nitrokey's maker talk to the one Nitrokey 3 on CTAPHID.

    list                kinds, properties and names, one entry a line
    code NAME STEP      the code for a time step
    add NAME KEY        a key in base32
    delete NAME

What the app refuses is told by its status word.
"""

import base64

from conversation import Refused, hold
from nitrokey.nk3 import NK3
from nitrokey.nk3.secrets_app import Algorithm, Kind, SecretsApp, SecretsAppException
from nitrokey.trussed import Transport


def talk(words):
    keys = NK3.list(transport=Transport.CTAPHID)
    if len(keys) != 1:
        raise Refused(f"{len(keys)} Nitrokeys on CTAPHID")
    with keys[0] as key:
        try:
            return ask(SecretsApp(key), words)
        except SecretsAppException as refused:
            raise Refused(refused.code) from refused


def ask(app, words):
    match words:
        case ["list"]:
            items = app.list_with_properties()
            lines = (f"{item.kind.name}|{item.properties}|{item.label.decode()}" for item in items)
            return "\n".join(lines)
        case ["code", name, step]:
            return app.calculate(name.encode(), int(step)).decode()
        case ["add", name, key]:
            app.register(name.encode(), base64.b32decode(key), 6, Kind.Totp, Algorithm.Sha1)
            return ""
        case ["delete", name]:
            app.delete(name.encode())
            return ""


hold(talk)
