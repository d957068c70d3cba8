"""The network policies let through the arrows of the design and nothing else."""

from ipaddress import ip_address, ip_network

from manifests import ROLES, has_traces, matches, ports

# Who calls whom, at which port: docs/architecture.md.
ARROWS = {
    ("gateway", "coordinator", "grpc"), ("coordinator", "detector", "grpc"), ("coordinator", "classifier", "grpc"),
}
HOME = {"kubernetes.io/metadata.name": "framemesh"}
# An address that is no pod's.
OUTSIDE = "203.0.113.1"
NODE_LOCAL_DNS, METADATA_SERVER = "169.254.20.10", "169.254.169.254"


class Pod:
    def __init__(self, labels, namespace=None, ports=None):
        self.labels = labels
        self.namespace = namespace or HOME
        self.ports = ports or {}


def roles(manifests):
    return {role: Pod(manifests.pod(role)["metadata"]["labels"], ports=ports(manifests.container(role)))
            for role in ROLES}


def is_peer(peer, pod):
    """NetworkPolicyPeer; without a namespaceSelector it means the policy's own. `pod`: or an address that is no pod's."""
    if "ipBlock" in peer or isinstance(pod, str):
        assert "except" not in peer.get("ipBlock", {}), "these are not read here"
        return isinstance(pod, str) and "ipBlock" in peer and ip_address(pod) in ip_network(peer["ipBlock"]["cidr"])
    namespaces = peer.get("namespaceSelector")
    in_namespace = pod.namespace == HOME if namespaces is None else matches(namespaces, pod.namespace)
    return in_namespace and matches(peer.get("podSelector", {}), pod.labels)


def is_let(manifests, direction, pod, other, target, number, protocol="TCP"):
    """Whether the policies of `pod` let it through: `other` is a pod, or an address that is no pod's; then `target` is None."""
    if pod.namespace != HOME:
        return True
    kind = direction.capitalize()
    policies = [one["spec"] for one in manifests.all("NetworkPolicy")
                if kind in one["spec"]["policyTypes"] and matches(one["spec"]["podSelector"], pod.labels)]
    if not policies:
        return True
    names = {name for name, port in target.ports.items() if port == number} if target else set()
    for rule in [rule for policy in policies for rule in policy.get(direction, [])]:
        peers = rule.get("from" if direction == "ingress" else "to")
        if peers is not None and not any(is_peer(peer, other) for peer in peers):
            continue
        wanted = rule.get("ports")
        if wanted is None or any(
                port["protocol"] == protocol and (port["port"] == number or port["port"] in names) for port in wanted):
            return True
    return False


def is_open(manifests, source, target, number):
    return (is_let(manifests, "egress", source, target, target, number)
            and is_let(manifests, "ingress", target, source, target, number))


def test_pods_reach_each_other_by_the_arrows_of_the_design_alone(manifests):
    pods = roles(manifests)
    found = {(source, target, name)
             for source in ROLES for target in ROLES for name, number in pods[target].ports.items()
             if source != target and is_open(manifests, pods[source], pods[target], number)}
    assert found == ARROWS


def test_strangers_reach_the_page_and_clients_coordinators(manifests):
    pods = roles(manifests)

    def reached(stranger):
        return {(role, name) for role in ROLES for name, number in pods[role].ports.items()
                if is_open(manifests, stranger, pods[role], number)}
    elsewhere = {"kubernetes.io/metadata.name": "shop"}
    assert reached(Pod({}, elsewhere)) == {("gateway", "http")}
    client = {("gateway", "http"), ("coordinator", "grpc")}
    assert reached(Pod({"framemesh/client": "true"}, elsewhere)) == client
    scraped = {(role, "metrics") for role in ROLES} if manifests.all("ServiceMonitor") else set()
    assert reached(Pod({}, {"kubernetes.io/metadata.name": "monitoring"})) == {("gateway", "http")} | scraped


def test_pods_look_names_up_and_call_nobody_outside(manifests):
    pods = roles(manifests)
    dns = Pod({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})
    for role in ROLES:
        for protocol in ("UDP", "TCP"):
            assert is_let(manifests, "egress", pods[role], dns, dns, 53, protocol)
        called = {number for number in (53, 80, 443, 5432, 8080, 8500, 8501)
                  if is_let(manifests, "egress", pods[role], OUTSIDE, None, number)}
        pulls = role == "detector" and "initContainers" in manifests.pod(role)["spec"]
        asks_database = role == "gateway" and manifests.has_several_gateways
        # Models come from a server outside, where they are pulled.
        assert called == ({443} if pulls else {5432} if asks_database else set()), role


def test_names_are_asked_where_google_answers_them(manifests):
    pods = roles(manifests)
    local = Pod({"k8s-app": "node-local-dns"}, {"kubernetes.io/metadata.name": "kube-system"})
    is_google = manifests.name == "gke"
    for role in ROLES:
        for protocol in ("UDP", "TCP"):
            assert is_let(manifests, "egress", pods[role], local, local, 53, protocol) == is_google
            for address in (NODE_LOCAL_DNS, METADATA_SERVER):
                assert is_let(manifests, "egress", pods[role], address, None, 53, protocol) == is_google
        # Who reaches more of it has the machine's own account.
        for number in (80, 988):
            assert not is_let(manifests, "egress", pods[role], METADATA_SERVER, None, number)


def test_traces_reach_their_collector_alone(manifests):
    pods = roles(manifests)
    collector = Pod({}, {"kubernetes.io/metadata.name": "monitoring"})
    for role in ROLES:
        assert is_let(manifests, "egress", pods[role], collector, collector, 4317) == has_traces(manifests), role
        assert not is_let(manifests, "egress", pods[role], collector, collector, 4318)
        assert not is_let(manifests, "egress", pods[role], OUTSIDE, None, 4317)
