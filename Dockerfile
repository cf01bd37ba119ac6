# The edge, its control program and the sample worker in one image, as a user without rights: `docker build -t sluice .`
# CI has no Docker: Tests/EndToEnd/test_containers.py holds what can be held without one (docs/operations.md, In containers).
ARG SWIFT=swift:6.2-bookworm
ARG DEBIAN=debian:bookworm-slim

FROM ${SWIFT} AS build
WORKDIR /source
COPY scripts scripts
RUN scripts/packages build
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN for product in sluice sluicectl chat-worker; do \
      swift build -c release --static-swift-stdlib --product "$product" || exit 1; \
    done && mkdir /programs && \
    cp .build/release/sluice .build/release/sluicectl .build/release/chat-worker /programs/ && strip /programs/*

FROM ${DEBIAN}
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates libcurl4 libmicrohttpd12 libnghttp2-14 libssl3 libstdc++6 openssl && \
    rm -rf /var/lib/apt/lists/* && \
    groupadd --gid 10001 sluice && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin sluice && \
    install -d -o 10001 -g 10001 -m 0750 /run/sluice /run/chat /var/lib/sluice /var/log/sluice /keys
COPY --from=build /programs/sluice /programs/sluicectl /programs/chat-worker /usr/local/bin/
COPY conf/sluice.example.yaml /etc/sluice/sluice.yaml
USER 10001:10001
EXPOSE 8443 9902
# A drain: give it the time that `drain.timeout` says (docker stop --time, stop_grace_period).
STOPSIGNAL SIGTERM
# Answers as long as the edge does, in a drain too. It needs unix:/run/sluice/admin.sock in `admin.listen`.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/sluicectl", "-s", "unix:///run/sluice/admin.sock", "status"]
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["run", "-c", "/etc/sluice/sluice.yaml"]
