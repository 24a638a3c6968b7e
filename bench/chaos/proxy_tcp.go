package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// wire is the connection of one process to one server, through toxiproxy.
type wire struct {
	mu    sync.Mutex // one fault at a time
	proxy *toxiproxy.Proxy
	next  int
}

func newToxiproxy() *toxiproxy.ApiServer {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the toxics have a logger of their own
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.New(io.Discard))
}

func newWire(api *toxiproxy.ApiServer, name string, listen int, upstream string) (*wire, error) {
	w := &wire{proxy: toxiproxy.NewProxy(api, name, loopback(listen), upstream)}
	if err := w.proxy.Start(); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", name, err)
	}
	return w, nil
}

// toxics are the ways to spoil a connection; cut and reset end it.
var toxics = map[string]string{
	"delay":     `{"type":"latency","attributes":{"latency":1500,"jitter":1000}}`,
	"throttle":  `{"type":"bandwidth","attributes":{"rate":4}}`,
	"reset":     `{"type":"reset_peer","attributes":{"timeout":50}}`,
	"blackhole": `{"type":"timeout","attributes":{"timeout":0}}`,
}

// spoil keeps the connection spoilt for a while.
func (w *wire) spoil(how string, hold time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if how == "cut" {
		w.proxy.Stop()
		time.Sleep(hold)
		return w.proxy.Start()
	}
	w.next++
	for _, stream := range []string{"upstream", "downstream"} {
		name := fmt.Sprintf("%s-%s-%d", how, stream, w.next)
		doc := strings.Replace(toxics[how], "{", fmt.Sprintf(`{"name":%q,"stream":%q,`, name, stream), 1)
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(doc)); err != nil {
			return err
		}
	}
	time.Sleep(hold)
	w.proxy.Toxics.ResetToxics(timeout(5 * time.Second))
	if how == "blackhole" || how == "throttle" { // what hangs in it must end, as a real network's would
		w.proxy.Stop()
		return w.proxy.Start()
	}
	return nil
}

type apiServer = *toxiproxy.ApiServer

// timeout gives a context that ends by itself.
func timeout(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	time.AfterFunc(d, cancel)
	return ctx
}
