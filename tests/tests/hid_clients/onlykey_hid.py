"""Has the library of OnlyKey's maker talk to the one OnlyKey that is there.

    time SECONDS                    what the key says to the time
    labels                          numbers and labels of the slots, one a line
    label SLOT TEXT
    totp SLOT KEY                   a key in base32, as the maker's program gives it
    wipe SLOT

The maker's program (`onlykey-cli`) makes the same calls, and asks for keys in a
terminal.
"""

import base64
import io
from contextlib import redirect_stdout

from conversation import Refused, hold
from onlykey.client import MessageField, OnlyKey


def talk(words):
    key = OnlyKey()
    try:
        return ask(key, words)
    except RuntimeError as refused:
        raise Refused(str(refused)) from refused
    finally:
        key.close()


def ask(key, words):
    match words:
        case ["time", seconds]:
            key.set_time(int(seconds))
            return key.read_string(timeout_ms=3000)
        case ["labels"]:
            return "\n".join(f"{slot.number}|{slot.label}" for slot in key.getlabels())
        case ["label", slot, text]:
            return printed(key.setslot, int(slot), MessageField.LABEL, text)
        case ["totp", slot, secret]:
            kind = printed(key.setslot, int(slot), MessageField.TFATYPE, "g")
            secret = list(base64.b32decode(secret))
            return kind + printed(key.setslot, int(slot), MessageField.TOTPKEY, secret)
        case ["wipe", slot]:
            return printed(key.wipeslot, int(slot))


def printed(call, *words):
    said = io.StringIO()
    with redirect_stdout(said):
        call(*words)
    return said.getvalue()


hold(talk)
