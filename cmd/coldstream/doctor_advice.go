package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/coldstream/coldstream/internal/awskeys"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/internal/tlsfiles"
	"github.com/coldstream/coldstream/lake/objects"
)

func kafkaAdvice(_ *config.Config, err error) string { return kafkaclient.Advice(err) }

// storeAdvice is what to do where the object store is not to be reached so, or refuses us; empty for other errors.
func storeAdvice(cfg *config.Config, err error) string {
	switch {
	case errors.Is(err, awskeys.ErrNone):
		return "set s3.access_key and s3.secret_key, or run where there is one of what was looked for"
	case errors.Is(err, objects.ErrDenied):
		return "set s3.access_key and s3.secret_key (or the role) to an account that may list, read, write and delete in the bucket, and s3.region to the bucket's"
	case spokePlainTLS(err):
		return "the endpoint does not speak TLS: write s3.endpoint as host:port, or name the port that does"
	case spokeTLSPlain(cfg.S3.Endpoint, err):
		return "the endpoint speaks TLS: write s3.endpoint as a URL with https://"
	default:
		return tlsfiles.Advice(err, "the object store's", "s3.tls_ca", "s3.endpoint")
	}
}

// ClickHouse's codes of a user or password that it does not know.
var unknownUser = map[int]bool{516: true, 192: true, 193: true, 194: true}

// clickHouseAdvice is storeAdvice for ClickHouse.
func clickHouseAdvice(cfg *config.Config, err error) string {
	var refused *chhttp.Exception
	switch {
	case errors.As(err, &refused) && unknownUser[refused.Code]:
		return "set clickhouse.user and clickhouse.password (COLDSTREAM_CLICKHOUSE_PASSWORD) to an account that it has"
	case spokePlainTLS(err):
		return "the port does not speak TLS: write clickhouse.addr as host:port, or name the port that does (8443)"
	case spokeTLSPlain(cfg.ClickHouse.Addr, err):
		return "the port seems to speak TLS: write clickhouse.addr as a URL such as https://host:8443"
	default:
		return tlsfiles.Advice(err, "ClickHouse's", "clickhouse.tls_ca", "clickhouse.addr")
	}
}

// spokePlainTLS tells that TLS was spoken to a server that speaks HTTP in plain text.
func spokePlainTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// spokeTLSPlain tells that plain text was probably spoken to TLS: Go's and MinIO's servers say so, others hang up.
func spokeTLSPlain(addr string, err error) bool {
	text := err.Error()
	return !strings.HasPrefix(addr, "https://") && (strings.Contains(text, "HTTP request to an HTTPS server") || strings.Contains(text, "malformed HTTP response") ||
		errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET))
}
