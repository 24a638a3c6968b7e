package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
)

// serving starts runServe and returns a way to ask it.
func serving(t *testing.T, cfg *config.Config) func(path string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	at, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- runServe(ctx, cfg, func(addr string) { at <- addr }) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	var addr string
	select {
	case addr = <-at:
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	return func(path string) (int, string) {
		t.Helper()
		w, err := http.Get("http://" + addr + path)
		require.NoError(t, err)
		defer w.Body.Close()
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		return w.StatusCode, string(body)
	}
}

func TestServeAnswersWithoutPipelines(t *testing.T) {
	cfg, err := config.Load("", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	a, s := testkit.ClickHouse(t), testkit.S3(t)
	cfg.HTTP.Addr = "127.0.0.1:0"
	cfg.ClickHouse.Addr, cfg.ClickHouse.User, cfg.ClickHouse.Password, cfg.ClickHouse.Database = a.Addr, a.User, a.Password, a.Database
	cfg.S3.Endpoint, cfg.S3.AccessKey, cfg.S3.SecretKey, cfg.S3.Bucket = s.Endpoint, s.AccessKey, s.SecretKey, s.Bucket

	refused := func(want error) {
		t.Helper()
		err := runServe(t.Context(), cfg, func(string) { t.Error("it serves") })
		var exit *exitError
		require.True(t, errors.As(err, &exit) && exit.code == exitUsage, "%v", err)
		require.ErrorIs(t, err, want)
	}
	refused(ddl.ErrNotMigrated)
	_, err = schemaMigrate(t.Context(), cfg, ddl.Params{Epoch: cfg.Epoch})
	require.NoError(t, err)
	table, err := openTable(cfg)
	require.NoError(t, err)
	require.Error(t, runServe(t.Context(), cfg, func(string) { t.Error("it serves without a table") }))
	_, err = table.Create(t.Context())
	require.NoError(t, err)

	get := serving(t, cfg)
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "", "/metrics": "go_goroutines", "/": a.Addr, "/v1/iceberg/v1/namespaces": `"lake"`,
	} {
		code, body := get(path)
		require.Equal(t, http.StatusOK, code, "%s: %s", path, body)
		require.Contains(t, body, want, path)
	}
}

func TestServeRefusesAnOldEngine(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "25.3.1.1") }))
	defer old.Close()
	cfg, err := config.Load("", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	cfg.ClickHouse.Addr, cfg.HTTP.Addr = strings.TrimPrefix(old.URL, "http://"), "127.0.0.1:0"
	err = runServe(t.Context(), cfg, func(string) { t.Error("it serves") })
	require.ErrorIs(t, err, ddl.ErrOldEngine)
	require.ErrorContains(t, err, "it is 25.3.1.1, and Coldstream is tested on "+ddl.MinEngine)
}
