"""A cluster on one machine: each pod is a network namespace with its own address, all hang on one bridge, and a real
DNS server (dnsmasq) answers for the headless services.

    with Cluster(folder) as cluster:
        pod = cluster.pod("d1")
        cluster.dns.set({"detectors.svc": [(pod, 8501)]})
        process = pod.run("node", ["chaos-node", ...])

Needs root, iproute2, nftables and dnsmasq. Nothing of it touches the machine's own network: the bridge too is in a
namespace. All processes end with this one, also if it is killed; namespaces that a killed run left are removed by the
next one, or by `python3 cluster.py clean`.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

PREFIX = "fmchaos"
NETWORK = "10.77"
NETWORK6 = "fd77"
DNS_ADDRESS = f"{NETWORK}.0.1"
BRIDGE_ADDRESS = "02:00:00:00:00:01"
PR_SET_PDEATHSIG = 1


class Unable(Exception):
    """This machine cannot have a cluster; says why."""


def _run(*words, check=True, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def die_with_parent():
    """For `preexec_fn`: the child is killed when the thread that starts it ends, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def check_machine():
    """Raises Unable if namespaces are not to be had here."""
    if os.geteuid() != 0:
        raise Unable("not root")
    for program in ("ip", "nft", "dnsmasq"):
        if shutil.which(program) is None:
            raise Unable(f"there is no {program} (dev/setup.sh test installs it)")
    name = f"{PREFIX}-{os.getpid()}-try"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        _run("ip", "netns", "exec", name, "nft", "add table inet chaos")
    except (RuntimeError, OSError) as error:
        raise Unable(f"no network namespaces: {error}") from error
    finally:
        _run("ip", "netns", "del", name, check=False)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            # After the name, which may contain anything. One that nobody has waited for is no more.
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def clean():
    """Removes what runs that are over left behind."""
    for line in _run("ip", "netns", "list", check=False).splitlines():
        name = line.split(" ")[0]
        words = name.split("-")
        if words[0] != PREFIX or len(words) < 3:
            continue
        if words[1] != str(os.getpid()) and _lives(words[1]):
            continue
        for pid in _run("ip", "netns", "pids", name, check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        _run("ip", "netns", "del", name, check=False)
        shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)


def until(is_so, seconds):
    """Waits for a condition, however slow the machine is. Returns whether it came in that time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class Process:
    """One program in one pod. Its output is in `log`."""

    def __init__(self, name, namespace, words, folder, environment):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        self._offset = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self._popen = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *words], stdin=subprocess.PIPE, stdout=log,
                stderr=subprocess.STDOUT, env=environment, preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self._popen.pid

    def is_running(self):
        return self._popen.poll() is None

    def text(self):
        """What this process said; not what earlier ones of its name did."""
        with open(self.log, "rb") as log:
            log.seek(self._offset)
            return log.read().decode(errors="replace")

    def wait_for(self, word, seconds=60):
        """Until it says so."""
        end = time.monotonic() + seconds
        while word not in self.text():
            if not self.is_running():
                raise RuntimeError(f"{self.name} ended with {self._popen.returncode}: {self.text()[-500:]}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not say '{word}' in {seconds} s: {self.text()[-500:]}")
            time.sleep(0.01)

    def tell(self, line):
        self._popen.stdin.write(f"{line}\n".encode())
        self._popen.stdin.flush()

    def send(self, number):
        if self.is_running():
            self._popen.send_signal(number)

    def kill(self):
        self.send(signal.SIGKILL)
        self._popen.wait()

    def wait(self, seconds):
        """Its exit code; None if it does not end."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Pod:
    """A namespace with one address, and one of IPv6."""

    def __init__(self, cluster, name, address):
        self.cluster = cluster
        self.name = name
        self.address = address
        # The last two bytes are the same.
        tail = [int(byte) for byte in address.split(".")[2:]]
        self.address6 = f"{NETWORK6}::{tail[0]:x}:{tail[1]:x}"
        # Who gets an address of another pod is found at once, not when all have forgotten where that lived.
        self.hardware = f"02:00:00:4d:{tail[0]:02x}:{tail[1]:02x}"
        self.namespace = cluster.namespace(name)
        self._processes = []

    def run(self, name, words, environment=None):
        process = Process(name, self.namespace, words, self.cluster.folder, {**os.environ, **(environment or {})})
        self._processes.append(process)
        return process

    def call(self, *words, seconds=60):
        """Output of a short command; None if it failed."""
        try:
            done = subprocess.run(
                ["ip", "netns", "exec", self.namespace, *words], capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        return done.stdout if done.returncode == 0 else None

    def link(self, is_up):
        _run("ip", "-n", self.namespace, "link", "set", "eth0", "up" if is_up else "down")

    def rules(self, *rules):
        """nftables rules for all that comes in, in place of earlier ones; none: all may come."""
        text = ["table inet chaos", "delete table inet chaos"]
        if rules:
            text += ["table inet chaos { chain in { type filter hook input priority 0; policy accept; }; }"]
            text += [f"add rule inet chaos in iifname eth0 {rule}" for rule in rules]
        _run("ip", "netns", "exec", self.namespace, "nft", "-f", "-", input="\n".join(text) + "\n")

    def black_hole(self):
        """Nothing comes in, and nobody is told."""
        self.rules("drop")

    def lose(self, percent):
        self.rules(f"numgen random mod 100 < {percent} drop")

    def cut_off(self, pods):
        """A partition: nothing of `pods` comes in."""
        self.rules(f"ip saddr {{ {', '.join(pod.address for pod in pods)} }} drop")

    def heal(self):
        self.rules()

    def end(self):
        for process in self._processes:
            process.kill()


class DNS:
    """dnsmasq with A and SRV records that may be changed at any time."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._hosts = os.path.join(cluster.folder, "hosts")
        self._configuration = os.path.join(cluster.folder, "dnsmasq.conf")
        self._process = None
        self.set({})

    def set(self, services, ttl=1):
        """`services`: name to a list of (pod or address, port). A name that is not in it does not exist."""
        hosts, locations = [], []
        for name, endpoints in services.items():
            for index, (pod, port) in enumerate(endpoints):
                address = pod.address if isinstance(pod, Pod) else pod
                host = f"{pod.name if isinstance(pod, Pod) else f'a{index}'}.{name}"
                hosts += [(address, name), (address, host)]
                locations.append((f"_grpc._tcp.{name}", host, port))
        self.publish(hosts, locations, ttl)

    def publish(self, hosts, locations, ttl=1):
        """`hosts`: (address, name), `locations`: (name, host, port) of SRV records."""
        hosts = [" ".join(one) for one in hosts]
        locations = [f"srv-host={name},{host},{port}" for name, host, port in locations]
        self._replace(self._hosts, "\n".join(hosts) + "\n")
        lines = [
            "no-resolv", "no-hosts", "keep-in-foreground", "bind-interfaces", f"listen-address={DNS_ADDRESS}",
            # Who changes user or group does not end with its parent.
            "user=root", "group=root", "pid-file=", "local=/svc/cluster.local/", f"local-ttl={ttl}", "no-negcache",
            "log-queries", "log-facility=-",
            f"addn-hosts={self._hosts}",
        ] + locations
        changed = self._replace(self._configuration, "\n".join(lines) + "\n")
        if self._process is None or not self._process.is_running():
            return
        # Addresses are read again at a signal; SRV records only by a new process, which takes milliseconds.
        if changed:
            self.stop()
            self.start()
        else:
            self._process.send(signal.SIGHUP)

    @staticmethod
    def _replace(path, text):
        if os.path.exists(path):
            with open(path) as file:
                if file.read() == text:
                    return False
        with open(path + ".new", "w") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return True

    def start(self):
        self._process = Process(
            "dnsmasq", self._cluster.namespace("switch"), ["dnsmasq", f"--conf-file={self._configuration}"],
            self._cluster.folder, os.environ)

    def stop(self):
        self._process.kill()

    def questions(self, name):
        """How often it was asked for addresses of a name since it began."""
        return self._process.text().count(f"query[A] {name} ")

    def pause(self):
        """Queries get no answer."""
        self._process.send(signal.SIGSTOP)

    def resume(self):
        self._process.send(signal.SIGCONT)


class Cluster:
    """`folder`: where logs go; it must exist."""

    def __init__(self, folder):
        self.folder = folder
        self._pods = {}
        self._next = 0

    def namespace(self, name):
        return f"{PREFIX}-{os.getpid()}-{name}"

    def __enter__(self):
        clean()
        switch = self.namespace("switch")
        try:
            _run("ip", "netns", "add", switch)
            _run("ip", "-n", switch, "link", "set", "lo", "up")
            # Without an address of its own it takes the lowest of its ports, another one whenever a pod is added.
            _run("ip", "-n", switch, "link", "add", "br0", "address", BRIDGE_ADDRESS, "type", "bridge")
            _run("ip", "-n", switch, "addr", "add", f"{DNS_ADDRESS}/16", "dev", "br0")
            _run("ip", "-n", switch, "link", "set", "br0", "up")
            self.dns = DNS(self)
            self.dns.start()
        except BaseException:
            clean()
            raise
        return self

    def __exit__(self, *_):
        for pod in self._pods.values():
            pod.end()
        self.dns.stop()
        clean()

    def pod(self, name, address=None, search=()):
        """A new pod. `address`: one that an ended pod had; else one that none had. `search`: domains of names."""
        self._next += 1
        address = address or f"{NETWORK}.{1 + self._next // 250}.{1 + self._next % 250}"
        pod = Pod(self, name, address)
        resolver = f"/etc/netns/{pod.namespace}"
        os.makedirs(resolver)
        with open(f"{resolver}/resolv.conf", "w") as file:
            file.write(f"nameserver {DNS_ADDRESS}\noptions timeout:1 attempts:2\n")
            if search:
                # As the kubelet writes it.
                file.write(f"search {' '.join(search)}\noptions ndots:5\n")
        switch = self.namespace("switch")
        end = f"v{self._next}"
        _run("ip", "netns", "add", pod.namespace)
        _run("ip", "-n", switch, "link", "add", end, "type", "veth",
             "peer", "name", "eth0", "address", pod.hardware, "netns", pod.namespace)
        _run("ip", "-n", switch, "link", "set", end, "master", "br0", "up")
        _run("ip", "-n", pod.namespace, "link", "set", "lo", "up")
        _run("ip", "-n", pod.namespace, "addr", "add", f"{address}/16", "dev", "eth0")
        _run("ip", "-n", pod.namespace, "-6", "addr", "add", f"{pod.address6}/64", "dev", "eth0", "nodad")
        _run("ip", "-n", pod.namespace, "link", "set", "eth0", "up")
        self._pods[name] = pod
        return pod

    def remove(self, pod):
        """Ends what runs in it; its address may be given to another one."""
        pod.end()
        _run("ip", "netns", "del", pod.namespace)
        shutil.rmtree(f"/etc/netns/{pod.namespace}", ignore_errors=True)
        del self._pods[pod.name]


if __name__ == "__main__":
    if sys.argv[1:] != ["clean"]:
        sys.exit("usage: cluster.py clean")
    clean()
