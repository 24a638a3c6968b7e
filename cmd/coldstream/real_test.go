package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldstream/coldstream/internal/testkit"
)

// Scripts that need what only make test-real starts: Apache Kafka, MinIO, and Iceberg's REST catalog over it.
func TestRealScripts(t *testing.T) {
	uri := os.Getenv("COLDSTREAM_TEST_CATALOG")
	if uri == "" || !testkit.RealKafka() || !testkit.RealS3() {
		t.Skip("no real servers here: make test-real has them")
	}
	name, ch := testkit.Name(t), testkit.ClickHouse(t)
	s3 := ch.Lake // which the engine may read
	file := fmt.Sprintf("kafka: {brokers: [%q], group: %q, topics: {events: %[2]s.events, chunks: %[2]s.chunks, erasures: %[2]s.erasures, dlq: %[2]s.dlq}}\n", testkit.Kafka(t), name)
	file += fmt.Sprintf("s3: {endpoint: %q, access_key: %q, secret_key: %q, bucket: %q, prefix: %q}\n", s3.Endpoint, s3.AccessKey, s3.SecretKey, s3.Bucket, name)
	file += fmt.Sprintf("lake: {catalog: rest, rest: {uri: %q, namespace: %q}, compact_every: 0s}\n", uri, name)
	file += fmt.Sprintf("clickhouse: {addr: %q, user: %q, password: %q, database: %q}\n", ch.Addr, ch.User, ch.Password, ch.Database)
	file += "cold: {checkpoint: 10s, grace: 1s}\nhttp: {addr: \"127.0.0.1:0\"}\n"
	testscript.Run(t, testscript.Params{
		Dir: "testdata/real",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "share"))
			return os.WriteFile(filepath.Join(e.WorkDir, "c.yaml"), []byte(file), 0o600)
		},
	})
}
