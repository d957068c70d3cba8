"""Pictures by HTTP: closed loops of N callers, and an open loop at a rate. What is not 200 is a failure."""

import http.client
import queue
import threading
import time
from dataclasses import dataclass, field

TIMEOUT = 30
# Callers of an open loop; more waiting requests than these would each be late for want of a caller.
OPEN_LOOP_CALLERS = 128


@dataclass
class Target:
    name: str
    host: str
    port: int
    path: str

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)

    def send(self, connection, picture):
        """The status and the body; 0 if there was no answer."""
        try:
            connection.request("POST", self.path, picture, {"Content-Type": "image/jpeg", "Accept": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return 0, str(error).encode()


@dataclass
class Outcome:
    seconds: float = 0
    latencies: list = field(default_factory=list)  # seconds, of answers with 200
    failures: dict = field(default_factory=dict)  # status: how many

    def add(self, status, seconds):
        if status == 200:
            self.latencies.append(seconds)
        else:
            self.failures[status] = self.failures.get(status, 0) + 1

    def percentile(self, share):
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")

    def summary(self):
        return {
            "requests_per_second": round(len(self.latencies) / self.seconds, 1), "p50_ms": round(self.percentile(0.50), 2),
            "p99_ms": round(self.percentile(0.99), 2), "answers": len(self.latencies), "failures": sum(self.failures.values()),
            "failures_by_status": {str(status): count for status, count in sorted(self.failures.items())},
        }


def closed_loop(target, pictures, concurrency, seconds, warmup):
    """Each caller sends its next picture when the last one is answered."""
    outcome, lock = Outcome(seconds), threading.Lock()
    begin = time.perf_counter() + warmup
    end = begin + seconds

    def call(caller):
        connection, turn = target.connect(), caller
        while (start := time.perf_counter()) < end:
            status, _ = target.send(connection, pictures[turn % len(pictures)])
            now = time.perf_counter()
            turn += 1
            # An answer counts where it arrives: as many begin before the window as end after it.
            if begin <= now <= end:
                with lock:
                    outcome.add(status, now - start)
        connection.close()

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(concurrency)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return outcome


def open_loop(target, pictures, rate, seconds, warmup):
    """Requests at fixed times, however long answers take; latency counts from the time that was planned. Those of the warm-up
    do not count: the server has done nothing for some seconds, while others were measured."""
    outcome, lock, planned = Outcome(seconds), threading.Lock(), queue.Queue()
    unmeasured = int(rate * warmup)

    def call():
        connection = target.connect()
        while (item := planned.get()) is not None:
            turn, due = item
            status, _ = target.send(connection, pictures[turn % len(pictures)])
            if turn >= unmeasured:
                with lock:
                    outcome.add(status, time.perf_counter() - due)
        connection.close()

    callers = [threading.Thread(target=call) for _ in range(OPEN_LOOP_CALLERS)]
    for caller in callers:
        caller.start()
    start = time.perf_counter()
    for turn in range(unmeasured + int(rate * seconds)):
        due = start + turn / rate
        time.sleep(max(0, due - time.perf_counter()))
        planned.put((turn, due))
    for _ in callers:
        planned.put(None)
    for caller in callers:
        caller.join()
    return outcome
