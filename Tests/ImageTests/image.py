"""An image's root file system, and processes in it as a container runtime would start them: its user, environment and
entry point, a root that cannot be written to, and nothing of the machine but /proc, three devices, and its network."""

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "image-test"


class Image:
    def __init__(self, target):
        self.root = WORK / f"{target}.root"
        assert self.root.is_dir(), "Tests/ImageTests/run.sh builds it"
        document = json.loads((WORK / f"{target}.json").read_text())
        self.configuration = document["Docker"]["config"]

    @property
    def environment(self):
        return dict(one.split("=", 1) for one in self.configuration["Env"])

    def command(self, *words, entry=True, writable=(), alone=False):
        """`writable`: (folder of the machine, its place in the container). `alone`: in a network of its own."""
        user, group = self.configuration["User"].split(":")
        root = shlex.quote(str(self.root))
        mounts = [
            "mount --make-rprivate /", f"mount --bind {root} {root}", f"mount --bind /proc {root}/proc",
            *[f"touch {root}/dev/{name} && mount --bind /dev/{name} {root}/dev/{name}"
              for name in ("null", "urandom", "random")],
            *[f"mkdir -p {root}{place} && mount --bind {shlex.quote(str(folder))} {root}{place}"
              for folder, place in writable],
            f"mount -o remount,ro,bind {root}", *(["ip link set lo up"] if alone else []),
        ]
        environment = [f"{key}={value}" for key, value in self.environment.items()]
        start = [*(self.configuration["Entrypoint"] if entry else []), *words]
        inside = ["chroot", f"--userspec={user}:{group}", str(self.root), "/usr/bin/env", "-i", "-C", "/", *environment,
                  "SWIFT_BACKTRACE=enable=no", *start]
        return ["unshare", "-mn" if alone else "-m", "sh", "-c", " && ".join([*mounts, f"exec {shlex.join(inside)}"])]

    def call(self, *words, seconds=120, **more):
        return subprocess.run(self.command(*words, **more), capture_output=True, text=True, timeout=seconds)


class Container:
    """A role that runs. `more`: of `Image.command`."""

    def __init__(self, image, *words, **more):
        self.began = time.monotonic()
        self._process = subprocess.Popen(image.command(*words, **more), stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        self.seconds = time.monotonic() - self.began
        assert line.startswith("ready "), f"{words}: {line}"
        self.address = line.split()[1]

    def stop(self):
        """As a runtime does it. Returns the exit code."""
        self._process.terminate()
        try:
            return self._process.wait(60)
        finally:
            self._process.kill()


def megabytes(folder):
    """Of files as they lie there; one that has several names counts once."""
    seen = {}
    for path, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(path, name))
            seen[status.st_ino] = status.st_size
    return sum(seen.values()) / 1e6
