"""The server process under attack, and what can be seen of it from outside."""

import os
import re
import resource
import subprocess
import threading
import time

from peer import Failure, Peer

TICK = os.sysconf("SC_CLK_TCK")
EVENTFD = "anon_inode:[eventfd]"
# One for each loop, when it is first busy, and one of the runtime's.
EVENTFDS = os.cpu_count() + 1
# Of one processor, when nobody is there.
IDLE_LOAD = 0.1


class Target:
    """A server process of our own, and what can be seen of it from outside."""

    def __init__(self, program, arguments=(), descriptors=None):
        limit = None
        if descriptors is not None:
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=limit)
        self.lines = []
        threading.Thread(target=self.collect, daemon=True).start()
        line = self.process.stdout.readline().decode()
        if not line.startswith("port "):
            raise Failure(f"the target did not start: {line!r} {self.lines}")
        self.port = int(line.split()[1])
        self.pid = self.process.pid

    def collect(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def proc(self, name):
        with open(f"/proc/{self.pid}/{name}") as file:
            return file.read()

    def memory(self, key="VmRSS"):
        return int(re.search(rf"{key}:\s+(\d+)", self.proc("status")).group(1)) << 10

    def reset_peak(self):
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass

    def threads(self):
        return int(re.search(r"Threads:\s+(\d+)", self.proc("status")).group(1))

    def open_files(self):
        """What its descriptors lead to."""
        found = []
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{self.pid}/fd/{name}"))
            except FileNotFoundError:
                pass
        return found

    def descriptors(self):
        """Without eventfds."""
        return sum(file != EVENTFD for file in self.open_files())

    def eventfds(self):
        return self.open_files().count(EVENTFD)

    def cpu(self):
        fields = self.proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def tally(self):
        peer = Peer(self.port)
        stream = peer.request("/test.Target/Tally", b"\0\0\0\0\0")
        if peer.answer(stream, 60) != "0":
            raise Failure(f"the target tells no numbers: {peer.status(stream)}")
        body = peer.bodies[stream][5:].decode()
        peer.close()
        return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in body.splitlines())}

    def limits(self):
        return {name.split("reason=")[1]: value for name, value in self.tally().items()
                if name.startswith("rpc_limit_total,side=server")}

    def stop(self):
        """Ends as it should: drained, with 0."""
        self.process.stdin.close()
        code = self.process.wait(60)
        if code != 0:
            raise Failure(f"the target ended with {code}: {self.log()[-2000:]}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def check_log(self):
        """O6: printable, and at most ten lines of a reason in a second (of the clock, so two seconds may meet)."""
        log = self.log()
        if any(ord(c) < 32 and c not in "\n" or ord(c) == 127 for c in log):
            raise Failure(f"the log has unprintable bytes: {log[-500:]!r}")
        per_second = {}
        for line in log.splitlines():
            key = (line[:19], re.sub(r".*reason=(\w+).*", r"\1", line))
            per_second[key] = per_second.get(key, 0) + 1
        if per_second and max(per_second.values()) > 20:
            raise Failure(f"more than 10 lines in a second: {max(per_second, key=per_second.get)}")

    def log(self):
        return b"".join(self.lines).decode(errors="replace")


def warm(target):
    """Whatever the process makes once, it makes now."""
    peers = [Peer(target.port) for _ in range(8)]
    streams = [[peer.request("/test.Target/Wait", b"\0\0\0\0\x0220") for _ in range(50)] for peer in peers]
    for peer, ids in zip(peers, streams):
        for stream in ids:
            peer.expect_status(stream, "0")
    for peer in peers:
        peer.close()
    target.most_eventfds = target.eventfds() + EVENTFDS


def settled(look):
    """A number that may still change: what it is when it has been the same three times."""
    seen = [look()]
    while len(seen) < 100 and len(set(seen[-3:])) + (len(seen) < 3) > 1:
        time.sleep(0.05)
        seen.append(look())
    return seen[-1]


def idle(target, seconds, what):
    """The process falls asleep."""
    end = time.monotonic() + seconds
    while True:
        before, started = target.cpu(), time.monotonic()
        time.sleep(0.2)
        load = (target.cpu() - before) / (time.monotonic() - started)
        if load < IDLE_LOAD:
            return
        if time.monotonic() > end:
            raise Failure(f"{what}: still {load:.0%} of a core after {seconds} s")
