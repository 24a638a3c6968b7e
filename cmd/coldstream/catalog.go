package main

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/netutil"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/serve/catalog"
)

// lakeRoutes are the answers of the Iceberg REST catalog over our own tables; none where no lake is configured.
func lakeRoutes(cfg *config.Config) (map[string]http.Handler, error) {
	if cfg.S3.Endpoint == "" {
		return nil, nil
	}
	table, err := openTable(cfg)
	if err != nil {
		return nil, err
	}
	namespace, name, _ := strings.Cut(lake.EventsName, "/")
	h := catalog.New(catalog.Config{
		Namespace: namespace, Tables: map[string]catalog.Source{name: table}, Storage: clientStorage(cfg), Log: slog.Default(),
	})
	return map[string]http.Handler{catalog.Path + "/": http.StripPrefix(catalog.Path, h)}, nil
}

// clientStorage is what readers are told of the object store.
func clientStorage(cfg *config.Config) catalog.Storage {
	c := cfg.Lake.Clients
	return catalog.Storage{Endpoint: netutil.URL(cmp.Or(c.Endpoint, cfg.S3.Endpoint)), Region: cfg.S3.Region, AccessKey: c.AccessKey, SecretKey: c.SecretKey}
}
