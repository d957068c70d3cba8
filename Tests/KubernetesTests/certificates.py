"""What components/cert-manager asks for, made with openssl: an authority, and a Secret for each Certificate."""

import subprocess


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def secrets(manifests, folder):
    """Names of Secrets to their files."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, key = folder / "ca.crt", folder / "ca.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key),
            "-out", str(ca), "-days", "2", "-subj", "/CN=framemesh")
    made = {}
    for certificate in manifests.all("Certificate"):
        spec = certificate["spec"]
        if spec.get("isCA"):
            continue
        base = folder / certificate["metadata"]["name"]
        usages = ",".join({"server auth": "serverAuth", "client auth": "clientAuth"}[use] for use in spec["usages"])
        names = ",".join(f"DNS:{name}" for name in spec["dnsNames"])
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", f"{base}.key", "-out", f"{base}.csr", "-subj", "/")
        (folder / "extensions").write_text(f"subjectAltName=critical,{names}\nextendedKeyUsage={usages}\n")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", str(ca), "-CAkey", str(key), "-CAcreateserial",
                "-out", f"{base}.crt", "-days", "2", "-extfile", str(folder / "extensions"))
        made[spec["secretName"]] = {
            "tls.crt": open(f"{base}.crt").read(), "tls.key": open(f"{base}.key").read(), "ca.crt": ca.read_text()}
    return made
