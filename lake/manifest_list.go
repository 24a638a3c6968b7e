package lake

import (
	"context"
	"errors"
	"fmt"
)

// Manifest is one of the lists of files that a version consists of.
type Manifest struct {
	URI               string
	Size              int64
	Files             int   // live
	FirstDay, LastDay int32 // of its files: days since 1970-01-01 UTC
}

// Manifests lists the version's manifests, in the order of the list. It reads that list alone.
func (v *Version) Manifests(ctx context.Context) ([]Manifest, error) {
	snap := v.Metadata.CurrentSnapshot()
	if snap == nil {
		return nil, nil
	}
	list, err := snap.Manifests(v.table.store.FS(ctx))
	if err != nil {
		return nil, fmt.Errorf("manifests of %s v%d: %w", v.table.Location(), v.N, err)
	}
	var out []Manifest
	for _, m := range list {
		e := Manifest{URI: m.FilePath(), Size: m.Length(), Files: int(m.AddedDataFiles() + m.ExistingDataFiles())}
		if p := m.Partitions(); len(p) == 1 && p[0].LowerBound != nil && p[0].UpperBound != nil {
			var err1, err2 error
			e.FirstDay, err1 = readIntBound(*p[0].LowerBound)
			e.LastDay, err2 = readIntBound(*p[0].UpperBound)
			if err = errors.Join(err1, err2); err != nil {
				return nil, fmt.Errorf("manifest %s: %w: %w", m.FilePath(), ErrDamaged, err)
			}
		}
		out = append(out, e)
	}
	return out, nil
}
