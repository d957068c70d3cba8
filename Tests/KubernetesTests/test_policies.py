"""What every workload owes its cluster, and the parts of the manifests to each other."""

import re

import pytest

from manifests import COMPONENT, ROLES, containers, matches, ports

# Made by hand (docs/kubernetes.md), so no manifest has them.
SECRETS = {"gateway-tokens", "gateway-database"}


def test_each_role_is_one_deployment(manifests):
    assert {one["metadata"]["name"] for one in manifests.deployments} == set(ROLES)


def test_nothing_runs_as_root_or_could_become_it(manifests):
    for deployment in manifests.deployments:
        pod = deployment["spec"]["template"]["spec"]["securityContext"]
        assert pod["runAsNonRoot"] is True and pod["runAsUser"] > 0 and pod["runAsGroup"] > 0
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(deployment):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context and "runAsUser" not in context
        spec = deployment["spec"]["template"]["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert not any("hostPath" in volume for volume in spec["volumes"])


def test_the_namespace_refuses_more(manifests):
    for namespace in manifests.all("Namespace"):
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_a_container_may_take_is_bounded(manifests):
    for deployment in manifests.deployments:
        for container in containers(deployment):
            resources = container["resources"]
            for bound in ("requests", "limits"):
                assert {"cpu", "memory"} <= resources[bound].keys()
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": None}), volume["name"]


def test_images_are_pinned_to_one_version(manifests):
    images = {container["image"] for one in manifests.deployments for container in containers(one)}
    assert len(images) == 1, images
    tag = images.pop().partition(":")[2]
    assert tag and tag != "latest"


def test_no_pod_has_a_token_of_the_cluster(manifests):
    accounts = {one["metadata"]["name"]: one for one in manifests.all("ServiceAccount")}
    for deployment in manifests.deployments:
        spec = deployment["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False
        # A Service named framemesh-… would set variables that are no settings.
        assert spec["enableServiceLinks"] is False
    assert not manifests.all("Role") and not manifests.all("ClusterRole")


def test_selectors_select_the_pods_of_their_role(manifests):
    pods = {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"] for one in manifests.deployments}

    def selected(selector):
        return {role for role, labels in pods.items() if matches(selector, labels)}
    for deployment in manifests.deployments:
        role = deployment["metadata"]["name"]
        assert selected(deployment["spec"]["selector"]) == {role}
        assert pods[role][COMPONENT] == role
        spec = deployment["spec"]["template"]["spec"]
        for spread in spec["topologySpreadConstraints"]:
            assert selected(spread["labelSelector"]) == {role}
        for term in spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]:
            assert selected(term["podAffinityTerm"]["labelSelector"]) == {role}
    budgets = {one["metadata"]["name"]: one["spec"]["selector"] for one in manifests.all("PodDisruptionBudget")}
    services = {one["metadata"]["name"]: {"matchLabels": one["spec"]["selector"]} for one in manifests.all("Service")}
    assert budgets.keys() == set(ROLES) and services.keys() == {*ROLES, "gateway-metrics"}
    for name, selector in [*budgets.items(), *services.items()]:
        assert selected(selector) == {name.removesuffix("-metrics")}, name


def test_pods_are_spread_over_zones_and_machines(manifests):
    for deployment in manifests.deployments:
        spec = deployment["spec"]["template"]["spec"]
        assert "topology.kubernetes.io/zone" in [one["topologyKey"] for one in spec["topologySpreadConstraints"]]
        terms = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert "kubernetes.io/hostname" in [term["podAffinityTerm"]["topologyKey"] for term in terms]


def test_an_eviction_leaves_the_others(manifests):
    for budget in manifests.all("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_services_lead_to_ports_that_containers_have(manifests):
    for service in manifests.all("Service"):
        role = service["spec"]["selector"][COMPONENT]
        own = ports(manifests.container(role))
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in own, f"{role}: {port}"
            if service["spec"].get("clusterIP") == "None":
                # Whoever asks for SRV records gets the pod's own port.
                assert port["port"] == own[port["targetPort"]]
        assert len({port["name"] for port in service["spec"]["ports"]}) == len(service["spec"]["ports"])


def test_nodes_and_coordinators_are_found_pod_by_pod(manifests):
    for role in ("detector", "classifier", "coordinator"):
        spec = manifests.named("Service", role)["spec"]
        assert spec["clusterIP"] == "None"
        # Or a pod that drains would stay in DNS.
        assert spec["publishNotReadyAddresses"] is False
        assert "grpc" in [port["name"] for port in spec["ports"]], "the SRV record _grpc._tcp"
    assert manifests.named("Service", "gateway")["spec"].get("clusterIP") != "None"


def test_every_container_is_probed_at_a_port_it_has(manifests):
    for role in ROLES:
        container = manifests.container(role)
        own = ports(container)
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container[kind]
            if role == "gateway":
                assert probe["httpGet"]["port"] in own
                wanted = "/readyz" if kind == "readinessProbe" else "/healthz"
                assert probe["httpGet"]["path"] == wanted
            else:
                assert probe["grpc"]["port"] in own.values()
        # A node whose model takes long to load must not be killed for it; one that is ill is out within seconds.
        startup, ready = container["startupProbe"], container["readinessProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 30
        assert ready["periodSeconds"] * ready["failureThreshold"] <= 10
        live = container["livenessProbe"]
        assert live["periodSeconds"] * live["failureThreshold"] >= 60


def test_a_rolling_update_never_leaves_fewer(manifests):
    for role in ROLES:
        strategy = manifests.named("Deployment", role)["spec"]["strategy"]
        if role == "gateway" and not manifests.has_several_gateways:
            # Its volume is one pod's at a time.
            assert strategy == {"type": "Recreate"}
            assert manifests.gateway_claim["accessModes"] == ["ReadWriteOnce"]
        elif role == "gateway":
            assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
            assert manifests.gateway_claim["accessModes"] == ["ReadWriteMany"]
            claims = [one["metadata"]["name"] for one in manifests.all("PersistentVolumeClaim")]
            assert len(claims) == 1, f"one of them is nobody's: {claims}"
        else:
            assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
            # Answers may be 30 s old (kubeadm's Corefile), and callers ask every 5 s.
            assert manifests.named("Deployment", role)["spec"]["minReadySeconds"] > 30 + 5


def test_volumes_are_of_what_there_is(manifests):
    made = {one["metadata"]["name"] for one in manifests.all("ConfigMap")}
    claims = {one["metadata"]["name"] for one in manifests.all("PersistentVolumeClaim")}
    secrets = SECRETS | {one["spec"]["secretName"] for one in manifests.all("Certificate")}
    for deployment in manifests.deployments:
        spec = deployment["spec"]["template"]["spec"]
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in made
            elif "secret" in volume:
                assert volume["secret"]["secretName"] in secrets
                # Keys are for the pod's group, not for everybody in it.
                assert volume["secret"]["defaultMode"] == 0o440 and spec["securityContext"]["fsGroup"] > 0
            elif "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
            else:
                assert "emptyDir" in volume
        names = {volume["name"] for volume in spec["volumes"]}
        for container in containers(deployment):
            assert {mount["name"] for mount in container["volumeMounts"]} <= names


def test_who_calls_again_comes_to_the_gateway_that_has_the_stream(manifests):
    affinity = manifests.named("Service", "gateway")["spec"].get("sessionAffinity", "None")
    assert affinity == ("ClientIP" if manifests.has_several_gateways else "None")


def test_passwords_come_from_secrets(manifests):
    database = [one for one in manifests.container("gateway")["env"] if one["name"] == "FRAMEMESH_GATEWAY_DATABASE"]
    assert bool(database) == manifests.has_several_gateways
    for variable in database:
        assert "value" not in variable and variable["valueFrom"]["secretKeyRef"]["name"] in SECRETS


def test_a_changed_configuration_rolls_the_pods(manifests):
    for one in manifests.all("ConfigMap"):
        name, _, digest = one["metadata"]["name"].rpartition("-")
        assert name and len(digest) == 10, one["metadata"]["name"]


def test_autoscalers_scale_what_has_no_fixed_number(manifests):
    scaled = {one["spec"]["scaleTargetRef"]["name"]
              for kind in ("HorizontalPodAutoscaler", "ScaledObject") for one in manifests.all(kind)}
    for deployment in manifests.deployments:
        role = deployment["metadata"]["name"]
        assert ("replicas" in deployment["spec"]) == (role not in scaled), role
    if scaled:
        assert scaled == {"detector", "classifier"}


def test_certificates_bear_the_names_that_are_dialled(manifests):
    for certificate in manifests.all("Certificate"):
        role = certificate["metadata"]["name"]
        if role in ROLES:
            assert certificate["spec"]["secretName"] == f"{role}-tls"
            assert role in certificate["spec"]["dnsNames"]


def test_prometheus_finds_every_role(manifests):
    for monitor in manifests.all("ServiceMonitor"):
        found = [one for one in manifests.all("Service")
                 if matches(monitor["spec"]["selector"], one["metadata"]["labels"])]
        for endpoint in monitor["spec"]["endpoints"]:
            scraped = [service["spec"]["selector"][COMPONENT] for service in found
                       if endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]]
            assert sorted(scraped) == sorted(ROLES), "each once"


def test_load_balancers_publish_the_page_alone(manifests):
    for service in manifests.all("Service"):
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            assert service["metadata"]["name"] == "gateway"
            assert [port["name"] for port in service["spec"]["ports"]] == ["http"]


def size(text):
    """Bytes of 5Gi, as Kubernetes has it, or of 5GiB, as Framemesh does."""
    number, unit = re.fullmatch(r"(\d+)([KMGT])iB?", text).groups()
    return int(number) << 10 * (1 + "KMGT".index(unit))


def test_a_gateway_fills_half_of_its_volume(manifests):
    claim = manifests.gateway_claim["resources"]["requests"]["storage"]
    env = {one["name"]: one.get("value") for one in manifests.container("gateway")["env"]}
    stored = size(env["FRAMEMESH_GATEWAY_LIMITS_MAX_STORED_BYTES"])
    assert 0.4 <= stored / size(claim) <= 0.6, "the rest is for the database, and for what is being written"


@pytest.mark.parametrize("overlay", ["production", "eks", "gke"])
def test_several_of_each_run_in_production(render, overlay):
    for role in ("detector", "classifier", "coordinator"):
        assert render(overlay).named("Deployment", role)["spec"]["replicas"] >= 2
