package catalog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/serve/catalog"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// start serves a catalog, with a table that does not exist beside those given, and gives its URI.
func start(t *testing.T, cfg catalog.Config) string {
	t.Helper()
	cfg.Namespace = "lake"
	cfg.Tables["ghost"] = sourceFunc(func(context.Context) (*lake.Version, error) { return nil, fmt.Errorf("load: %w", lake.ErrNoTable) })
	s := httptest.NewServer(http.StripPrefix(catalog.Path, catalog.New(cfg)))
	t.Cleanup(s.Close)
	return s.URL + catalog.Path
}

type sourceFunc func(context.Context) (*lake.Version, error)

func (f sourceFunc) Load(ctx context.Context) (*lake.Version, error) { return f(ctx) }

// ask sends a request and gives status, headers and the decoded body.
func ask(t *testing.T, method, url, body string, header ...string) (int, http.Header, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var doc map[string]any
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber() // ids of snapshots have 63 bits
		require.NoError(t, d.Decode(&doc), "%s", raw)
	}
	return resp.StatusCode, resp.Header, doc
}

func TestClientsFindTheTable(t *testing.T) {
	tab := lakekit.Open(t, testkit.S3(t), "")
	lakekit.Fill(t, tab, 2, 10)
	uri := start(t, catalog.Config{
		Tables: map[string]catalog.Source{"events": tab}, Storage: catalog.Storage{Endpoint: "http://s3:9000", Region: "r"},
	})
	code, _, config := ask(t, "GET", uri+"/v1/config?warehouse=any", "")
	require.Equal(t, 200, code)
	require.Equal(t, map[string]any{"s3.endpoint": "http://s3:9000", "s3.region": "r", "client.region": "r", "s3.path-style-access": "true"}, config["defaults"])
	require.Empty(t, config["overrides"])
	require.Contains(t, config["endpoints"], "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}")

	for path, want := range map[string]string{
		"/v1/namespaces":                `{"namespaces":[["lake"]],"next-page-token":null}`,
		"/v1/namespaces?parent=lake":    `{"namespaces":[],"next-page-token":null}`,
		"/v1/namespaces/lake":           `{"namespace":["lake"],"properties":{}}`,
		"/v1/namespaces/lake/tables":    `{"identifiers":[{"name":"events","namespace":["lake"]}],"next-page-token":null}`,
		"/v1/namespaces?parent=nowhere": `{"error":{"code":404,"message":"there is no namespace nowhere: the tables are in lake","type":"NoSuchNamespaceException"}}`,
		"/v1/namespaces/a%1Fb":          `{"error":{"code":404,"message":"there is no namespace a.b: the tables are in lake","type":"NoSuchNamespaceException"}}`,
		"/v1/namespaces/lake/tables/x":  `{"error":{"code":404,"message":"there is no table lake.x; lake has events, ghost","type":"NoSuchTableException"}}`,
	} {
		_, _, got := ask(t, "GET", uri+path, "")
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, want, string(text), path)
	}
	for path, want := range map[string]int{
		"/v1/namespaces/lake": 204, "/v1/namespaces/no": 404, "/v1/namespaces/lake/tables/events": 204, "/v1/namespaces/lake/tables/ghost": 404,
		"/v1/namespaces/lake/tables/no": 404, "/v1/namespaces/no/tables/events": 404,
	} {
		code, _, _ := ask(t, "HEAD", uri+path, "")
		require.Equal(t, want, code, path)
	}
}

func TestLoadGivesTheNewestVersionAndSaysWhenNothingChanged(t *testing.T) {
	tab := lakekit.Open(t, testkit.S3(t), "")
	w := lakekit.Fill(t, tab, 2, 10)
	uri := start(t, catalog.Config{Tables: map[string]catalog.Source{"events": tab}}) + "/v1/namespaces/lake/tables/events"
	v, err := tab.Load(t.Context())
	require.NoError(t, err)

	code, h, doc := ask(t, "GET", uri, "")
	require.Equal(t, 200, code)
	require.Equal(t, v.MetadataLocation(), doc["metadata-location"])
	require.Empty(t, doc["config"], "no keys were configured")
	require.Equal(t, v.Metadata.CurrentSnapshot().SnapshotID, parsed(t, doc).CurrentSnapshot().SnapshotID)
	require.Len(t, parsed(t, doc).Snapshots(), len(v.Metadata.Snapshots()))

	_, _, named := ask(t, "GET", uri+"?snapshots=refs", "")
	require.Len(t, parsed(t, named).Snapshots(), 1)
	require.Equal(t, v.Metadata.CurrentSnapshot().SnapshotID, parsed(t, named).CurrentSnapshot().SnapshotID)

	etag := h.Get("ETag")
	require.NotEmpty(t, etag)
	for header, want := range map[string]int{etag: 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200} {
		code, _, body := ask(t, "GET", uri, "", "If-None-Match", header)
		require.Equal(t, want, code, header)
		require.Equal(t, want == 304, body == nil, header)
	}
	require.NoError(t, w.Day(t.Context(), 2, 10))
	code, h, doc = ask(t, "GET", uri, "", "If-None-Match", etag)
	require.Equal(t, 200, code, "a commit later")
	require.NotEqual(t, etag, h.Get("ETag"))
	require.Equal(t, "30", parsed(t, doc).CurrentSnapshot().Summary.Properties["total-records"])
}

func parsed(t *testing.T, doc map[string]any) table.Metadata {
	t.Helper()
	raw, err := json.Marshal(doc["metadata"])
	require.NoError(t, err)
	m, err := table.ParseMetadataBytes(raw)
	require.NoError(t, err)
	return m
}

func TestKeysAreHandedOutOnlyWhenConfigured(t *testing.T) {
	tab := lakekit.Open(t, testkit.S3(t), "")
	lakekit.Fill(t, tab, 1, 1)
	uri := start(t, catalog.Config{
		Tables:  map[string]catalog.Source{"events": tab},
		Storage: catalog.Storage{Endpoint: "http://s3:9000", AccessKey: "reader", SecretKey: "of the lake"},
	})
	_, _, doc := ask(t, "GET", uri+"/v1/namespaces/lake/tables/events", "")
	require.Equal(t, map[string]any{
		"s3.access-key-id": "reader", "s3.secret-access-key": "of the lake", "s3.endpoint": "http://s3:9000", "s3.path-style-access": "true",
	}, doc["config"])
	_, _, doc = ask(t, "GET", uri+"/v1/config", "")
	require.NotContains(t, fmt.Sprint(doc), "of the lake")
}

func TestWritesAreRefused(t *testing.T) {
	tab := lakekit.Open(t, testkit.S3(t), "")
	lakekit.Fill(t, tab, 1, 1)
	before, err := tab.Load(t.Context())
	require.NoError(t, err)
	uri := start(t, catalog.Config{Tables: map[string]catalog.Source{"events": tab}}) + "/v1"
	for _, request := range []string{
		"POST /namespaces", "DELETE /namespaces/lake", "POST /namespaces/lake/properties", "POST /namespaces/lake/tables",
		"POST /namespaces/lake/tables/events", "DELETE /namespaces/lake/tables/events", "POST /namespaces/lake/register",
		"POST /tables/rename", "POST /transactions/commit", "POST /namespaces/lake/views", "PUT /anything",
	} {
		method, path, _ := strings.Cut(request, " ")
		code, _, doc := ask(t, method, uri+path, `{"requirements":[],"updates":[]}`)
		require.Equal(t, 403, code, request)
		failure := doc["error"].(map[string]any)
		require.Equal(t, "ForbiddenException", failure["type"], request)
		require.Contains(t, failure["message"], "read-only", request)
	}
	code, _, doc := ask(t, "POST", uri+"/oauth/tokens", "grant_type=client_credentials")
	require.Equal(t, 400, code)
	require.Contains(t, doc["error_description"], "no tokens")
	code, _, _ = ask(t, "GET", uri+"/namespaces/lake/views", "")
	require.Equal(t, 404, code)
	after, err := tab.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.N, after.N)
}

func TestReportsOfMetricsAreTaken(t *testing.T) {
	uri := start(t, catalog.Config{Tables: map[string]catalog.Source{}}) + "/v1/namespaces/lake/tables/"
	report := `{"report-type":"scan-report","table-name":"lake.ghost","snapshot-id":7,"filter":{"type":"true"},"metrics":{}}`
	code, _, _ := ask(t, "POST", uri+"ghost/metrics", report)
	require.Equal(t, 204, code)
	code, _, _ = ask(t, "POST", uri+"ghost/metrics", "no report")
	require.Equal(t, 400, code)
	code, _, _ = ask(t, "POST", uri+"no/metrics", report)
	require.Equal(t, 404, code)
}

func TestAStoreThatIsAwayIs503(t *testing.T) {
	away := sourceFunc(func(context.Context) (*lake.Version, error) { return nil, errors.New("connection refused") })
	uri := start(t, catalog.Config{Tables: map[string]catalog.Source{"events": away}})
	for _, path := range []string{"/tables", "/tables/events"} {
		code, _, doc := ask(t, "GET", uri+"/v1/namespaces/lake"+path, "")
		require.Equal(t, 503, code, path)
		require.Contains(t, fmt.Sprint(doc), "connection refused")
	}
}
