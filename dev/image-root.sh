#!/usr/bin/env bash
# Lays out what goes into a container image: the executables, their resources, and the libraries that they are linked
# with, but for the C library, which is the base's own.
#   dev/image-root.sh PROGRAMS FOLDER
# In FOLDER: `node`, the root of an image of nodes and coordinators; `all`, what the gateway needs beside it; `state`, an
# empty folder; `Package.resolved`, the versions of Swift packages that were compiled.
set -euo pipefail
[ $# = 2 ] || { echo "usage: dev/image-root.sh PROGRAMS FOLDER" >&2; exit 2; }
programs=$1 out=$2
libraries=usr/local/lib/framemesh share=usr/local/share/framemesh

# Everything that one executable is linked with, directly or not. ldd says `not found` with 0.
closure() {
    local listed
    listed=$(ldd "$1")
    if grep -q 'not found' <<<"$listed"; then
        echo "image-root: $1: $(grep 'not found' <<<"$listed" | tr -s '\t ' ' ')" >&2
        return 1
    fi
    awk '$2 == "=>" { print $3 }' <<<"$listed" |
        grep -vE '/(libc|libm|libpthread|libdl|librt|libresolv|libutil|libanl|libnsl|libmvec)\.so\.[0-9]+$'
}

# Under the names that they are looked up by.
copy_libraries() {
    local library
    install -d "$2"
    while read -r library; do
        [ -e "${3:-/nonexistent}/${library##*/}" ] || install -m 644 "$library" "$2/${library##*/}"
    done <<<"$(closure "$1")"
}

rm -rf "$out"
install -d "$out"/{node,all}/{usr/local/bin,$share} "$out/state"
install -m 755 "$programs/framemesh" "$out/node/usr/local/bin/"
install -m 755 "$programs/framemesh-video" "$out/all/usr/local/bin/"
# Symbols stay in the build.
strip "$out"/*/usr/local/bin/*
copy_libraries "$programs/framemesh" "$out/node/$libraries"
copy_libraries "$programs/framemesh-video" "$out/all/$libraries" "$out/node/$libraries"
# Gateways load it when their jobs are in PostgreSQL.
postgres=$(ldconfig -p | awk '$1 == "libpq.so.5" && !seen++ { print $NF }')
install -m 644 "$postgres" "$out/all/$libraries/libpq.so.5"
copy_libraries "$postgres" "$out/all/$libraries" "$out/node/$libraries"
strip --strip-unneeded "$out"/*/"$libraries"/*.so* 2>/dev/null || true
cp -R "$programs/framemesh_framemesh.resources/models" "$out/node/$share/"
cp -R "$programs/framemesh_Gateway.resources/Page" "$programs/framemesh_Gateway.resources/openapi.yaml" "$out/all/$share/"
# Authorities that the world trusts, for models that are pulled and webhooks.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$out/node/etc/ssl/certs/ca-certificates.crt"
cp "$(dirname "$0")/../Package.resolved" "$out/"
