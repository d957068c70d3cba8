#!/usr/bin/env bash
# Builds the Dockerfile with Debian's buildah, on a base made by debootstrap, and tries what is in the image. No Docker
# engine is needed, but root and mount namespaces; says so and does nothing where they are not to be had.
#   BINARIES=prebuilt       (default) the executables of .build/release, whose Swift libraries are files of their own
#   BINARIES=from-source    the stage that compiles, too, as `docker build` does, with this machine's Swift toolchain
# What git or Swift's packages need of this machine meanwhile is named in IMAGE_VOLUMES: FROM:TO:ro, by spaces.
# The base and the logs stay in .build/image-test; images and containers go, however it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=.build/image-test
say() { echo "image-test: $*" >&2; }
unshare -m true 2>/dev/null || { say "not tried: mount namespaces are not to be had here (root has them)"; exit 0; }
for tool in buildah debootstrap; do
    command -v $tool >/dev/null || { say "there is no $tool (dev/setup.sh image installs it)"; exit 3; }
done
# What Swift's official image installs beside the toolchain.
swift_packages="binutils git libc6-dev libcurl4-openssl-dev libedit2 libgcc-12-dev libncurses-dev libpython3-dev \
    libsqlite3-0 libstdc++-12-dev libxml2-dev libz3-dev pkg-config tzdata zlib1g-dev"
# Plain folders, which any file system has. Each image and each container is a copy of all that is in it: there are few of
# them, and they go early.
buildah() { command buildah --storage-driver vfs --root "$PWD/$work/store" --runroot "$PWD/$work/run" "$@"; }
# One stage of the Dockerfile as the image of this name; layers of single instructions are not kept.
build() {
    local target=$1 name=$2
    shift 2
    say "building $target"
    buildah build --isolation chroot --format docker --layers=false --target "$target" -t "localhost/$name" "$@" . \
        >"$work/$target.log" 2>&1 || { tail -20 "$work/$target.log" >&2; say "the build failed; $work/$target.log"; exit 1; }
    buildah rmi --prune >/dev/null
}
clean() {
    local image
    rm -rf $work/*.root $work/*.json
    buildah rm --all >/dev/null
    for image in $(buildah images --all --format '{{.ID}}/{{.Name}}' | grep -v /localhost/runtime-base); do
        buildah rmi --force "${image%%/*}" >/dev/null || true
    done
}

mkdir -p $work
trap clean EXIT
clean
. /etc/os-release
if ! buildah inspect --type image localhost/runtime-base >/dev/null 2>&1; then
    say "making a base with debootstrap ($VERSION_CODENAME); log in $work/debootstrap.log"
    container=$(buildah from scratch)
    base=$(buildah mount "$container")
    # Nothing of it has to outlive a power failure.
    DPKG_FORCE=unsafe-io debootstrap --variant=minbase "$VERSION_CODENAME" "$base" >$work/debootstrap.log ||
        { tail -5 $work/debootstrap.log >&2; say "debootstrap failed"; exit 1; }
    rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*
    du -sm --apparent-size "$base" | cut -f 1 >$work/base.megabytes
    buildah commit -q --rm "$container" localhost/runtime-base >/dev/null
fi
case ${BINARIES:-prebuilt} in
    prebuilt)
        dev/image-root.sh .build/release .build/image
        build prebuilt binaries
        ;;
    from-source)
        toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
        say "making a base that Swift runs on"
        container=$(buildah from localhost/runtime-base)
        buildah run --isolation chroot "$container" -- sh -c \
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends $swift_packages" >$work/base.log 2>&1
        buildah config --env "PATH=/opt/swift/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$container"
        buildah commit -q --rm "$container" localhost/build-base >/dev/null
        volumes=(--volume "$toolchain:/opt/swift/usr:ro")
        for volume in ${IMAGE_VOLUMES:-}; do volumes+=(--volume "$volume"); done
        say "compiling takes minutes; log in $work/from-source.log"
        build from-source binaries --build-arg BUILD_IMAGE=localhost/build-base "${volumes[@]}"
        rm -rf .build/image
        cp -a "$(buildah mount "$(buildah from localhost/binaries)")/image" .build/image
        ;;
    *) say "BINARIES is prebuilt or from-source"; exit 2 ;;
esac
for target in node framemesh; do
    build $target $target --build-arg RUNTIME_IMAGE=localhost/runtime-base --build-arg BINARIES=localhost/binaries
    ln -s "$(buildah mount "$(buildah from localhost/$target)")" $work/$target.root
    buildah inspect --type image localhost/$target >$work/$target.json
done
PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -q -s -p no:cacheprovider Tests/ImageTests
