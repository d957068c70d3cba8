#!/usr/bin/env bash
# Sees to what a build needs: Debian packages and a Swift toolchain. Quick when nothing is missing.
#   dev/setup.sh         what `make build` and `make demo` need
#   dev/setup.sh test    the same, and what only the tests need
#   dev/setup.sh image   those, and what `make image-test` needs
#   dev/setup.sh static  what `dev/static-build.sh` needs
set -euo pipefail

# Tools version of Package.swift.
swift_needed=6.2

build_packages=(
    libopencv-dev libdnnl-dev libprotobuf-c-dev protobuf-c-compiler libnghttp2-dev libc-ares-dev zlib1g-dev libturbojpeg0-dev libpng-dev libwebp-dev
    libsqlite3-dev libpq-dev libavformat-dev libavcodec-dev libswscale-dev libavutil-dev pkg-config
    binutils ca-certificates git
)
test_packages=(clang-format nghttp2-client ffmpeg opencv-doc jq openssl valgrind python3-venv iproute2 nftables dnsmasq-base postgresql prometheus chromium fonts-dejavu-core)
image_packages=(buildah debootstrap)
static_packages=(python3-minimal)
# Its examples lie where slim images leave documentation out.
opencv_sample=/usr/share/doc/opencv-doc/examples/data/vtest.avi

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 3; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
    local missing=() package
    for package in "$@"; do installed "$package" || missing+=("$package"); done
    # The C++ part needs the standard library's headers; Swift's own clang compiles it.
    compgen -G '/usr/include/c++/*/vector' >/dev/null || missing+=(g++)
    local options=(-y --no-install-recommends)
    if [[ " $* " == *" opencv-doc "* && ! -e $opencv_sample ]]; then
        [[ " ${missing[*]-} " == *" opencv-doc "* ]] || missing+=(opencv-doc)
        options+=(--reinstall -o 'Dpkg::Options::=--path-include=/usr/share/doc/opencv-doc/*')
    fi
    [ ${#missing[@]} -eq 0 ] && return

    command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail "run this as root, there is no sudo: apt-get install ${options[*]} ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing with ${as_root[*]:+sudo }apt-get: ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
    "${apt[@]}" update -qq >&2 || fail "apt-get update failed"
    # Tests start their own; `systemctl unmask prometheus` for one that serves this machine.
    if [[ " ${missing[*]} " == *" prometheus "* && -d /run/systemd/system ]]; then
        "${as_root[@]}" systemctl mask --quiet prometheus.service
    fi
    "${apt[@]}" install -qq "${options[@]}" "${missing[@]}" >&2 || fail "apt-get could not install: ${missing[*]}"
    say "installed: ${missing[*]}"
}

check_swift() {
    local found=""
    command -v swift >/dev/null && found=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -1)
    [ -n "$found" ] && [ "$(printf '%s\n' "$swift_needed" "$found" | sort -V | head -1)" = "$swift_needed" ] && return
    local have="there is none"
    [ -n "$found" ] && have="this is Swift $found"
    cat >&2 <<TEXT
setup: Swift $swift_needed or newer is needed, but $have. To get it (https://swift.org/install/linux):
    curl -fO https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
    tar zxf swiftly-$(uname -m).tar.gz
    ./swiftly init --quiet-shell-followup
    . "\${SWIFTLY_HOME_DIR:-\$HOME/.local/share/swiftly}/env.sh"
then run this again.
TEXT
    exit 3
}

packages=("${build_packages[@]}")
case "${1:-}" in
    "") ;;
    test) packages+=("${test_packages[@]}") ;;
    image) packages+=("${test_packages[@]}" "${image_packages[@]}") ;;
    static) packages+=("${static_packages[@]}") ;;
    *) echo "usage: dev/setup.sh [test|image|static]" >&2; exit 2 ;;
esac
check_swift
install_packages "${packages[@]}"
