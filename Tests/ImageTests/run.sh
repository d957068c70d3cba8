#!/usr/bin/env bash
# Builds the Dockerfile with Debian's buildah, on a base made by debootstrap, and tries what is in the image. No Docker
# engine is needed, but root.
#   BINARIES=prebuilt       (default) the executables of .build/release, whose Swift libraries are files of their own
#   BINARIES=from-source    the stage that compiles, too, as `docker build` does, with this machine's Swift toolchain
# What git or Swift's packages need of this machine meanwhile is named in IMAGE_VOLUMES: FROM:TO:ro, by spaces.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=.build/image-test
base=$work/base
say() { echo "image-test: $*" >&2; }
[ "$(id -u)" = 0 ] || { say "this takes root"; exit 3; }
for tool in buildah debootstrap; do
    command -v $tool >/dev/null || { say "there is no $tool (apt-get install buildah debootstrap)"; exit 3; }
done
# What Swift's official image installs beside the toolchain.
swift_packages="binutils git libc6-dev libcurl4-openssl-dev libedit2 libgcc-12-dev libncurses-dev libpython3-dev \
    libsqlite3-0 libstdc++-12-dev libxml2-dev libz3-dev pkg-config tzdata zlib1g-dev"
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
case ${BINARIES:-prebuilt} in
    prebuilt)
        dev/image-root.sh .build/release .build/image
        binaries=prebuilt
        ;;
    from-source)
        toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
        say "making a base that Swift runs on"
        container=$(buildah from localhost/runtime-base)
        buildah run --isolation chroot "$container" -- sh -c \
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends $swift_packages" >$work/base.log 2>&1
        buildah config --env "PATH=/opt/swift/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$container"
        buildah commit -q --rm "$container" localhost/build-base >/dev/null
        say "compiling in the image (minutes); log in $work/from-source.log"
        volumes=(--volume "$toolchain:/opt/swift/usr:ro")
        for volume in ${IMAGE_VOLUMES:-}; do volumes+=(--volume "$volume"); done
        mkdir -p .build/image
        # Without layers, each of which would be a copy of everything; once for both targets.
        buildah build --isolation chroot --format docker --layers=false --target from-source \
            --build-arg BUILD_IMAGE=localhost/build-base "${volumes[@]}" -t localhost/compiled . \
            >$work/from-source.log 2>&1 || { tail -20 $work/from-source.log >&2; say "the build failed"; exit 1; }
        binaries=localhost/compiled
        ;;
    *) say "BINARIES is prebuilt or from-source"; exit 2 ;;
esac
for target in node framemesh; do
    say "building the target $target"
    buildah build --isolation chroot --format docker --layers --target $target \
        --build-arg RUNTIME_IMAGE=localhost/runtime-base --build-arg BINARIES=$binaries -t localhost/$target . \
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
