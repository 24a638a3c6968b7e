package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/coldstream/coldstream/lake"
)

// Path is where the catalog stands on our HTTP address; http://host:port and it are the URI that clients are given.
const Path = "/v1/iceberg"

// Source gives the newest version of a table. It is an interface, because every way to keep a table's versions has one.
type Source interface {
	// Load gives the newest version, or lake.ErrNoTable. Many goroutines may call it.
	Load(ctx context.Context) (*lake.Version, error)
}

// Storage is what clients are told about the object store.
type Storage struct {
	Endpoint string // URL as clients reach it, http://host:port; "" leaves it to them (AWS)
	Region   string
	// AccessKey and SecretKey are handed to every client that loads a table; empty: none are, and clients bring their own.
	// They should be keys that may only read.
	AccessKey, SecretKey string
}

// Config is what a catalog serves.
type Config struct {
	Namespace string            // the one namespace
	Tables    map[string]Source // by name; one that gives lake.ErrNoTable does not exist yet
	Storage   Storage
	Log       *slog.Logger // nil means none
}

// Handler is the catalog. Many goroutines may use it.
type Handler struct {
	cfg    Config
	routes http.Handler
	tables map[string]*encoded
}

// New gives the handler of everything below Path, which it expects to be cut off.
func New(cfg Config) *Handler {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{cfg: cfg, tables: map[string]*encoded{}}
	for name, source := range cfg.Tables {
		h.tables[name] = &encoded{source: source, config: cfg.Storage.tableConfig()}
	}
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /v1/config":                        h.config,
		"GET /v1/namespaces":                    h.namespaces,
		"GET /v1/namespaces/{namespace}":        h.namespace,
		"GET /v1/namespaces/{namespace}/tables": h.list,
		"POST /v1/oauth/tokens":                 token,
		"GET /":                                 nothing,
		"/":                                     refuse,
		"HEAD /v1/namespaces/{namespace}":       h.namespaceExists,
		"HEAD /v1/namespaces/{namespace}/tables/{name}":         h.tableExists,
		"POST /v1/namespaces/{namespace}/tables/{name}/metrics": h.metrics,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := answer(r)
			h.write(w, r, v, err)
		})
	}
	mux.HandleFunc("GET /v1/namespaces/{namespace}/tables/{name}", h.load)
	h.routes = gzhttp.GzipHandler(mux)
	return h
}

// patience bounds a request: a store that is away is an answer (503), not a client that hangs.
const patience = 10 * time.Second

// ServeHTTP is part of http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	h.routes.ServeHTTP(w, r.WithContext(ctx))
}

// endpoints is what config says that we answer, so that clients ask for nothing else.
var endpoints = []string{
	"GET /v1/{prefix}/namespaces",
	"GET /v1/{prefix}/namespaces/{namespace}",
	"HEAD /v1/{prefix}/namespaces/{namespace}",
	"GET /v1/{prefix}/namespaces/{namespace}/tables",
	"GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
	"HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
	"POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
}

// config tells clients where the store is, as defaults: a client that reaches it by another address says so and wins.
func (h *Handler) config(*http.Request) (any, error) {
	return map[string]any{"defaults": h.cfg.Storage.clientConfig(), "overrides": map[string]string{}, "endpoints": endpoints}, nil
}

func (h *Handler) namespaces(r *http.Request) (any, error) {
	found := [][]string{{h.cfg.Namespace}}
	if parent := r.URL.Query().Get("parent"); parent != "" {
		if parent != h.cfg.Namespace {
			return nil, h.noNamespace(parent)
		}
		found = [][]string{}
	}
	return map[string]any{"namespaces": found, "next-page-token": nil}, nil
}

func (h *Handler) namespace(r *http.Request) (any, error) {
	return map[string]any{"namespace": []string{h.cfg.Namespace}, "properties": map[string]string{}}, h.inNamespace(r)
}

func (h *Handler) namespaceExists(r *http.Request) (any, error) { return nil, h.inNamespace(r) }

func (h *Handler) list(r *http.Request) (any, error) {
	if err := h.inNamespace(r); err != nil {
		return nil, err
	}
	found := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(h.tables)) {
		switch _, err := h.tables[name].source.Load(r.Context()); {
		case err == nil:
			found = append(found, map[string]any{"namespace": []string{h.cfg.Namespace}, "name": name})
		case !errors.Is(err, lake.ErrNoTable):
			return nil, err
		}
	}
	return map[string]any{"identifiers": found, "next-page-token": nil}, nil
}

func (h *Handler) tableExists(r *http.Request) (any, error) {
	t, err := h.table(r)
	if err == nil {
		_, err = t.source.Load(r.Context())
	}
	return nil, h.explain(r, err)
}

// load answers with the whole metadata, or with 304 where the client has it.
func (h *Handler) load(w http.ResponseWriter, r *http.Request) {
	t, err := h.table(r)
	if err != nil {
		h.write(w, r, nil, err)
		return
	}
	doc, err := t.load(r.Context(), r.URL.Query().Get("snapshots") == "refs")
	if err != nil {
		h.write(w, r, nil, h.explain(r, err))
		return
	}
	w.Header().Set("ETag", doc.etag)
	if matches(r.Header.Get("If-None-Match"), doc.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(doc.body)
}

// maxReport is how much of a report of metrics is read; reports have a few KiB.
const maxReport = 1 << 20

// metrics takes a report of a client's scan. It goes to the log: who plans slowly, and what was read.
func (h *Handler) metrics(r *http.Request) (any, error) {
	if _, err := h.table(r); err != nil {
		return nil, err
	}
	var report struct {
		Kind     string          `json:"report-type"`
		Snapshot int64           `json:"snapshot-id"`
		Filter   json.RawMessage `json:"filter"`
		Metrics  json.RawMessage `json:"metrics"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxReport)).Decode(&report); err != nil {
		return nil, &failure{http.StatusBadRequest, "BadRequestException", "this is no report of metrics: " + err.Error()}
	}
	h.cfg.Log.Debug("reader's report", "table", r.PathValue("name"), "client", r.UserAgent(), "kind", report.Kind,
		"snapshot", report.Snapshot, "filter", string(report.Filter), "metrics", string(report.Metrics))
	return nil, nil
}

func (h *Handler) inNamespace(r *http.Request) error {
	if ns := r.PathValue("namespace"); ns != h.cfg.Namespace {
		return h.noNamespace(ns)
	}
	return nil
}

func (h *Handler) noNamespace(ns string) error {
	return &failure{http.StatusNotFound, "NoSuchNamespaceException", fmt.Sprintf("there is no namespace %s: the tables are in %s",
		strings.ReplaceAll(ns, "\x1f", "."), h.cfg.Namespace)}
}

func (h *Handler) table(r *http.Request) (*encoded, error) {
	if err := h.inNamespace(r); err != nil {
		return nil, err
	}
	t, ok := h.tables[r.PathValue("name")]
	if !ok {
		return nil, h.explain(r, lake.ErrNoTable)
	}
	return t, nil
}

// explain names the table in an error that says that there is none.
func (h *Handler) explain(r *http.Request, err error) error {
	if !errors.Is(err, lake.ErrNoTable) {
		return err
	}
	return &failure{http.StatusNotFound, "NoSuchTableException", fmt.Sprintf("there is no table %s.%s; %s has %s", h.cfg.Namespace,
		r.PathValue("name"), h.cfg.Namespace, strings.Join(slices.Sorted(maps.Keys(h.tables)), ", "))}
}

// clientConfig is where the store is, in the names that Iceberg's clients share.
func (s *Storage) clientConfig() map[string]string {
	c := map[string]string{"s3.path-style-access": "true"}
	if s.Endpoint != "" {
		c["s3.endpoint"] = s.Endpoint
	}
	if s.Region != "" {
		c["s3.region"], c["client.region"] = s.Region, s.Region
	}
	return c
}

// tableConfig is what comes with a table. Clients put it above their own settings, so it is empty unless keys are handed
// out; with keys it says all that they are good for, because some clients look nowhere else.
func (s *Storage) tableConfig() map[string]string {
	if s.AccessKey == "" {
		return map[string]string{}
	}
	c := s.clientConfig()
	c["s3.access-key-id"], c["s3.secret-access-key"] = s.AccessKey, s.SecretKey
	return c
}

// encoded is a table with the last answer made of it.
type encoded struct {
	source Source
	config map[string]string

	mu        sync.Mutex
	at        string // metadata location of what all and refs show
	all, refs *document
}
