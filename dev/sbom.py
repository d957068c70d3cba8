#!/usr/bin/env python3
"""What is in an image: a CycloneDX 1.6 document on standard output.

    dev/sbom.py [.build/image]        # after dev/image-root.sh; make sbom does both

Swift itself, Swift packages by Package.resolved, Debian packages by the libraries that were copied, models by their manifests.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def swift():
    """Its libraries, in the executables or beside them: `Swift version 6.3.1 (swift-6.3.1-RELEASE)`."""
    told = subprocess.run(["swiftc", "-print-target-info"], capture_output=True, text=True, check=True).stdout
    version, tag = re.search(r"Swift version (\S+) \((\S+)", json.loads(told)["compilerVersion"]).groups()
    return {"type": "library", "bom-ref": "swift", "name": "swift", "version": version,
            "purl": f"pkg:github/swiftlang/swift@{tag.rstrip(')')}"}


def swift_packages(resolved):
    for pin in json.loads(resolved.read_text())["pins"]:
        place, state = pin["location"].removesuffix(".git"), pin["state"]
        version = state.get("version") or state["revision"]
        yield {"type": "library", "bom-ref": f"swift/{pin['identity']}", "name": pin["identity"], "version": version,
               "purl": f"pkg:swift/{place.removeprefix('https://')}@{version}"}


def owners(names):
    """Library to its Debian package on this machine; those of none, as of the Swift toolchain, are not in it."""
    cache = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    known = dict(re.findall(r"^\s(\S+) .*=> (\S+)$", cache, re.MULTILINE)[::-1])
    # A package may call the folder by either of its names, and own the file that a link leads to.
    places = {}
    for name in names & known.keys():
        for path in (known[name], str(pathlib.Path(known[name]).resolve())):
            places[path] = places["/usr" + path] = name
    found = subprocess.run(["dpkg-query", "-S", *sorted(places)], capture_output=True, text=True).stdout
    return {places[path]: package.split(":")[0].split(",")[0]
            for package, path in re.findall(r"^(\S+): (\S+)$", found, re.MULTILINE)}


def debian_packages(libraries):
    """Each package with its libraries, and those that are of none."""
    packages, strangers = {}, []
    owner = owners({library.name for library in libraries})
    for library in libraries:
        (packages.setdefault(owner[library.name], []) if library.name in owner else strangers).append(library)
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture} ${source:Package}\n", *sorted(packages)],
        capture_output=True, text=True, check=True).stdout
    for package, version, architecture, source in map(str.split, shown.splitlines()):
        yield {"type": "library", "bom-ref": f"deb/{package}", "name": package, "version": version,
               "purl": f"pkg:deb/debian/{package}@{version.replace('+', '%2B')}?arch={architecture}&upstream={source}",
               "components": [file_component(file) for file in sorted(packages[package])]}
    for file in strangers:
        yield file_component(file)


def file_component(path):
    return {"type": "file", "name": path.name, "hashes": [{"alg": "SHA-256", "content": sha256(path)}]}


def models(folder):
    for manifest in sorted(folder.glob("*.yaml")):
        text = manifest.read_text()
        files = [folder / name for name in re.findall(r"\bname: (\S+\.onnx)\b", text)]
        if files and all(file.is_file() for file in files):
            licence = re.search(r"^licence: (.+)$", text, re.MULTILINE)[1]
            yield {"type": "machine-learning-model", "bom-ref": f"model/{manifest.stem}", "name": manifest.stem,
                   "licenses": [{"license": {"name": licence}}],
                   "components": [file_component(file) for file in files]}


def main():
    image = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build" / "image")
    if not image.is_dir():
        sys.exit(f"sbom: there is no {image}; dev/image-root.sh makes it")
    programs = sorted(image.glob("*/usr/local/bin/*"))
    version = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    main_component = {"type": "container", "bom-ref": "framemesh", "name": "framemesh",
                      "version": version.stdout.strip() or "unknown",
                      "licenses": [{"license": {"id": "Apache-2.0"}}],
                      "components": [file_component(program) for program in programs]}
    components = [swift(), *swift_packages(image / "Package.resolved"),
                  *debian_packages(sorted(image.glob("*/usr/local/lib/framemesh/*"))),
                  *models(image / "node" / "usr" / "local" / "share" / "framemesh" / "models")]
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{uuid.uuid4()}", "version": 1,
        "metadata": {"component": main_component}, "components": components,
        "dependencies": [{"ref": "framemesh", "dependsOn": [one["bom-ref"] for one in components if "bom-ref" in one]}],
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
