"""What `kubectl apply -k` would send, as Python values."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
KUBECTL = ROOT / ".venv" / "bin" / "kubectl"
ROLES = ("detector", "classifier", "coordinator", "gateway")
COMPONENT = "app.kubernetes.io/component"

# What is shipped, and components as a reader of docs/kubernetes.md would put them together.
OVERLAYS = ("minikube", "production", "eks", "gke")
COMBINATIONS = {
    "production with mtls and cert-manager": ("production", ("mtls", "cert-manager")),
    "production with models, monitoring and autoscaling": ("production", ("models", "monitoring", "autoscaling")),
    "minikube with monitoring and keda": ("minikube", ("monitoring", "keda")),
    "minikube with tracing": ("minikube", ("tracing",)),
    "minikube with gateways": ("minikube", ("gateways",)),
    "eks with everything": ("eks", ("mtls", "cert-manager", "models", "monitoring", "autoscaling", "gateways", "tracing")),
}
SETS = (*OVERLAYS, *COMBINATIONS)


@cache
def kustomize(folder):
    done = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Warnings are of what a later kustomize will refuse.
    assert done.stderr == "", done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def combine(folder, overlay, components):
    """A kustomization in `folder` as docs/kubernetes.md tells its readers to write one."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [os.path.relpath(K8S / "components" / name, folder) for name in components]
    text = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "framemesh",
        "resources": [os.path.relpath(K8S / "overlays" / overlay, folder)], "components": places,
        "images": [{"name": "framemesh", "newName": "registry.example/framemesh", "newTag": "0.1.0"}],
    }
    (folder / "kustomization.yaml").write_text(json.dumps(text))
    return folder


class Manifests:
    def __init__(self, name, objects):
        self.name = name
        self.objects = objects

    def all(self, kind):
        return [one for one in self.objects if one["kind"] == kind]

    def named(self, kind, name):
        found = [one for one in self.all(kind) if one["metadata"]["name"] == name]
        assert len(found) == 1, f"{self.name}: {len(found)} of {kind} {name}"
        return found[0]

    @property
    def deployments(self):
        return self.all("Deployment")

    @property
    def has_several_gateways(self):
        return self.named("Deployment", "gateway")["spec"]["replicas"] > 1

    @property
    def gateway_claim(self):
        """Of the volume that a gateway keeps its files on."""
        volumes = {one["name"]: one for one in self.pod("gateway")["spec"]["volumes"]}
        return self.named("PersistentVolumeClaim", volumes["data"]["persistentVolumeClaim"]["claimName"])["spec"]

    def pod(self, role):
        """The template of a role's pods."""
        return self.named("Deployment", role)["spec"]["template"]

    def container(self, role):
        containers = self.pod(role)["spec"]["containers"]
        assert [one["name"] for one in containers] == [role]
        return containers[0]


def has_traces(manifests):
    """Whether its set has components/tracing."""
    return "tracing" in COMBINATIONS.get(manifests.name, ("", ()))[1]


def containers(deployment):
    spec = deployment["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def ports(container):
    """Name to number."""
    return {port["name"]: port["containerPort"] for port in container.get("ports", [])}


def matches(selector, labels):
    """A label selector; the empty one selects all."""
    wanted = selector.get("matchLabels", {})
    assert "matchExpressions" not in selector, "these are not read here"
    return all(labels.get(key) == value for key, value in wanted.items())
