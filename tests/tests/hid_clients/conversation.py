"""Has a program of the tests talk to a client that runs for as long as it likes.

Starting Python takes seconds in the guest, so it is started once. A request is a line
of JSON with its words; so is the answer, with what was said or how it was refused.
"""

import json
import sys


class Refused(Exception):
    """The token said no, in these words."""


def hold(talk):
    """Answers each request by `talk`, which takes the words and gives a text."""
    answers = sys.stdout
    # What a library prints by itself is nobody's answer.
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = {"said": talk(json.loads(line)), "refused": None}
        except Refused as refused:
            answer = {"said": "", "refused": str(refused)}
        print(json.dumps(answer), file=answers, flush=True)
