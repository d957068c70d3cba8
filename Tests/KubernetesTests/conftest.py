import sys

import pytest

from manifests import COMBINATIONS, K8S, ROOT, SETS, Manifests, combine, kustomize
from processes import FRAMEMESH

sys.path.insert(0, str(ROOT / "benchmarks" / "chaos"))

import certificates  # noqa: E402
from cluster import Cluster, Unable, check_machine  # noqa: E402
from kubernetes import Kubernetes  # noqa: E402


@pytest.fixture(scope="session")
def render(tmp_path_factory):
    """Name of a set to its manifests."""
    rendered = {}

    def of(name):
        if name not in rendered:
            folder = K8S / "overlays" / name
            if name in COMBINATIONS:
                folder = combine(tmp_path_factory.mktemp("overlay"), *COMBINATIONS[name])
            rendered[name] = Manifests(name, kustomize(folder))
        return rendered[name]
    return of


@pytest.fixture(params=SETS)
def manifests(request, render):
    return render(request.param)


@pytest.fixture(scope="session")
def framemesh():
    assert FRAMEMESH.is_file(), f"{FRAMEMESH} is missing: make build"
    return FRAMEMESH


@pytest.fixture
def kubernetes(framemesh, render, tmp_path, request):
    """A namespace with no pods yet; the parameter is the name of a set."""
    try:
        check_machine()
    except Unable as reason:
        pytest.skip(f"no pods here: {reason}")
    manifests = render(request.param)
    secrets = certificates.secrets(manifests, tmp_path / "certificates") if manifests.all("Certificate") else {}
    secrets["gateway-tokens"] = {"tokens": f"token sha256:{'0' * 64} operator analyze,admin\n"}
    (tmp_path / "logs").mkdir()
    with Cluster(str(tmp_path / "logs")) as cluster:
        yield Kubernetes(cluster, manifests, tmp_path / "pods", secrets)
