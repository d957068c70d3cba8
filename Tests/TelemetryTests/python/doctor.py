"""What `framemesh doctor` and `framemesh health` say, for tests."""

import json
import subprocess

from programs import FRAMEMESH, PATIENCE


def doctor(address, *options):
    """Its exit code, and what it has found: verdict, text and advice by check."""
    done = subprocess.run(
        [FRAMEMESH, "doctor", "--json", *options, address], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stderr == "", done.stderr
    report = json.loads(done.stdout)
    assert report["address"] == address
    assert report["well"] == (done.returncode == 0)
    return done.returncode, report["findings"]


def wrong(findings):
    return [one for one in findings if one["verdict"] == "wrong"]


def only_wrong(address, *options):
    """The one thing that is wrong: what was looked at, what is said, what to do."""
    code, findings = doctor(address, *options)
    assert code == 1
    [finding] = wrong(findings)
    return finding["check"], finding["text"], finding["advice"]


def health(*arguments):
    done = subprocess.run([FRAMEMESH, "health", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout.strip()
