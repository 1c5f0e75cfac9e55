"""Has ykman run its own command lines, one after the other.

    WORD ...            as on the command line: `otp`, `info`

What ends with another code than 0 is refused with what it said.
"""

from click.testing import CliRunner
from conversation import Refused, hold
from ykman._cli.__main__ import cli


def talk(words):
    ended = CliRunner().invoke(cli, words)
    if ended.exit_code != 0:
        raise Refused(f"{ended.exit_code}: {ended.output}{ended.exception!r}")
    return ended.output


hold(talk)
