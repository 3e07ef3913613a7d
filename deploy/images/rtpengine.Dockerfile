# rtpengine as Debian builds and patches it: the 10.5 that every test of this repository runs, and that its relay is written for.
#   docker build -f deploy/images/rtpengine.Dockerfile -t sidestream/rtpengine deploy/images
ARG RUN_IMAGE=docker.io/library/debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sidestream rtpengine" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
# Not by its exact version, which Debian takes away when it has a security fix: then this would build no more.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rtpengine-daemon=10.5.* \
 && rm -rf /var/lib/apt/lists/*
USER 65532:65532
ENTRYPOINT ["/usr/bin/rtpengine"]
