"""Every object is what the API of Kubernetes or of an operator takes, without a field that it does not know."""

import copy
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

# The oldest that has all that is used (`preStop.sleep` is on from 1.30), and the newest that there is a schema of.
VERSIONS = ("1.30.0", "1.37.0")
# Of operators: what `spec` is, by "apiVersion kind".
CUSTOM = {name: jsonschema.Draft202012Validator(schema) for name, schema in
          yaml.safe_load(Path(__file__).with_name("custom_resources.yaml").read_text()).items()}
MONITORED, SECURED = "minikube with monitoring and keda", "production with mtls and cert-manager"


def is_custom(one):
    return f"{one['apiVersion']} {one['kind']}" in CUSTOM


def validate_custom(one):
    assert one.keys() == {"apiVersion", "kind", "metadata", "spec"}
    CUSTOM[f"{one['apiVersion']} {one['kind']}"].validate(one["spec"])


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(manifests, version):
    for one in manifests.objects:
        if is_custom(one):
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{one['kind']} {one['metadata']['name']}: {error.message}")


def test_objects_of_operators_are_valid(manifests):
    for one in manifests.objects:
        if is_custom(one):
            validate_custom(one)


def test_every_schema_of_an_operator_is_used(render):
    used = {f"{one['apiVersion']} {one['kind']}" for name in (MONITORED, SECURED) for one in render(name).objects}
    assert CUSTOM.keys() <= used


def test_a_misspelt_field_is_found(render):
    one = dict(render("minikube").named("Service", "detector"))
    one["spec"] = {**one["spec"], "publishNotReadyAdresses": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(one, VERSIONS[0], strict=True)


@pytest.mark.parametrize("name, kind, path, value", [
    (MONITORED, "ServiceMonitor", ("endpoints", 0, "intervall"), "15s"),
    (MONITORED, "ServiceMonitor", ("endpoints", 0, "interval"), "15 seconds"),
    (MONITORED, "ServiceMonitor", ("selector",), None),
    (MONITORED, "ScaledObject", ("minReplicas",), 2),
    (MONITORED, "ScaledObject", ("maxReplicaCount",), "many"),
    (MONITORED, "ScaledObject", ("triggers", 0, "metricType"), "Average"),
    (MONITORED, "ScaledObject", ("triggers", 0, "metadata", "threshold"), 0.1),
    (SECURED, "Issuer", ("selfsigned",), {}),
    (SECURED, "Certificate", ("duration",), "90d"),
    (SECURED, "Certificate", ("usages",), ["server"]),
    (SECURED, "Certificate", ("privateKey", "rotationPolicy"), "Sometimes"),
    (SECURED, "Certificate", ("issuerRef",), None),
])
def test_what_an_operator_does_not_take_is_found(render, name, kind, path, value):
    one = copy.deepcopy(render(name).all(kind)[0])
    *parents, last = path
    place = one["spec"]
    for step in parents:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validate_custom(one)


def test_what_is_not_of_operators_needs_none(render):
    for name in ("minikube", "production", "eks", "gke"):
        assert not any(is_custom(one) for one in render(name).objects), name


def test_all_is_in_the_namespace(manifests):
    for one in manifests.objects:
        if one["kind"] not in ("Namespace", "StorageClass"):
            assert one["metadata"].get("namespace") == "framemesh", f"{one['kind']} {one['metadata']['name']}"


def test_names_are_used_once(manifests):
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests.objects]
    assert len(set(names)) == len(names)
