#!/usr/bin/env bash
# Builds the Dockerfile with Debian's buildah, on a base made by debootstrap, and tries what is in the image. No Docker
# engine is needed, but root. The executables are those of .build/release; `docker build` compiles them itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=.build/image-test
base=$work/base
say() { echo "image-test: $*" >&2; }
[ "$(id -u)" = 0 ] || { say "this takes root"; exit 3; }
for tool in buildah debootstrap; do
    command -v $tool >/dev/null || { say "there is no $tool (apt-get install buildah debootstrap)"; exit 3; }
done
buildah() { command buildah --storage-driver vfs --root "$PWD/$work/store" --runroot "$PWD/$work/run" "$@"; }

mkdir -p $work
. /etc/os-release
if ! buildah inspect --type image localhost/runtime-base >/dev/null 2>&1; then
    say "making a base with debootstrap ($VERSION_CODENAME)"
    rm -rf $base
    debootstrap --variant=minbase "$VERSION_CODENAME" $base >$work/debootstrap.log
    rm -rf $base/var/cache/apt/archives/*.deb $base/var/lib/apt/lists/*
    container=$(buildah from scratch)
    buildah copy -q "$container" $base / >/dev/null
    buildah commit -q --rm "$container" localhost/runtime-base >/dev/null
    rm -rf $base
fi
dev/image-root.sh .build/release .build/image
for target in node framemesh; do
    say "building the target $target"
    buildah build --isolation chroot --format docker --layers --target $target \
        --build-arg RUNTIME_IMAGE=localhost/runtime-base --build-arg BINARIES=prebuilt -t localhost/$target . \
        >$work/$target.log 2>&1 || { tail -20 $work/$target.log >&2; say "the build failed"; exit 1; }
    rm -rf $work/$target.root
    container=$(buildah from localhost/$target)
    cp -a "$(buildah mount "$container")" $work/$target.root
    buildah umount "$container" >/dev/null
    buildah rm "$container" >/dev/null
    buildah inspect --type image localhost/$target >$work/$target.json
done
container=$(buildah from localhost/runtime-base)
du -sm --apparent-size "$(buildah mount "$container")" | cut -f 1 >$work/base.megabytes
buildah umount "$container" >/dev/null
buildah rm "$container" >/dev/null
PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -q -s -p no:cacheprovider Tests/ImageTests
