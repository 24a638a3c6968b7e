# syntax=docker/dockerfile:1
# The one binary on a small glibc image, run by a user without rights. It has not been built on a container engine yet.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
# Without cgo; the loader of libchdb links glibc all the same, so the image below has one.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/var/cache/go-build \
    GOCACHE=/var/cache/go-build CGO_ENABLED=0 \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /out/coldstream ./cmd/coldstream

FROM debian:bookworm-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/zoneinfo.zip
ENV ZONEINFO=/usr/share/zoneinfo.zip
RUN useradd --system --uid 65532 --home-dir /var/lib/coldstream --create-home coldstream
COPY --from=build /out/coldstream /usr/local/bin/coldstream
USER coldstream
VOLUME /var/lib/coldstream
EXPOSE 8080
ENTRYPOINT ["coldstream"]
CMD ["--help"]
