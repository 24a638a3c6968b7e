package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/coldstream/coldstream/lake"
)

// document is one encoded answer (LoadTableResult).
type document struct {
	body []byte
	etag string
}

// load gives the answer for the newest version: with every snapshot, or with those alone that a branch or tag names.
func (t *encoded) load(ctx context.Context, refs bool) (*document, error) {
	v, err := t.source.Load(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := v.MetadataLocation(); at != t.at { // another location is another version, also where two requests overtake
		t.at, t.all, t.refs = at, nil, nil
	}
	kept := &t.all
	if refs {
		kept = &t.refs
	}
	if *kept == nil {
		if *kept, err = t.encode(v, refs); err != nil {
			return nil, fmt.Errorf("encode %s: %w", v.MetadataLocation(), err)
		}
	}
	return *kept, nil
}

func (t *encoded) encode(v *lake.Version, refs bool) (*document, error) {
	metadata, err := json.Marshal(v.Metadata)
	if err == nil && refs {
		metadata, err = namedSnapshots(metadata, v)
	}
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{
		"metadata-location": v.MetadataLocation(), "metadata": json.RawMessage(metadata), "config": t.config,
	})
	if err != nil {
		return nil, err
	}
	// Weak, because the same version may travel compressed or not.
	return &document{body: body, etag: fmt.Sprintf(`W/"%016x"`, xxh3.Hash(body))}, nil
}

// namedSnapshots leaves only the snapshots in a table's metadata that a branch or tag names; a client asks for the
// others when it needs one.
func namedSnapshots(metadata []byte, v *lake.Version) ([]byte, error) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(metadata, &doc); err != nil {
		return nil, err
	}
	named := map[int64]bool{}
	for _, ref := range v.Metadata.Refs() {
		named[ref.SnapshotID] = true
	}
	kept := []any{}
	for _, s := range v.Metadata.Snapshots() {
		if named[s.SnapshotID] {
			kept = append(kept, s)
		}
	}
	var err error
	if doc["snapshots"], err = json.Marshal(kept); err != nil {
		return nil, err
	}
	return json.Marshal(doc)
}

// matches says whether an If-None-Match header names the tag, or any.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || tag != "" && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
