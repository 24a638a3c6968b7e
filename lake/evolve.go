package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// PropertySchema is the table property with the SchemaVersion that its columns follow; a table without it follows 1.
const PropertySchema = "coldstream.schema"

// ErrSchema says that the table's columns cannot become what this release wants without reading older files wrongly.
var ErrSchema = errors.New("the table's columns cannot be changed so")

// Columns is a set of columns and its SchemaVersion.
type Columns struct {
	Version int
	Schema  *iceberg.Schema
}

// EnsureSchema brings the table's columns to this release's, and says what it changed, or would with dryRun. `init` and `up`
// call it before workers of the release start; workers and readers of the release before go on, because columns are known
// by their field ids.
func (t *Table) EnsureSchema(ctx context.Context, dryRun bool) ([]string, error) {
	return t.Evolve(ctx, Columns{SchemaVersion, EventsSchema()}, dryRun)
}

// Evolve brings the table's columns to those of a release, by field id: new ones are added, renamed ones renamed, an int becomes
// a long and a float a double. Nothing is dropped. A table that follows the same or a newer release stays as it is. Refused
// with ErrSchema: any other type, a new column that older files would have to have, an id that a column had before.
func (t *Table) Evolve(ctx context.Context, want Columns, dryRun bool) (changed []string, err error) {
	err = t.onNewest(ctx, "change columns of "+t.Location(), func(v *Version) error {
		have, err := strconv.Atoi(v.Properties().Get(PropertySchema, "1"))
		if err != nil {
			return fmt.Errorf("property %s: %w: %w", PropertySchema, ErrDamaged, err)
		}
		if have >= want.Version {
			return nil
		}
		e := evolution{meta: v.Metadata}
		schema, err := e.run(want.Schema)
		if changed = e.told; err != nil || dryRun {
			return err
		}
		c := change{id: rand.Text(), op: table.OpAppend, props: iceberg.Properties{PropertySchema: strconv.Itoa(want.Version)}}
		if len(changed) > 0 {
			c.schema = schema
		}
		_, err = t.commit(ctx, v, c)
		return err
	})
	return changed, err
}

// evolution is one change of columns.
type evolution struct {
	meta table.Metadata
	told []string
}

func (e *evolution) run(want *iceberg.Schema) (*iceberg.Schema, error) {
	current := e.meta.CurrentSchema()
	var fields []iceberg.NestedField
	for _, f := range current.Fields() {
		if w, ok := want.FindFieldByID(f.ID); ok {
			var err error
			if f, err = e.merge(f, w); err != nil {
				return nil, err
			}
		}
		fields = append(fields, f)
	}
	for _, w := range want.Fields() {
		if _, ok := current.FindFieldByID(w.ID); ok {
			continue
		}
		if w.Required {
			return nil, fmt.Errorf("column %s (field id %d) is new and required, and older files do not have it: %w", w.Name, w.ID, ErrSchema)
		}
		if w.ID <= e.meta.LastColumnID() {
			return nil, fmt.Errorf("field id %d of new column %s was another column's: %w", w.ID, w.Name, ErrSchema)
		}
		e.told = append(e.told, fmt.Sprintf("column %s %s added (field id %d)", w.Name, w.Type, w.ID))
		fields = append(fields, w)
	}
	return iceberg.NewSchema(0, fields...), nil
}

// merge gives a column its new name and type.
func (e *evolution) merge(have, want iceberg.NestedField) (iceberg.NestedField, error) {
	if !have.Type.Equals(want.Type) {
		if !widens(have.Type, want.Type) {
			return have, fmt.Errorf("column %s (field id %d) is %s and cannot become %s: %w", have.Name, have.ID, have.Type, want.Type, ErrSchema)
		}
		e.told = append(e.told, fmt.Sprintf("column %s widened from %s to %s", have.Name, have.Type, want.Type))
		have.Type = want.Type
	}
	if have.Name != want.Name {
		e.told = append(e.told, fmt.Sprintf("column %s renamed to %s", have.Name, want.Name))
		have.Name = want.Name
	}
	if want.Required && !have.Required {
		return have, fmt.Errorf("column %s (field id %d) is optional and cannot become required: %w", have.Name, have.ID, ErrSchema)
	}
	return have, nil
}

// widens says whether every value of one type is one of the other.
func widens(from, to iceberg.Type) bool {
	p := iceberg.PrimitiveTypes
	return from.Equals(p.Int32) && to.Equals(p.Int64) || from.Equals(p.Float32) && to.Equals(p.Float64)
}
