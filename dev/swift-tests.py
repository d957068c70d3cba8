#!/usr/bin/env python3
"""Runs `swift test` with the arguments given, and says last which tests failed and what they recorded: their own lines
are thousands above.

Tests run beside each other, on any machine, beside other programs. A few that fail so run once more, alone; one that
passes then does not end the run, and is named in a line with UNSTABLE, here and in .build/unstable-tests. A crash, or
more than RETRIED_AT_MOST of them, is a failure at once.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

UNSTABLE_TESTS = Path(__file__).resolve().parents[1] / ".build/unstable-tests"
RETRIED_AT_MOST = 3


def run(arguments):
    """Exit code, whether the run came to its end, and what each failed test recorded: {test's ID: [lines]}."""
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events.jsonl")
        code = subprocess.run(["swift", "test", "--event-stream-output-path", events, *arguments]).returncode
        return code, *failures(events)


def failures(events):
    has_ended, failed = False, {}
    try:
        lines = open(events, encoding="utf-8")
    except FileNotFoundError:
        return has_ended, failed
    with lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                # The process ended in the middle of it.
                continue
            event = record.get("payload", {})
            if record.get("kind") == "event" and event.get("kind") == "runEnded":
                has_ended = True
            if record.get("kind") != "event" or event.get("kind") != "issueRecorded":
                continue
            issue = event.get("issue", {})
            if issue.get("isKnown") or issue.get("severity", "error") == "warning":
                continue
            place = issue.get("sourceLocation", {})
            text = " ".join(message["text"] for message in event.get("messages", []))
            failed.setdefault(event.get("testID", "?"), []).append(
                f"{place.get('_filePath', '?')}:{place.get('line', '?')}: {text}")
    return has_ended, failed


def say(title, failed):
    for test, lines in failed.items():
        print(f"{title} {test}", *lines, sep="\n    ", flush=True)


def name(test):
    """`Module.Suite/function(_:)/File.swift:1:2` → what `--filter` takes."""
    parts = [part for part in test.split("/") if ".swift:" not in part]
    return "/".join(parts).replace(".", r"\.").replace("(", r"\(").replace(")", r"\)")


def without_filters(arguments):
    rest = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--filter":
            skip = True
        else:
            rest.append(argument)
    return rest


def main(arguments):
    code, has_ended, failed = run(arguments)
    if code == 0:
        return 0
    say("FAILED", failed)
    if not has_ended:
        print("The run did not come to its end: something ended the process.", flush=True)
        return code
    if not failed or len(failed) > RETRIED_AT_MOST or "?" in failed:
        return code
    print(f"Once more, alone: {len(failed)}", flush=True)
    filters = [part for test in failed for part in ("--filter", name(test))]
    again, _, failed_again = run([*without_filters(arguments), *filters])
    if again != 0:
        say("FAILED AGAIN", failed_again)
        return again
    with open(UNSTABLE_TESTS, "a", encoding="utf-8") as log:
        for test in failed:
            line = f"UNSTABLE: failed beside others, passed alone: {test}"
            print(line, flush=True)
            print(line, *failed[test], sep="\n    ", file=log)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
