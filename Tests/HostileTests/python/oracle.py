"""What every case asserts of the process under attack, whatever the case itself is about.

- O1: it lives, and sanitizers have nothing to say; at its end it drains, and exits with 0.
- O2: a polite client, on a connection of its own and from another address, sees no error and next to no delay: half of
  its calls, and 99 of 100, take no longer than twice the time of those to a server in peace, and a grace.
- O3: memory rises by no more than the case's budget. It comes back within 10 s to a tenth above what it was; or what
  stays is used by the next attacks of the kind, which add nothing to it, and is no more than one budget. Descriptors come
  back exactly, threads to no more than there were.
- O4: the processor has little to do while the peer waits, and next to nothing after it has left.
- O5: the answer is the one that the case names.
- O6: a counter with the case's reason has moved, and the log has ten lines of it in a second at most.
- O7: each handler that began has ended, none began late, and nothing is reserved.

What cannot be asked of a machine of two processors that runs other tests beside, and may be three times as slow:

- Twice the delay of a quiet machine. So the polite client calls a server in peace, too, in turn. Its threads have slept,
  and get a processor sooner than those of a process that works: for that there is the grace. The slowest of 100 calls,
  which may be one call of a short attack, took 16 ms at most where nothing else ran, and 65 ms beside six processes that
  compute on two processors (28 of the cases), and 260 ms beside all other tests and a build. The median does not hang on one
  call: 0.7 ms at most, in both. An attack that holds others up does so each time, and a machine does not: who was late is
  attacked again, and all of LATE_ROUNDS must have been late.
- Two seconds of the clock until the process sleeps: a busy machine gives it less of the processor. So it may use two
  seconds of the processor, and sleeps at the latest after 20 s of the clock.
- A bound of the processor while a peer sends as fast as it can: that is as fast as its Python, until the limit that the
  case is about ends it. It is told. Where the peer waits for seconds instead, a twentieth of a processor is used.
- As many threads as before: a pool lets go of those that had nothing to do. And eventfds are counted apart, since a loop
  makes one when it is first busy.
- Under a sanitizer, memory and times: it keeps freed memory, and is slow.
"""

import multiprocessing
import os
import sys
import time

from cases import SCALE
from peer import DATA, Failure, Peer, window
from target import Target, idle, settled, warm

# Memory and times; not under a sanitizer.
WATCHES_MEMORY = os.environ.get("HOSTILE_IGNORE_MEMORY") is None
# O3: above the quiet value, after the attack.
KEPT_FACTOR = 1.1
# What allocators and pools keep for next time is made by the first attack of a kind; the next of so many adds nothing.
ROUNDS = 4
# The most of that, in the arena of each loop, one for each processor; more, the larger the attacks. And no more than one
# attack may take.
SLACK = os.cpu_count() * (30 + 2 * SCALE) << 20
# O2: a polite client's calls, in those to a server that nobody attacks, at the same time on the same machine.
POLITE_FACTOR = 2
# Beside it, for each share of the calls: what is above is not the machine's scheduler alone.
POLITE_GRACE = {0.5: 0.01, 0.99: 0.1}
LATE_ROUNDS = 3
# O4: of the processor, after the attackers have left.
CPU_SECONDS_AFTER = 2
# Of one processor, while the peer waits.
WAITING_LOAD = 0.25
# Not that of the attackers.
POLITE_ADDRESS = "127.0.0.2"


def polite(ports, report, ready, stop):
    """Calls each server in turn, on a connection to each, until told to stop; reports errors, and the times of each."""
    errors, times = [], [[] for _ in ports]
    try:
        peers = [Peer(port, source=POLITE_ADDRESS) for port in ports]
        while not errors and (len(times[0]) < 5 or not stop.is_set()):
            for peer, seen in zip(peers, times):
                started = time.monotonic()
                status = peer.call(patience=60)
                seen.append(time.monotonic() - started)
                peer.owed += window(0, sum(len(got.payload) for got in peer.frames if got.kind == DATA))
                peer.frames.clear()
                peer.fields.clear()
                peer.bodies.clear()
                if status != "0":
                    errors.append(f"call ended with {status}")
                time.sleep(0.003)
            ready.set()
        for peer in peers:
            peer.close()
    except Exception as error:  # noqa: BLE001: whatever it is, the polite client saw it
        errors.append(repr(error))
    report.put((errors, [sorted(seen) for seen in times]))


def percentile(times, share):
    return times[int(len(times) * share)] if times else 0


def until(condition, seconds, what):
    """`condition` gives None when all is well, else what is wrong."""
    end = time.monotonic() + seconds
    while (trouble := condition()) is not None:
        if time.monotonic() > end:
            raise Failure(f"{what}: {trouble} after {seconds} s")
        time.sleep(0.05)


class Stand:
    """Runs cases, several on one process as long as they want the same of it and it stays well."""

    def __init__(self, program):
        self.program, self.target, self.wishes = program, None, None
        # Nobody attacks it.
        self.control = Target(program)
        warm(self.control)

    def run(self, case):
        """Runs one case with everything that holds for all. Returns what is worth telling."""
        wishes = (case.arguments, case.descriptors)
        if self.target is None or self.wishes != wishes:
            self.stop()
            self.target, self.wishes = Target(self.program, *wishes), wishes
            warm(self.target)
        try:
            return attack(case, self.target, self.control)
        except Exception:
            self.target.kill()
            self.target = None
            raise

    def end(self):
        self.stop()
        self.control.stop()

    def stop(self):
        target, self.target = self.target, None
        if target is not None:
            target.stop()
            target.check_log()


def attack(case, target, control):
    """What every case is judged by; returns what is worth telling."""
    before = target.memory()
    seen = [before >> 20]
    for number in range(ROUNDS):
        quiet = target.memory()
        told = strike_in_time(case, target, control)
        seen.append(target.memory() >> 20)
        if not WATCHES_MEMORY or falls(target, quiet * KEPT_FACTOR, 10 if number == ROUNDS - 1 else 2):
            break
    else:
        raise Failure(f"memory grew in each of {ROUNDS} attacks: {seen} MiB")
    if WATCHES_MEMORY and target.memory() > before * KEPT_FACTOR + min(SLACK, case.budget):
        raise Failure(f"memory stays at {target.memory() >> 20} MiB: {seen}")
    return told + (f", memory after each attack {seen} MiB" if number else "")


def falls(target, most, seconds):
    end = time.monotonic() + seconds
    while target.memory() > most:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Late(Failure):
    """The polite client waited too long."""


def strike_in_time(case, target, control):
    """One attack, or as many as the polite client needs to be once in time."""
    late = []
    while True:
        try:
            return strike(case, target, control) + "".join(f"; before it {told}" for told in late)
        except Late as told:
            late.append(told)
            if len(late) == LATE_ROUNDS:
                raise
            idle(target, 20, "after the attack")


def strike(case, target, control):
    """One attack."""
    idle(target, 10, "before the attack")
    quiet = {"memory": target.memory(), "descriptors": settled(target.descriptors), "threads": settled(target.threads),
             "limits": target.limits()}
    target.reset_peak()
    report, ready, stop = multiprocessing.Queue(), multiprocessing.Event(), multiprocessing.Event()
    friend = multiprocessing.Process(
        target=polite, args=((target.port, control.port), report, ready, stop), daemon=True)
    friend.start()
    ready.wait(20)
    started, cpu = time.monotonic(), target.cpu()
    hand = Attack(target)
    try:
        case.body(hand)
    finally:
        took, cpu = time.monotonic() - started, target.cpu() - cpu if target.process.poll() is None else 0
        stop.set()
        hand.leave()
    peak = target.memory("VmHWM") if target.process.poll() is None else 0
    errors, (times, quiet_times) = report.get(timeout=90)
    friend.join()
    # O1
    if target.process.poll() is not None:
        raise Failure(f"the process died with {target.process.returncode}: {target.log()[-3000:]}")
    # O2
    if errors:
        raise Failure(f"the polite client saw {errors}")
    for share, grace in POLITE_GRACE.items():
        took_share, quiet_share = percentile(times, share), percentile(quiet_times, share)
        if WATCHES_MEMORY and took_share > POLITE_FACTOR * quiet_share + grace:
            raise Late(f"{share:.0%} of the polite client's calls took up to {took_share * 1000:.0f} ms, "
                       f"at a server in peace {quiet_share * 1000:.0f} ms")
    # O4
    if WATCHES_MEMORY and case.rests and cpu > took * WAITING_LOAD:
        raise Failure(f"{cpu:.1f} s of the processor in {took:.1f} s in which the peer waited")
    left = target.cpu()
    idle(target, 20, "after the attack")
    if WATCHES_MEMORY and target.cpu() - left > CPU_SECONDS_AFTER:
        raise Failure(f"{target.cpu() - left:.1f} s of the processor after the attack")
    # O3
    if WATCHES_MEMORY and peak > quiet["memory"] + case.budget:
        raise Failure(f"memory rose from {quiet['memory'] >> 20} to {peak >> 20} MiB, budget {case.budget >> 20} MiB")
    until(lambda: None if (now := target.descriptors()) == quiet["descriptors"] else f"{now} of {quiet['descriptors']}",
          10, "descriptors")
    if (now := target.eventfds()) > target.most_eventfds:
        raise Failure(f"{now} eventfds, at most {target.most_eventfds} are its own")
    # Fewer are no leak: a pool lets threads go that have had nothing to do.
    until(lambda: None if (now := target.threads()) <= quiet["threads"] else f"{now} of {quiet['threads']}", 10,
          "threads")
    # O7
    def accounted():
        tally = target.tally()
        begun, ended = tally.get("handlers_begun", 0), tally.get("handlers_ended", 0)
        if begun != ended:
            return f"{begun} handlers began, {ended} ended"
        if tally.get("work_after_deadline", 0):
            return f"{tally['work_after_deadline']} handlers began after their deadline"
        return f"{tally['budget_used']} bytes are reserved" if tally["budget_used"] else None
    until(accounted, 10, "accounting")
    # O6
    moved = {name for name, value in target.limits().items() if value > quiet["limits"].get(name, 0)}
    if case.reason and not moved & set(case.reason.split("|")):
        raise Failure(f"no counter of '{case.reason}' moved, but {moved}")
    return (f"{took:.1f} s, cpu {cpu:.1f} s, memory +{max(0, peak - quiet['memory']) >> 20} MiB, "
            f"polite {len(times)} calls "
            + ", ".join(f"p{share * 100:.0f} {percentile(times, share) * 1000:.1f} ms, in peace "
                        f"{percentile(quiet_times, share) * 1000:.1f} ms" for share in POLITE_GRACE)
            + f", counted {sorted(moved)}" + "".join(", " + note for note in hand.notes))


class Attack:
    """What a case is given: connections to the target, all of which end with it."""

    def __init__(self, target):
        self.target = target
        self.port = target.port
        self.peers = []
        # Open ones, before it began.
        self.descriptors = target.descriptors()
        # Worth telling, whatever comes of the case.
        self.notes = []

    def peer(self, *arguments, **options):
        peer = Peer(self.port, *arguments, **options)
        self.peers.append(peer)
        return peer

    def leave(self):
        for peer in self.peers:
            peer.close()


if __name__ == "__main__":
    sys.exit("run injector.py")
