// Package serve answers over HTTP for a running system: /healthz (alive), /readyz (every dependency answers), /metrics
// (Prometheus) and a status page at /.
//
// The types to know are [Server] and [Status], which the caller fills. It fails to start when its address is taken, and
// says by whom. It reads no history yet: the data services and the console stand here later, under /v1.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coldstream/coldstream/internal/netutil"
)

// checkTimeout bounds /readyz: a dependency that does not answer in this time is not ready.
const checkTimeout = 8 * time.Second

// Check asks one dependency whether it answers.
type Check struct {
	Name  string
	Probe func(ctx context.Context) error
}

// Lag is how far one consumer is behind.
type Lag struct {
	Records int64   `json:"records"`
	Seconds float64 `json:"seconds"`
}

// Status is what the page and the metrics show.
type Status struct {
	Version   string           `json:"version"`
	Started   time.Time        `json:"started"`
	Addresses [][2]string      `json:"addresses"` // what runs where
	Lags      map[string]Lag   `json:"lag"`       // by pipeline
	Counters  map[string]int64 `json:"counters"`  // pipeline_name → since the start
	Failing   []string         `json:"failing"`   // what does not work now, in sentences
	Stages    []Stage          `json:"stages,omitempty"`
	Found     []Found          `json:"found,omitempty"` // what redaction found
	Policy    uint32           `json:"policy"`          // version of the policy in force
}

// Stage is what one stage of a pipeline's chain has done since the start.
type Stage struct {
	Pipeline string           `json:"pipeline"`
	Stage    string           `json:"stage"`
	In       int64            `json:"in"`
	Out      int64            `json:"out"`
	Dropped  map[string]int64 `json:"dropped"` // by reason
	Failed   int64            `json:"failed"`  // batches that it could not do
	Seconds  float64          `json:"seconds"`
}

// Found is how many values of a type a pipeline has found.
type Found struct {
	Pipeline string `json:"pipeline"`
	Type     string `json:"type"`
	Values   int64  `json:"values"`
}

// Config is what a Server needs.
type Config struct {
	Addr   string                       // host:port; port 0 picks a free one
	Checks []Check                      // asked by /readyz, side by side
	Status func(context.Context) Status // safe for many goroutines
	// Checkpoint asks the workers of this process to make durable what they hold; nil: there are none.
	Checkpoint func()
	// Routes are further answers by pattern of http.ServeMux; each handler sees the path as it came.
	Routes map[string]http.Handler
	Log    *slog.Logger
}

// Server is the HTTP side of a process.
type Server struct {
	cfg      Config
	listener net.Listener
	http     *http.Server
}

// Listen takes the address. The error names who holds it, where that can be known.
func Listen(cfg Config) (*Server, error) {
	l, err := netutil.ListenOrOwner(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	s := &Server{cfg: cfg, listener: l}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &metrics{status: cfg.Status})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status.json", s.statusJSON)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("POST /control/checkpoint", s.checkpoint)
	for pattern, h := range cfg.Routes {
		mux.Handle(pattern, h)
	}
	s.http = &http.Server{Handler: s.local(mux), ReadHeaderTimeout: 10 * time.Second}
	return s, nil
}

// Addr is the address taken.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets requests under way finish for a few seconds.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("http %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.http.Shutdown(bound); err != nil {
		_ = s.http.Close() // what is still open after the bound is cut
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http %s: %w", s.Addr(), err)
	}
	return nil
}

// local refuses, on a loopback address, requests that a web page of another site made a browser send.
func (s *Server) local(next http.Handler) http.Handler {
	host, _, err := net.SplitHostPort(s.Addr())
	loopback := err == nil && net.ParseIP(host).IsLoopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loopback && !isLoopbackName(r.Host) {
			http.Error(w, "this address answers to loopback names only", http.StatusForbidden)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet && site != "" && site != "same-origin" && site != "none" {
			http.Error(w, "cross-site requests are refused", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopbackName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"` // "ok", or what is wrong
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]string{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range s.cfg.Checks {
		wg.Go(func() {
			text := "ok"
			if err := c.Probe(ctx); err != nil {
				text = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			answer.Checks[c.Name] = text
			answer.Ready = answer.Ready && text == "ok"
		})
	}
	wg.Wait()
	code := http.StatusOK
	if !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, answer)
}

func (s *Server) statusJSON(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.cfg.Status(r.Context()))
}

func (s *Server) checkpoint(w http.ResponseWriter, _ *http.Request) {
	if s.cfg.Checkpoint == nil {
		http.Error(w, "no worker of the archive runs in this process", http.StatusNotFound)
		return
	}
	s.cfg.Checkpoint()
	w.WriteHeader(http.StatusAccepted)
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
