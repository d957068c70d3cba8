"""Every object is what the API of Kubernetes takes, without a field that it does not know."""

import kubernetes_validate
import pytest

# The oldest that has all that is used (`preStop.sleep` is on from 1.30), and the newest that there is a schema of.
VERSIONS = ("1.30.0", "1.37.0")
# Of operators; their schemas are not Kubernetes' own.
FOREIGN = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"), ("keda.sh/v1alpha1", "ScaledObject"),
    ("cert-manager.io/v1", "Issuer"), ("cert-manager.io/v1", "Certificate"),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(manifests, version):
    for one in manifests.objects:
        if (one["apiVersion"], one["kind"]) in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{one['kind']} {one['metadata']['name']}: {error.message}")


def test_a_misspelt_field_is_found(render):
    one = dict(render("minikube").named("Service", "detector"))
    one["spec"] = {**one["spec"], "publishNotReadyAdresses": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(one, VERSIONS[0], strict=True)


def test_what_is_not_of_operators_needs_none(render):
    for name in ("minikube", "production", "eks", "gke"):
        assert not {(one["apiVersion"], one["kind"]) for one in render(name).objects} & FOREIGN, name


def test_all_is_in_the_namespace(manifests):
    for one in manifests.objects:
        if one["kind"] not in ("Namespace", "StorageClass"):
            assert one["metadata"].get("namespace") == "framemesh", f"{one['kind']} {one['metadata']['name']}"


def test_names_are_used_once(manifests):
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests.objects]
    assert len(set(names)) == len(names)
