package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

func overTLS(t *testing.T, ca *testkit.Authority, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = ca.Server
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// fakeClickHouse answers every question with a version, to who knows the password.
func fakeClickHouse(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.Header.Get("X-ClickHouse-Key") != "pw" {
		w.Header().Set("X-ClickHouse-Exception-Code", "516")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintln(w, "Code: 516. DB::Exception: ann: Authentication failed. (AUTHENTICATION_FAILED)")
		return
	}
	fmt.Fprintln(w, "26.3.1.1")
}

func TestSecuredClickHouse(t *testing.T) {
	ca, other := testkit.NewAuthority(t), testkit.NewAuthority(t)
	secured, plain := overTLS(t, ca, http.HandlerFunc(fakeClickHouse)), httptest.NewServer(http.HandlerFunc(fakeClickHouse))
	defer plain.Close()
	bare := func(u string) string { return u[strings.Index(u, "//")+2:] }
	for _, c := range []struct{ name, addr, ca, password, says, fix string }{
		{"right", secured.URL, ca.File, "pw", "", ""},
		{"plain text", bare(plain.URL), "", "pw", "", ""},
		{"wrong password", secured.URL, ca.File, "no", "516", "set clickhouse.user and clickhouse.password"},
		{"system's authorities", secured.URL, "", "pw", "unknown authority", "set clickhouse.tls_ca"},
		{"another authority", secured.URL, other.File, "pw", "unknown authority", "set clickhouse.tls_ca"},
		{"plain text to TLS", bare(secured.URL), "", "pw", "HTTPS", "write clickhouse.addr as a URL such as https://"},
		{"TLS to plain text", "https://" + bare(plain.URL), "", "pw", "HTTP response to HTTPS client", "write clickhouse.addr as host:port"},
	} {
		cfg := config.Default()
		cfg.ClickHouse.Addr, cfg.ClickHouse.TLSCA, cfg.ClickHouse.User, cfg.ClickHouse.Password = c.addr, c.ca, "ann", c.password
		detail, err := checkClickHouse(t.Context(), cfg)
		if c.says == "" {
			require.NoError(t, err, c.name)
			require.Contains(t, detail, "version 26.3.1.1")
			continue
		}
		require.ErrorContains(t, err, c.says, c.name)
		require.Contains(t, clickHouseAdvice(cfg, err), c.fix, c.name)
	}
	file := writeConfig(t, fmt.Sprintf("clickhouse: {addr: %q, tls_ca: %q, user: ann, password: pw}\n", secured.URL, ca.File))
	code, out, errs := coldstreamRuns("sql", "--config", file, "SELECT version()")
	require.Zero(t, code, errs)
	require.Equal(t, "26.3.1.1\n", out)
}

// A bucket behind TLS of a private authority, with keys that the environment alone has.
func TestSecuredStore(t *testing.T) {
	ca, s3 := testkit.NewAuthority(t), testkit.S3(t)
	to, err := url.Parse("http://" + s3.Endpoint)
	require.NoError(t, err)
	secured := overTLS(t, ca, httputil.NewSingleHostReverseProxy(to)) // which leaves the Host that was signed
	write := func(endpoint, file string) string {
		trust := ""
		if file != "" {
			trust = fmt.Sprintf(", tls_ca: %q", file)
		}
		return writeConfig(t, fmt.Sprintf("kafka: {brokers: [%q], group: %[2]s, topics: {events: %[2]s, chunks: %[2]s.c, erasures: %[2]s.e, dlq: %[2]s.d}}\ns3: {endpoint: %[3]q, bucket: %[4]q, prefix: secured%[5]s}\n",
			testkit.Kafka(t), testkit.Name(t), endpoint, s3.Bucket, trust))
	}
	coldstream := func(file, key string) string {
		cmd := exec.Command("coldstream", "init", "--config", file, "--pipelines", "cold")
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+s3.SecretKey, "AWS_EC2_METADATA_DISABLED=true", "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err == nil {
			return ""
		}
		return string(out)
	}
	require.Empty(t, coldstream(write(secured.URL, ca.File), s3.AccessKey))
	require.Contains(t, coldstream(write(secured.URL, ""), s3.AccessKey), "unknown authority")
	require.Contains(t, coldstream(write(secured.URL, ca.File), "nobody"), "access denied")
	require.Contains(t, coldstream(write(secured.URL, ca.File), ""), "no credentials: none are configured")

	cfg := config.Default()
	cfg.S3 = config.S3{Endpoint: secured.URL, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey, Bucket: s3.Bucket}
	_, err = checkStore(t.Context(), cfg)
	require.Contains(t, storeAdvice(cfg, err), "set s3.tls_ca")
	cfg.S3.Endpoint = strings.TrimPrefix(secured.URL, "https://")
	_, err = checkStore(t.Context(), cfg)
	require.Contains(t, storeAdvice(cfg, err), "write s3.endpoint as a URL with https://", "%v", err)
	cfg.S3.Endpoint = "https://" + s3.Endpoint
	_, err = checkStore(t.Context(), cfg)
	require.Contains(t, storeAdvice(cfg, err), "write s3.endpoint as host:port", "%v", err)
	cfg.S3.Endpoint, cfg.S3.SecretKey = s3.Endpoint, "wrong"
	_, err = checkStore(t.Context(), cfg)
	require.Contains(t, storeAdvice(cfg, err), "set s3.access_key", "%v", err)
}
