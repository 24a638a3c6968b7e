package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/coldstream/coldstream/internal/faults"
)

// Lake says how the lake's tables are kept and shown.
type Lake struct {
	Catalog string // s3 or rest
	REST    LakeREST
	Clients LakeClients

	CompactEvery  time.Duration
	CompactAfter  time.Duration
	CompactFiles  int
	CompactMemory int64
	FileBytes     int64
	ExpireEvery   time.Duration
	Keep          time.Duration
	SweepEvery    time.Duration
	SweepMargin   time.Duration
}

// LakeREST says where the REST catalog is that keeps the table's versions, if Lake.Catalog is rest.
type LakeREST struct{ URI, Warehouse, Namespace, Token, Credential, OAuthURI, Scope string }

func (l *Lake) validateREST(bad func(ok bool, key, format string, a ...any)) {
	bad(l.Catalog == "s3" || l.Catalog == "rest", "lake.catalog", "%q: s3 or rest", l.Catalog)
	if l.Catalog == "rest" {
		u, err := url.Parse(l.REST.URI)
		bad(err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http"), "lake.rest.uri", "%q is not the http(s) URI of a catalog", l.REST.URI)
		bad(l.REST.Namespace != "", "lake.rest.namespace", "must not be empty")
	}
}

// LakeClients is what readers of the catalog under /v1/iceberg are told about the object store.
type LakeClients struct{ Endpoint, AccessKey, SecretKey string }

func (l *Lake) validate(bad func(ok bool, key, format string, a ...any)) {
	bad(l.CompactEvery >= 0, "lake.compact_every", "0 for never, or a duration")
	bad(l.CompactAfter >= 0, "lake.compact_after", "0 or more")
	bad(l.CompactFiles >= 1, "lake.compact_files", "at least 1")
	bad(l.CompactMemory >= 64<<20, "lake.compact_memory", "at least 67108864 (64 MiB)")
	bad(l.FileBytes >= 1<<20 && l.FileBytes <= 1<<30, "lake.file_bytes", "from 1048576 (1 MiB) to 1073741824 (1 GiB)")
	bad(l.ExpireEvery >= 0, "lake.expire_every", "0 for never, or a duration")
	bad(l.Keep >= 10*time.Minute || faults.Built, "lake.keep", "%v: at least 10m, or readers lose the version that they read", l.Keep)
	bad(l.SweepEvery >= 0, "lake.sweep_every", "0 for never, or a duration")
	bad(l.SweepMargin >= time.Hour || faults.Built, "lake.sweep_margin", "%v: at least 1h; workers give up what they could not announce within a quarter of it", l.SweepMargin)
}
