package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldstream/coldstream/serve"
)

func start(t *testing.T, cfg serve.Config) string {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	s, err := serve.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr()
}

func get(t *testing.T, method, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func status(context.Context) serve.Status {
	return serve.Status{
		Version: "v1<b>", Started: time.Unix(0, 0).UTC(), Addresses: [][2]string{{"Kafka", "127.0.0.1:9092"}},
		Lags: map[string]serve.Lag{"cold": {Records: 12, Seconds: 1.5}}, Counters: map[string]int64{"cold.events": 7}, Failing: []string{"hot: away"},
	}
}

func TestReadyNamesWhatDoesNotAnswer(t *testing.T) {
	url := start(t, serve.Config{Status: status, Checks: []serve.Check{
		{Name: "kafka", Probe: func(context.Context) error { return nil }},
		{Name: "s3", Probe: func(context.Context) error { return errors.New("bucket gone") }},
	}})
	code, body := get(t, "GET", url+"/readyz")
	var got struct {
		Ready  bool
		Checks map[string]string
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if code != 503 || got.Ready || got.Checks["kafka"] != "ok" || got.Checks["s3"] != "bucket gone" {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := get(t, "GET", url+"/healthz"); code != 200 || body != "ok\n" {
		t.Fatalf("%d %s", code, body)
	}
}

func TestMetricsAndPageShowTheStatus(t *testing.T) {
	url := start(t, serve.Config{Status: status})
	_, body := get(t, "GET", url+"/metrics")
	for _, want := range []string{`coldstream_lag_records{pipeline="cold"} 12`, `coldstream_lag_seconds{pipeline="cold"} 1.5`, `coldstream_total{kind="events",pipeline="cold"} 7`, "coldstream_failing 1", "go_goroutines"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	_, body = get(t, "GET", url+"/")
	for _, want := range []string{"v1&lt;b&gt;", "127.0.0.1:9092", "hot: away"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	if code, _ := get(t, "GET", url+"/nothing"); code != 404 {
		t.Errorf("an unknown path answers %d", code)
	}
}

func TestForeignHostsAndSitesAreRefused(t *testing.T) {
	var asked atomic.Int32
	url := start(t, serve.Config{Status: status, Checkpoint: func() { asked.Add(1) }})
	for _, header := range [][]string{{"Host", "evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if code, _ := get(t, "POST", url+"/control/checkpoint", header...); code != 403 {
			t.Errorf("%v: %d", header, code)
		}
	}
	if code, _ := get(t, "POST", url+"/control/checkpoint"); code != 202 || asked.Load() != 1 {
		t.Fatalf("%d, asked %d times", code, asked.Load())
	}
}
