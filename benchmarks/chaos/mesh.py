"""The processes of a mesh in a cluster: nodes that wait instead of computing, coordinators, and the load on them."""

import json
import os
import signal
import time

import oracle
from cluster import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(ROOT, ".build", "release")
MODELS = os.path.join(ROOT, "Sources", "framemesh", "Resources", "models")
DETECTORS, CLASSIFIERS, COORDINATORS = "detectors.svc", "classifiers.svc", "coordinators.svc"
DETECTOR_PORT, CLASSIFIER_PORT, COORDINATOR_PORT = 8501, 8502, 8500
# A crash must end a process at once, not after a backtrace of seconds.
ENVIRONMENT = {"SWIFT_BACKTRACE": "enable=no"}
NODE_DELAY = 0.020
NODE_WORKERS = 2
# Room for what comes while a busy machine gives a node no time for seconds.
NODE_QUEUE = 256
# Frames a second of one node.
NODE_RATE = NODE_WORKERS / NODE_DELAY


class Role:
    """A program of the mesh in its pod; `_words` is how it is called."""

    process = None

    def start(self):
        self.process = self.pod.run(self.name, self._words, ENVIRONMENT)
        return self

    def ready(self):
        self.process.wait_for("ready")
        return self

    def restart(self):
        return self.start().ready()

    def end(self):
        """As an orchestrator does it. Returns the exit code."""
        self.process.send(signal.SIGTERM)
        return self.process.wait(60)


class Node(Role):
    """`options`: more of chaos-node's, with _ for -."""

    def __init__(self, pod, role="detector", delay=NODE_DELAY, queue=NODE_QUEUE, patience=60, port=None, host="0.0.0.0",
                 hours_ahead=0, **options):
        self.pod = pod
        self.name = pod.name
        self.role = role
        port = port or (DETECTOR_PORT if role == "detector" else CLASSIFIER_PORT)
        options = {
            "listen": f"{host}:{port}", "name": pod.name, "role": role, "models": MODELS, "delay": delay * 1000,
            "workers": NODE_WORKERS, "queue-limit": queue, "patience": patience, **options}
        shift = str(3600 * hours_ahead)
        clock = ["unshare", "--time", "--monotonic", shift, "--boottime", shift] if hours_ahead else []
        self._words = [*clock, os.path.join(PROGRAMS, "chaos-node"), *flags(options)]


class Coordinator(Role):
    def __init__(self, pod, detectors, classifiers=False, options=()):
        self.pod = pod
        self.name = pod.name
        self._words = [
            os.path.join(PROGRAMS, "framemesh"), "coordinator", "--listen", f"0.0.0.0:{COORDINATOR_PORT}",
            "--detectors", detectors,
            "--classifiers", f"dns:///{CLASSIFIERS}:{CLASSIFIER_PORT}" if classifiers else "none", *options,
        ]

    def state(self):
        """What it says of its nodes; None if it does not answer."""
        text = self.pod.call(
            os.path.join(PROGRAMS, "framemesh"), "nodes", "--coordinator", f"127.0.0.1:{COORDINATOR_PORT}", "--json")
        return None if text is None else [json.loads(line) for line in text.splitlines()]

    def calls(self):
        """Attempts that it has made at nodes."""
        return sum(node["calls"] for node in self.state() or [])

    def taken(self):
        """Attempts that its nodes have seen, by what they said last."""
        return sum(node["accepted"] + node["refused"] for node in self.state() or [])

    def wait_until(self, is_so, what, seconds=60):
        """`is_so`: asked of its nodes."""
        nodes = []

        def look():
            nodes[:] = self.state() or []
            return is_so(nodes)
        if not until(look, seconds):
            raise RuntimeError(f"{self.name}: not {what} in {seconds} s: {nodes}")

    def wait_until_ready(self, count):
        self.wait_until(lambda nodes: sum(node["state"] == "ready" for node in nodes) >= count, f"{count} nodes ready")

    def wait_until_known(self, pods):
        """It has these endpoints and no others, all ready."""
        addresses = {pod.address for pod in pods}
        self.wait_until(lambda nodes: known(nodes) == addresses and all(node["state"] == "ready" for node in nodes),
                        f"{addresses} ready")


def known(nodes):
    """Addresses without their ports."""
    return {node["address"].rpartition(":")[0].strip("[]") for node in nodes}


class Load:
    """chaos-load in a pod of its own, begun at once."""

    def __init__(self, pod, name, options):
        self.name = name
        words = [os.path.join(PROGRAMS, "chaos-load"), "--coordinators", f"dns:///{COORDINATORS}:{COORDINATOR_PORT}"]
        self.process = pod.run(name, words + flags(options), ENVIRONMENT)
        self.process.wait_for('"start"')
        self.start = time.monotonic()

    def so_far(self):
        return oracle.Run(self.process.text())

    def until_answered(self, count, since=0.0, by=None, seconds=60):
        """Waits until so many frames that were to be sent `since` then have results, `by` each of these nodes.

        Returns whether there are; what a slow machine makes late is only late.
        """
        def are_answered():
            shares = oracle.shares([frame for frame in self.so_far().answered(since) if frame.planned >= since])
            return all(shares[node] >= count for node in by) if by else shares.total() >= count
        return until(are_answered, seconds)

    def stop(self, patience=120):
        """No more frames; what was sent is waited for."""
        self.process.send(signal.SIGTERM)
        return self.end(patience)

    def end(self, patience=120):
        if self.process.wait(patience) is None:
            self.process.kill()
        return self.so_far()


def flags(options):
    """Options as words, with - for _; a list is one that is given again and again."""
    words = []
    for key, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{key.replace('_', '-')}", str(one)]
    return words


class Mesh:
    """Some nodes and coordinators, in DNS and ready.

    `detectors`: the target by which coordinators know them. `options`: more words of a coordinator. `node`: of `Node`.
    """

    def __init__(self, pods, nodes=2, coordinators=1, classifiers=0, detectors=f"dns:///{DETECTORS}:{DETECTOR_PORT}",
                 options=(), **node):
        self.cluster = pods
        self._node_options = node
        self.nodes = [Node(pods.pod(f"d{index + 1}"), **node) for index in range(nodes)]
        self.classifiers = [Node(pods.pod(f"c{index + 1}"), "classifier", **node) for index in range(classifiers)]
        self.coordinators = [
            Coordinator(pods.pod(f"k{index + 1}"), detectors, classifiers > 0, options)
            for index in range(coordinators)]
        self.coordinator = self.coordinators[0]
        self._loads = 0
        processes = self.nodes + self.classifiers + self.coordinators
        self.publish()
        for one in processes:
            one.start()
        for one in processes:
            one.ready()
        for one in self.coordinators:
            one.wait_until_ready(nodes + classifiers)

    def publish(self, detectors=None, coordinators=None, **options):
        """What DNS says: these detectors (all), these coordinators (all), all classifiers.

        Each is a role, a pod, an address, or one of them with its port. `options`: of `DNS.set`.
        """
        def endpoints(those, port):
            pairs = [one if isinstance(one, tuple) else (one, port) for one in those]
            return [(getattr(one, "pod", one), port) for one, port in pairs]
        services = {
            DETECTORS: endpoints(self.nodes if detectors is None else detectors, DETECTOR_PORT),
            CLASSIFIERS: endpoints(self.classifiers, CLASSIFIER_PORT),
            COORDINATORS: endpoints(self.coordinators if coordinators is None else coordinators, COORDINATOR_PORT),
        }
        self.cluster.dns.set({name: those for name, those in services.items() if those}, **options)

    def add_node(self, **options):
        """One that DNS does not know yet."""
        node = Node(self.cluster.pod(f"d{len(self.nodes) + 1}"), **{**self._node_options, **options})
        self.nodes.append(node)
        return node.restart()

    def load(self, **options):
        """Options of chaos-load, with _ for -."""
        self._loads += 1
        name = f"load{self._loads}"
        return Load(self.cluster.pod(name), name, {"seconds": 600, "seed": self._loads, **options})
