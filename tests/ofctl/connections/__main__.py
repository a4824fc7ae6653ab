# SPDX-License-Identifier: Apache-2.0
"""Plays the scenes with each of the switches (NAME=NAMESPACE=RUNDIR ...), and compares what their flows have counted."""
import difflib
import os
import re
import sys
import time
import traceback

import chance
import endings
import firewall
import flush
import fragments
import helpers
import kinds
import nat
import pipeline
import transfer
import zones
from rig import Side

SCENES = [scene for module in (firewall, kinds, zones, nat, pipeline, flush, helpers, endings, transfer, fragments, chance) for scene in module.SCENES]


def play(scene, side):
    """(counters of its flows and what else it has told, "" or what is wrong)"""
    try:
        told = scene(side) or []
        return side.counters() + told, ""
    except AssertionError as e:
        return [], explain(side, str(e))
    except (ValueError, OSError):  # more or fewer packets than were expected; a peer that hung up
        return [], explain(side, traceback.format_exc())
    finally:
        side.close()


def explain(side, error):
    return "%s: %s\n    %s" % (side.name, error, "\n    ".join(side.counters()))


def compare(scene, played):
    """"" or in what the counters of the first, and what it has told, differ from the others'."""
    text = ""
    for counters, _ in played[1:]:
        text += "".join("  " + line + "\n" for line in difflib.ndiff(played[0][0], counters) if line[0] in "-+")
    return "" if getattr(scene, "uncounted", False) else text


def main():
    sides = [Side(*argument.split("=")) for argument in sys.argv[1:]]
    wrong = 0
    for scene in SCENES:
        name = scene.__module__ + "." + scene.__name__
        playing = [side for side in sides if getattr(scene, "only", side.name) == side.name]
        if not playing or not re.search(os.environ.get("SCENES", "."), name):
            continue
        began = time.monotonic()
        played = [play(scene, side) for side in playing]
        errors = [error for _, error in played if error]
        if not errors and compare(scene, played):
            errors = ["counted or told otherwise (- %s):\n%s" % (sides[0].name, compare(scene, played))]
        print("%-40s %5.0f ms  %s" % (name, (time.monotonic() - began) * 1000, "FAILED" if errors else "ok"), flush=True)
        for error in errors:
            print("  " + error.replace("\n", "\n  "), flush=True)
        wrong += bool(errors)
    return 1 if wrong else 0


sys.exit(main())
