"""Plays what Compose does with compose.yaml, in network namespaces: containers of a service, each with the command line and
the volumes of the file, found by the service's name, asked for their health, and stopped within their time.

Not played: what an image has to do with it (user, root file system: Tests/ImageTests), limits, and published ports."""

import signal

import yaml

from cluster import until
from manifests import ROOT
from processes import ENVIRONMENT, FRAMEMESH, localized

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
# What the image starts where the file names no command: ENTRYPOINT and CMD of Prometheus' Dockerfile at v3.5.0.
PROMETHEUS = ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
# What a slow machine may take; on a good one nothing comes near it.
PATIENCE = 120


def seconds(text):
    assert text.endswith("s")
    return int(text[:-1])


def mounts(service):
    """(source, place in the container)"""
    return [tuple(volume.split(":")[:2]) for volume in service.get("volumes", [])]


class Container:
    def __init__(self, project, name, number):
        self.service = SERVICES[name]
        self.name = name
        folders = {}
        for source, place in mounts(self.service):
            here = folders[place] = project.folder / f"{name}-{number}" / place.lstrip("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            if source.startswith("./"):
                here.symlink_to(ROOT / source)
            else:
                volume = project.folder / "volumes" / source
                volume.mkdir(parents=True, exist_ok=True)
                here.symlink_to(volume)
        words = PROMETHEUS if name == "prometheus" else [str(FRAMEMESH), *self.service["command"]]
        self.net = project.cluster.pod(f"{name}-{number}")
        self.process = self.net.run(f"{name}-{number}", [localized(folders, word) for word in words], ENVIRONMENT)

    def is_healthy(self):
        assert self.process.is_running(), self.process.text()[-2000:]
        kind, program, *words = self.service["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "framemesh")
        return self.net.call(str(FRAMEMESH), *words, seconds=PATIENCE) is not None

    def wait_healthy(self):
        assert until(self.is_healthy, PATIENCE), f"{self.name}: {self.process.text()[-2000:]}"

    def stop(self):
        """Its exit code; None of one that would have been killed."""
        self.process.send(signal.SIGTERM)
        return self.process.wait(seconds(self.service["stop_grace_period"]))


class Project:
    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder
        self.containers = []

    def up(self, names, scale):
        """`docker compose up`, of these services. `scale`: name to a number of containers, where it is not one."""
        for name in names:
            self.containers += [Container(self, name, number + 1) for number in range(scale.get(name, 1))]
        # The name of a service is all of its containers.
        self.cluster.dns.publish([(one.net.address, one.name) for one in self.containers], [])

    def of(self, name):
        return [one for one in self.containers if one.name == name]
