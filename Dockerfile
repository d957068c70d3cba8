# One image for all roles; `--target node` for detectors, classifiers and coordinators alone, without FFmpeg.
#
#   docker build -t framemesh .
#   docker build -t framemesh-node --target node .
#
# Nothing is in it but the base, the executables, the libraries that they are linked with, and two small models.
# Both bases must be of one distribution: the C library is the runtime base's own.
ARG BUILD_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim
# Or `prebuilt`: what dev/image-root.sh has put into .build/image from executables that are there already.
ARG BINARIES=from-source

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY dev/setup.sh dev/
RUN dev/setup.sh static
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY dev/static-build.sh dev/unicode-data.py dev/
RUN dev/static-build.sh
COPY dev/image-root.sh dev/
RUN dev/image-root.sh .build/release /image

FROM scratch AS from-source
COPY --from=build /image /image

FROM scratch AS prebuilt
COPY .build/image /image

FROM ${BINARIES} AS binaries

FROM ${RUNTIME_IMAGE} AS node
COPY --from=binaries /image/node /
# The libraries are beside those of the base, not among them.
ENV LD_LIBRARY_PATH=/usr/local/lib/framemesh
# No name in /etc/passwd is needed, and Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8500 8501 8502 8503 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/framemesh", "health"]
ENTRYPOINT ["/usr/local/bin/framemesh"]

FROM node AS framemesh
COPY --from=binaries /image/all /
# What a gateway keeps; a volume that is mounted here begins with its owner.
COPY --from=binaries --chown=65532:65532 /image/state /var/lib/framemesh
EXPOSE 8080
