"""A container of the manifests as a process on this machine: its own command line, environment and files."""

import json
import math
import os
import subprocess

from manifests import ROOT

FRAMEMESH = ROOT / ".build" / "release" / "framemesh"
# A crash must end a process at once, not after a backtrace of seconds.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SWIFT_BACKTRACE": "enable=no"}


def cores(quantity):
    """As Kubernetes hands limits.cpu to a container: whole cores, rounded up."""
    return math.ceil(int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity))


def localized(folders, text):
    """Paths under a container's mounts as they are here. `folders`: where each mount is."""
    for mount in sorted(folders, key=len, reverse=True):
        head, found, tail = text.partition(mount)
        if found and (not tail or tail[0] == "/"):
            return f"{head}{folders[mount]}{tail}"
    return text


def write_as_volume(folder, files):
    """As the kubelet lays ConfigMaps and Secrets: files are links into a folder that is replaced as a whole."""
    generation = folder / "..2026_11_26"
    generation.mkdir(parents=True)
    for name, content in files.items():
        (generation / name).write_text(content)
    (folder / "..data").symlink_to(generation.name)
    for name in files:
        (folder / name).symlink_to(f"..data/{name}")


class Volumes:
    """The volumes of a pod in a folder. `secrets`: name to files; `claims`: the folder of claims, which pods may share."""

    def __init__(self, manifests, role, folder, secrets=None, claims=None):
        self._folders = {}
        self.secrets = secrets or {}
        for volume in manifests.pod(role)["spec"]["volumes"]:
            place = folder / role / volume["name"]
            if claims and "persistentVolumeClaim" in volume:
                place = claims / volume["persistentVolumeClaim"]["claimName"]
            if "configMap" in volume:
                write_as_volume(place, manifests.named("ConfigMap", volume["configMap"]["name"])["data"])
            elif "secret" in volume:
                write_as_volume(place, self.secrets[volume["secret"]["secretName"]])
            else:
                place.mkdir(parents=True, exist_ok=True)
            self._folders[volume["name"]] = place

    def localize(self, container, text):
        return localized({mount["mountPath"]: self._folders[mount["name"]] for mount in container["volumeMounts"]}, text)

    def folder(self, name):
        return self._folders[name]


def command(container, volumes, labels=None, namespace="framemesh"):
    """Words after the executable's name, and the environment."""
    words = [volumes.localize(container, word) for word in container["args"]]
    environment = dict(ENVIRONMENT)
    for variable in container.get("env", []):
        if "value" in variable:
            value = volumes.localize(container, variable["value"])
        elif "resourceFieldRef" in variable["valueFrom"]:
            assert variable["valueFrom"]["resourceFieldRef"]["resource"] == "limits.cpu"
            value = str(cores(container["resources"]["limits"]["cpu"]))
        elif "secretKeyRef" in variable["valueFrom"]:
            place = variable["valueFrom"]["secretKeyRef"]
            value = volumes.secrets[place["name"]][place["key"]]
        else:
            path = variable["valueFrom"]["fieldRef"]["fieldPath"]
            value = namespace if path == "metadata.namespace" else (labels or {}).get(path.split("'")[1], "")
        environment[variable["name"]] = value
    return words, environment


def check_config(container, volumes, more=(), labels=None):
    """What the executable says that it would run with a container's command line and environment."""
    words, environment = command(container, volumes, labels)
    done = subprocess.run([FRAMEMESH, *words, "--check-config", *more], env=environment, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
