// Package rest keeps the versions of the lake's tables in an Iceberg REST catalog, for those who run one for all of their
// tables: Polaris, Lakekeeper, Nessie, Unity and what else speaks the protocol. It is iceberg-go's client, held to what
// package lake asks of a [lake.Remote]: one request a commit, and errors that say whether it may have taken place.
//
// [Catalog] is the type to know. It connects at its first use, so that a process starts while the catalog is away.
package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	"github.com/apache/iceberg-go/table"

	"github.com/coldstream/coldstream/lake"
)

// Config says where the catalog is. Only URI and Namespace must be set.
type Config struct {
	URI       string // http(s)://host[:port][/path], without the v1 that the protocol adds
	Warehouse string // which of the catalog's warehouses, where it has several
	Namespace string // of the tables, with dots between its levels
	Table     string // "" means events

	Token      string // bearer token, or
	Credential string // client_id:client_secret, exchanged for one at OAuthURI ("": the catalog's own)
	OAuthURI   string
	Scope      string // "" means catalog

	// Timeout ends a request whose answer does not come; 0 means 30 s.
	Timeout time.Duration
	// Transport carries the requests, nil for the default one. Tests put faults here.
	Transport http.RoundTripper
}

// Catalog is one table in a catalog. Many goroutines may use it.
type Catalog struct {
	cfg   Config
	ident table.Identifier

	mu        sync.Mutex
	connected *rest.Catalog
}

var _ lake.Remote = (*Catalog)(nil)

// New checks the configuration; no I/O.
func New(cfg Config) (*Catalog, error) {
	var errs []error
	if u, err := url.Parse(cfg.URI); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("REST catalog: %q is no http(s) URI", cfg.URI))
	}
	if cfg.Namespace == "" {
		errs = append(errs, errors.New("REST catalog: no namespace"))
	}
	if _, err := url.Parse(cfg.OAuthURI); err != nil {
		errs = append(errs, fmt.Errorf("REST catalog: OAuth URI: %w", err))
	}
	if cfg.Table == "" {
		cfg.Table = "events"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	ident := append(strings.Split(cfg.Namespace, "."), cfg.Table)
	return &Catalog{cfg: cfg, ident: ident}, errors.Join(errs...)
}

// client connects, unless that was done before.
func (c *Catalog) client(ctx context.Context) (*rest.Catalog, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.connected != nil {
		return c.connected, nil
	}
	var opts []rest.Option
	add := func(is bool, o rest.Option) {
		if is {
			opts = append(opts, o)
		}
	}
	add(c.cfg.Warehouse != "", rest.WithWarehouseLocation(c.cfg.Warehouse))
	add(c.cfg.Token != "", rest.WithOAuthToken(c.cfg.Token))
	add(c.cfg.Credential != "", rest.WithCredential(c.cfg.Credential))
	add(c.cfg.Scope != "", rest.WithScope(c.cfg.Scope))
	add(c.cfg.Transport != nil, rest.WithCustomTransport(c.cfg.Transport))
	if c.cfg.OAuthURI != "" {
		u, err := url.Parse(c.cfg.OAuthURI)
		if err != nil {
			return nil, err
		}
		opts = append(opts, rest.WithAuthURI(u))
	}
	cat, err := rest.NewCatalog(ctx, "coldstream", c.cfg.URI, opts...)
	if err != nil {
		return nil, c.wrap("connect", err)
	}
	c.connected = cat
	return cat, nil
}

// Load is part of lake.Remote.
func (c *Catalog) Load(ctx context.Context) (table.Metadata, string, error) {
	ctx, stop := context.WithTimeout(ctx, c.cfg.Timeout)
	defer stop()
	cat, err := c.client(ctx)
	if err != nil {
		return nil, "", err
	}
	t, err := cat.LoadTable(ctx, c.ident)
	switch {
	case errors.Is(err, catalog.ErrNoSuchTable), errors.Is(err, catalog.ErrNoSuchNamespace):
		return nil, "", c.wrap("load", lake.ErrNoTable)
	case err != nil:
		return nil, "", c.wrap("load", err)
	}
	return t.Metadata(), t.MetadataLocation(), nil
}

// Create is part of lake.Remote.
func (c *Catalog) Create(ctx context.Context, location string, schema *iceberg.Schema, spec iceberg.PartitionSpec, props iceberg.Properties) error {
	ctx, stop := context.WithTimeout(ctx, c.cfg.Timeout)
	defer stop()
	cat, err := c.client(ctx)
	if err != nil {
		return err
	}
	namespace := c.ident[:len(c.ident)-1]
	for i := range namespace {
		if err := cat.CreateNamespace(ctx, namespace[:i+1], nil); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
			return c.wrap("create namespace", err)
		}
	}
	_, err = cat.CreateTable(ctx, c.ident, schema, catalog.WithLocation(location), catalog.WithPartitionSpec(&spec), catalog.WithProperties(props))
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return nil
	}
	return c.wrap("create", err)
}

// Commit is part of lake.Remote.
func (c *Catalog) Commit(ctx context.Context, must []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	ctx, stop := context.WithTimeout(ctx, c.cfg.Timeout)
	defer stop()
	cat, err := c.client(ctx)
	if err != nil {
		return nil, "", err
	}
	meta, at, err := cat.CommitTable(ctx, c.ident, must, updates)
	switch {
	case errors.Is(err, rest.ErrCommitFailed):
		err = fmt.Errorf("%w: %w", lake.ErrConflict, err)
	case errors.Is(err, catalog.ErrNoSuchTable):
		err = fmt.Errorf("%w: %w", lake.ErrNoTable, err)
	}
	return meta, at, c.wrap("commit", err)
}

// wrap adds operation, table and catalog, and the sentinel by which callers branch.
func (c *Catalog) wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rest.ErrUnauthorized), errors.Is(err, rest.ErrForbidden), errors.Is(err, rest.ErrOAuthError):
		err = fmt.Errorf("%w: see lake.rest.token and lake.rest.credential: %w", lake.ErrDenied, err)
	}
	return fmt.Errorf("REST catalog %s: %s %s: %w", c.cfg.URI, op, strings.Join(c.ident, "."), err)
}
