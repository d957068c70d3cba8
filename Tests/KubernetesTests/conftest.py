import pytest

from manifests import COMBINATIONS, K8S, SETS, Manifests, combine, kustomize
from processes import FRAMEMESH


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
