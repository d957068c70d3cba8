"""The processes of a mesh in a cluster: nodes that wait instead of computing, coordinators, and the load on them."""

import json
import os
import signal
import time

import oracle

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


class Node(Role):
    def __init__(self, pod, role="detector", delay=NODE_DELAY, queue=NODE_QUEUE, patience=60, port=None):
        self.pod = pod
        self.name = pod.name
        self.role = role
        port = port or (DETECTOR_PORT if role == "detector" else CLASSIFIER_PORT)
        self._words = [
            os.path.join(PROGRAMS, "chaos-node"), "--listen", f"0.0.0.0:{port}", "--name", pod.name, "--role", role,
            "--models", MODELS, "--delay", f"{delay * 1000}", "--workers", f"{NODE_WORKERS}",
            "--queue-limit", f"{queue}", "--patience", f"{patience}",
        ]


class Coordinator(Role):
    def __init__(self, pod, detectors, classifiers=False, options=()):
        self.pod = pod
        self.name = pod.name
        self._words = [
            os.path.join(PROGRAMS, "framemesh"), "coordinator", "--listen", f"0.0.0.0:{COORDINATOR_PORT}",
            "--detectors", detectors,
            "--classifiers", f"dns:///{CLASSIFIERS}:{CLASSIFIER_PORT}" if classifiers else "none", *options,
        ]


class Load:
    """chaos-load in a pod of its own, begun at once."""

    def __init__(self, pod, name, options):
        self.name = name
        words = [os.path.join(PROGRAMS, "chaos-load"), "--coordinators", f"dns:///{COORDINATORS}:{COORDINATOR_PORT}"]
        self.process = pod.run(name, words + options, ENVIRONMENT)
        self.process.wait_for('"start"')
        self.start = time.monotonic()

    def stop(self, patience=40):
        """No more frames; what was sent is waited for."""
        self.process.send(signal.SIGTERM)
        return self.end(patience)

    def end(self, patience):
        if self.process.wait(patience) is None:
            self.process.kill()
        return oracle.Run(self.process.text())


class Mesh:
    """Some nodes and coordinators, in DNS and ready.

    `detectors`: the target by which coordinators know them. `options`: more of a coordinator's.
    """

    def __init__(self, cluster, nodes=2, coordinators=1, classifiers=0, delay=NODE_DELAY, queue=NODE_QUEUE, patience=60,
                 detectors=f"dns:///{DETECTORS}:{DETECTOR_PORT}", options=()):
        self.cluster = cluster
        self._node_options = {"delay": delay, "queue": queue, "patience": patience}
        self._services = {}
        self.nodes = [Node(cluster.pod(f"d{index + 1}"), **self._node_options) for index in range(nodes)]
        self.classifiers = [
            Node(cluster.pod(f"c{index + 1}"), "classifier", **self._node_options) for index in range(classifiers)]
        self.coordinators = [
            Coordinator(cluster.pod(f"k{index + 1}"), detectors, classifiers > 0, options)
            for index in range(coordinators)]
        self._loads = 0
        processes = self.nodes + self.classifiers + self.coordinators
        self.publish()
        for one in processes:
            one.start()
        for one in processes:
            one.ready()
        self.wait_until_ready(nodes + classifiers)

    def publish(self, detectors=None, coordinators=None):
        """What DNS says: these detectors (all), these coordinators (all), all classifiers. Pods or addresses."""
        def endpoints(those, all_of_them, port):
            return [(getattr(one, "pod", one), port) for one in (all_of_them if those is None else those)]
        services = {
            DETECTORS: endpoints(detectors, self.nodes, DETECTOR_PORT),
            CLASSIFIERS: endpoints(None, self.classifiers, CLASSIFIER_PORT),
            COORDINATORS: endpoints(coordinators, self.coordinators, COORDINATOR_PORT),
        }
        self.cluster.dns.set({name: those for name, those in services.items() if those})

    def add_node(self):
        node = Node(self.cluster.pod(f"d{len(self.nodes) + 1}"), **self._node_options)
        self.nodes.append(node)
        return node.restart()

    def load(self, **options):
        """Options of chaos-load, with _ for -."""
        self._loads += 1
        name = f"load{self._loads}"
        words = []
        options = {"seconds": 600, "seed": self._loads, **options}
        for key, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                words += [f"--{key.replace('_', '-')}", str(one)]
        return Load(self.cluster.pod(name), name, words)

    def state(self):
        """What the first coordinator says of its nodes; None if it does not answer."""
        coordinator = self.coordinators[0]
        text = coordinator.pod.call(
            os.path.join(PROGRAMS, "framemesh"), "nodes", "--coordinator", f"127.0.0.1:{COORDINATOR_PORT}", "--json")
        return None if text is None else [json.loads(line) for line in text.splitlines()]

    def calls(self):
        """Attempts that the first coordinator has made at nodes."""
        return sum(node["calls"] for node in self.state() or [])

    def wait_until_ready(self, count, seconds=20):
        self._wait(
            lambda nodes: sum(node["state"] == "ready" for node in nodes) >= count, f"{count} nodes ready", seconds)

    def wait_until_known(self, pods, seconds=20):
        """The coordinator has these endpoints and no others, all ready."""
        addresses = {pod.address for pod in pods}
        self._wait(lambda nodes: {node["address"].rpartition(":")[0] for node in nodes} == addresses
                   and all(node["state"] == "ready" for node in nodes), f"{addresses} ready", seconds)

    def _wait(self, is_so, what, seconds):
        end = time.monotonic() + seconds
        while not is_so(nodes := self.state() or []):
            if time.monotonic() > end:
                raise RuntimeError(f"not {what} in {seconds} s: {nodes}")
            time.sleep(0.1)
