"""Pictures by HTTP: closed loops of N callers, and an open loop at a rate. What is not 200 is a failure, and so is an answer
without what is in the picture."""

import base64
import http.client
import json
import queue
import threading
import time
from dataclasses import dataclass, field

TIMEOUT = 30
# Callers of an open loop; more waiting requests than these would each be late for want of a caller.
OPEN_LOOP_CALLERS = 128
OK = 200
# 200, but not what was asked for.
WRONG = "wrong"


class Protocol:
    """How a picture is asked for, and what an answer to it is: a picture as it is, and JSON."""

    content_type = "image/jpeg"

    def body(self, picture):
        return picture

    def answer(self, body):
        """`detections` and `classes`."""
        return json.loads(body)


class GatewayProtocol(Protocol):
    def answer(self, body):
        return json.loads(body)["results"][0]


class FormProtocol(Protocol):
    """A file in a form, as LitServe takes binary data."""

    boundary = "of-a-picture"
    content_type = f"multipart/form-data; boundary={boundary}"

    def body(self, picture):
        head = (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="picture"; filename="picture.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n")
        return head.encode() + picture + f"\r\n--{self.boundary}--\r\n".encode()


class V2Protocol(Protocol):
    """The V2 inference protocol over REST: JSON both ways, binary data in base64."""

    content_type = "application/json"

    def body(self, picture):
        data = {
            "name": "picture", "shape": [1, 1], "datatype": "BYTES", "parameters": {"content_type": "base64"},
            "data": [base64.b64encode(picture).decode()],
        }
        return json.dumps({"inputs": [data]}).encode()

    def answer(self, body):
        return json.loads(json.loads(body)["outputs"][0]["data"][0])


@dataclass
class Request:
    body: bytes
    # In each right answer to it: a label with the quote before it, which no number has.
    mark: bytes = b""


@dataclass
class Target:
    name: str
    port: int
    path: str
    protocol: Protocol
    # One for each picture.
    requests: list = field(default_factory=list)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def send(self, connection, body):
        """The status and the body; 0 if there was no answer."""
        try:
            connection.request("POST", self.path, body, {"Content-Type": self.protocol.content_type, "Accept": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return 0, str(error).encode()

    def ask(self, connection, turn):
        """What came of the request whose turn it is: `OK`, a status, or `WRONG`."""
        request = self.requests[turn % len(self.requests)]
        status, body = self.send(connection, request.body)
        return WRONG if status == OK and request.mark not in body else status


@dataclass
class Outcome:
    seconds: float = 0
    latencies: list = field(default_factory=list)  # seconds, of right answers
    failures: dict = field(default_factory=dict)  # status: how many

    def add(self, status, seconds):
        if status == OK:
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
            "failures_by_status": dict(sorted((str(status), count) for status, count in self.failures.items())),
        }


def closed_loop(target, concurrency, seconds, warmup):
    """Each caller sends its next picture when the last one is answered."""
    outcome, lock = Outcome(seconds), threading.Lock()
    begin = time.perf_counter() + warmup
    end = begin + seconds

    def call(caller):
        connection, turn = target.connect(), caller
        while (start := time.perf_counter()) < end:
            status = target.ask(connection, turn)
            now = time.perf_counter()
            turn += 1
            # An answer counts where it arrives: as many begin before the window as end after it.
            if begin <= now <= end:
                with lock:
                    outcome.add(status, now - start)
        connection.close()

    callers = [threading.Thread(target=call, args=(caller,), daemon=True) for caller in range(concurrency)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return outcome


def open_loop(target, rate, seconds, warmup):
    """Requests at fixed times, however long answers take; latency counts from the time that was planned. Those of the warm-up
    do not count: the server has done nothing for some seconds, while others were measured."""
    outcome, lock, planned = Outcome(seconds), threading.Lock(), queue.Queue()
    unmeasured = int(rate * warmup)

    def call():
        connection = target.connect()
        while (item := planned.get()) is not None:
            turn, due = item
            status = target.ask(connection, turn)
            if turn >= unmeasured:
                with lock:
                    outcome.add(status, time.perf_counter() - due)
        connection.close()

    callers = [threading.Thread(target=call, daemon=True) for _ in range(OPEN_LOOP_CALLERS)]
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
