"""Plays the parts of Kubernetes that a pod meets, in network namespaces: the kubelet (volumes, environment, probes,
preStop, grace), the endpoints of Services, and their DNS. What it does it reads from the manifests.

Not played: the scheduler, network policies (test_arrows.py), limits, and the addresses of ClusterIP Services, whose name
stands for the addresses of the pods here.
"""

import signal
import sys
import time

from cluster import until
from manifests import COMPONENT, ports
from processes import FRAMEMESH, Volumes, command

NAMESPACE = "framemesh"
DOMAIN = "svc.cluster.local"
SEARCH = (f"{NAMESPACE}.{DOMAIN}", DOMAIN, "cluster.local")
# Of CoreDNS for names of a cluster, as kubeadm sets it up; its own default is 5.
TTL = 30
# What a slow machine may take; on a good one nothing comes near it.
PATIENCE = 120


class RunningPod:
    """One pod of a role, from its start to its end."""

    def __init__(self, kubernetes, role, name):
        self.kubernetes = kubernetes
        self.role = role
        self.name = name
        self.spec = kubernetes.manifests.pod(role)["spec"]
        self.container = kubernetes.manifests.container(role)
        self.is_ready = False
        self.net = kubernetes.cluster.pod(name, search=SEARCH)
        volumes = Volumes(kubernetes.manifests, role, kubernetes.folder / name, kubernetes.secrets,
                          kubernetes.folder / "claims")
        words, environment = command(self.container, volumes)
        self.process = self.net.run(name, [str(FRAMEMESH), *words], environment)

    @property
    def address(self):
        return self.net.address

    def passes(self, probe):
        """What the kubelet finds out from the pod's machine, by the pod's address."""
        probe = self.container[probe]
        if "grpc" in probe:
            asked = self.net.call(str(FRAMEMESH), "health", f"{self.address}:{probe['grpc']['port']}",
                                  "--timeout", str(probe["timeoutSeconds"]))
        else:
            port = ports(self.container)[probe["httpGet"]["port"]]
            asked = get(self.net, f"http://{self.address}:{port}{probe['httpGet']['path']}")
        return asked is not None

    def wait_ready(self):
        for probe in ("startupProbe", "readinessProbe"):
            def look(probe=probe):
                assert self.process.is_running(), self.process.text()[-2000:]
                return self.passes(probe)
            assert until(look, PATIENCE), f"{self.name}: {probe} does not pass: {self.process.text()[-2000:]}"
        self.is_ready = True
        self.kubernetes.publish()
        return self

    @property
    def grace(self):
        """Seconds of preStop, and those from its end until the pod would be killed."""
        sleep = self.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        return sleep, self.spec["terminationGracePeriodSeconds"] - sleep


def get(net, url, body=None, kind="image/jpeg"):
    """Body of an HTTP answer with 2xx, asked for in a pod; None: another one, or none. `body`: a file to post."""
    script = (
        "import sys, urllib.request\n"
        "body = open(sys.argv[3], 'rb').read() if len(sys.argv) > 3 else None\n"
        "request = urllib.request.Request(sys.argv[1], data=body, headers={'Content-Type': sys.argv[2]})\n"
        "sys.stdout.write(urllib.request.urlopen(request, timeout=60).read().decode())\n")
    return net.call(sys.executable, "-c", script, url, kind, *([str(body)] if body else []), seconds=90)


class Kubernetes:
    """A namespace with what the manifests say, but for the numbers of pods. `secrets`: name to files."""

    def __init__(self, cluster, manifests, folder, secrets=None):
        self.cluster = cluster
        self.manifests = manifests
        self.folder = folder
        self.secrets = secrets or {}
        self.pods = []
        # Answers come from a cache: what `publish` would change is not seen yet.
        self.are_names_stale = False
        self.publish()

    def start(self, role):
        pod = RunningPod(self, role, f"{role}-{sum(one.role == role for one in self.pods) + 1}")
        self.pods.append(pod)
        return pod

    def ready(self, role):
        return [pod for pod in self.pods if pod.role == role and pod.is_ready]

    def delete(self, *pods):
        """As `kubectl delete pod`, of several at the same time. Returns the exit code of each, None of one that would have
        been killed."""
        self.withdraw(*pods)
        return self.terminate(*pods)

    def withdraw(self, *pods):
        """The first half: they leave the endpoints, and preStop runs."""
        for pod in pods:
            pod.is_ready = False
        self.publish()
        time.sleep(max(pod.grace[0] for pod in pods))

    def terminate(self, *pods):
        """The second one: they are told to end."""
        for pod in pods:
            pod.process.send(signal.SIGTERM)
        return [pod.process.wait(pod.grace[1]) for pod in pods]

    def lose(self, pod):
        """Its machine is gone: nobody tells it."""
        pod.is_ready = False
        pod.process.kill()
        self.publish()

    def publish(self):
        """The records of all Services: what Kubernetes' DNS specification says of headless ones."""
        if self.are_names_stale:
            return
        hosts, locations = [], []
        for service in self.manifests.all("Service"):
            name = f"{service['metadata']['name']}.{NAMESPACE}.{DOMAIN}"
            for pod in self.ready(service["spec"]["selector"][COMPONENT]):
                host = f"{pod.address.replace('.', '-')}.{name}"
                hosts += [(pod.address, name), (pod.address, host)]
                own = ports(pod.container)
                locations += [(f"_{port['name']}._tcp.{name}", host, own[port["targetPort"]])
                              for port in service["spec"]["ports"]]
        self.cluster.dns.publish(hosts, locations, TTL)

    def refresh_names(self):
        """What was cached is too old."""
        self.are_names_stale = False
        self.publish()

    def addresses(self, net, service):
        """What a pod is told of a Service's name."""
        return set(line.split()[0] for line in (net.call("getent", "ahostsv4", service) or "").splitlines())
