"""Reads what chaos-load wrote and says what is wrong with it.

The promise: each input id exactly once, as a result or as a drop with its cause, in order within its stream, and no
frame answered with what belongs to another one. Within one epoch of a stream the id of a track is that of one object.
"""

import json
from collections import Counter, defaultdict

OK, PARTIAL, DROPPED, ERROR, LOST = "ok", "partial", "dropped", "error", "lost"
SHOWN = 5


class Frame:
    __slots__ = ("stream", "number", "planned", "end", "result", "code", "cause", "attempts", "node", "true", "missing",
                 "epoch", "track", "object")

    def __init__(self, line):
        for name in self.__slots__:
            setattr(self, name, line[name])
        # Seconds, of the clock that time.monotonic() reads.
        self.planned /= 1e9
        self.end /= 1e9

    @property
    def latency(self):
        """Seconds from when it was to be sent."""
        return self.end - self.planned

    def __str__(self):
        return f"{self.stream or 'unary'}/{self.number} {self.result} {self.code} {self.cause}"


class Run:
    """All frames of one load, in the order of their ends."""

    def __init__(self, text):
        self.frames, self.sent, self.broken, self.resumed = [], {}, [], []
        for line in text.splitlines(keepends=True):
            # The last one may still be written.
            if not line.startswith("{") or not line.endswith("\n"):
                continue
            line = json.loads(line)
            if "number" in line:
                self.frames.append(Frame(line))
            elif "sent" in line:
                self.sent[line["stream"]] = line["sent"]
            elif "broken" in line:
                self.broken.append(line)
            elif "resumed" in line:
                self.resumed.append(line)

    # ---- the oracle ----

    def violations(self):
        """What breaks the promise; empty if nothing does."""
        found = []
        by_stream = defaultdict(list)
        for frame in self.frames:
            by_stream[frame.stream].append(frame)
            if not frame.true:
                found.append(f"wrong content: {frame}")
            if frame.result == LOST:
                found.append(f"never answered: {frame}")
            if frame.result in (DROPPED, ERROR, PARTIAL) and not frame.cause:
                found.append(f"no cause: {frame}")
        if not self.sent:
            found.append("the load did not end")
        for stream, count in self.sent.items():
            numbers = [frame.number for frame in by_stream.pop(stream, [])]
            for number, times in Counter(numbers).items():
                if times > 1:
                    found.append(f"answered {times} times: {stream or 'unary'}/{number}")
            known = set(numbers)
            missing = [number for number in range(count) if number not in known]
            if missing:
                found.append(
                    f"silence about {len(missing)} of {count} frames of {stream or 'unary'}: {missing[:SHOWN]}")
            if strange := known - set(range(count)):
                found.append(f"never sent: {stream or 'unary'} {sorted(strange)[:SHOWN]}")
            if stream and numbers != sorted(numbers):
                found.append(f"out of order: {stream}")
            found += wrong_tracks(stream, [frame for frame in self.frames if frame.stream == stream])
        if by_stream:
            found.append(f"unknown streams: {sorted(by_stream)[:SHOWN]}")
        return found

    # ---- figures ----

    def failed(self):
        """Neither a result nor a drop by the stream's policy."""
        return [frame for frame in self.frames if frame.result not in (OK, DROPPED)]

    def between(self, start, end=float("inf")):
        """Those that were to be sent in that time."""
        return [frame for frame in self.frames if start <= frame.planned < end]

    def answered(self, start, end=float("inf")):
        """Results that came in that time."""
        return [frame for frame in self.frames if frame.result == OK and start <= frame.end < end]


def wrong_tracks(stream, frames):
    """What is wrong with the epochs of one stream, and with the ids of its tracks."""
    found = []
    epochs = [frame.epoch for frame in frames if frame.result == OK]
    if epochs != sorted(epochs):
        found.append(f"the epoch steps back: {stream}")
    tracked = [frame for frame in frames if frame.result == OK and frame.object is not None]
    objects = defaultdict(set)
    for frame in tracked:
        if frame.track is not None:
            objects[frame.epoch, frame.track].add(frame.object)
    for (epoch, track), those in objects.items():
        if len(those) > 1:
            found.append(f"track {track} of epoch {epoch} of {stream} is objects {sorted(those)[:SHOWN]}")
    # An object gets its id when it is seen for the second time.
    if len(tracked) > 20 and sum(frame.track is not None for frame in tracked) < len(tracked) / 2:
        found.append(f"hardly any tracks: {stream}")
    return found


def quantile(frames, share):
    """Seconds; nan without frames."""
    times = sorted(frame.latency for frame in frames)
    return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def shares(frames):
    """How many frames each node answered."""
    return Counter(frame.node for frame in frames if frame.node)


def unevenness(frames, nodes):
    """How far the busiest or idlest of `nodes` is from the mean, as a share of it."""
    count = shares(frames)
    mean = sum(count[node] for node in nodes) / len(nodes)
    return max(abs(count[node] - mean) for node in nodes) / mean if mean else float("inf")


def even_from(run, nodes, start, end, limit=0.2, window=5.0, step=0.25):
    """Seconds after `start` from which a window of time is even to `limit`; inf: never."""
    at = start
    while at + window <= end:
        if unevenness(run.between(at, at + window), nodes) <= limit:
            return at - start
        at += step
    return float("inf")
