package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coldstream/coldstream/lake/objects"
	"github.com/zeebo/xxh3"
)

// maxRecord is the largest checkpoint record; a longer list of files goes into an object. Kafka's own limit is 1 MiB.
const maxRecord = 256 << 10

// fileList is the object that FilesObject names.
type fileList struct {
	FormatVersion int        `json:"format_version"`
	Files         []DataFile `json:"files"`
}

// Hash gives bytes' hash as DataFile.Hash wants it.
func Hash(b []byte) string {
	h := xxh3.Hash128(b).Bytes()
	return fmt.Sprintf("xxh3:%x", h)
}

// EncodeCheckpoint gives the record of c. Where it would be larger than 256 KiB the list of files is written to an
// object first, under a name made of the checkpoint's id; the record then names that object.
func (t *Table) EncodeCheckpoint(ctx context.Context, c Checkpoint) ([]byte, error) {
	record, err := Encode(c)
	if err != nil || len(record) <= maxRecord {
		return record, err
	}
	list, err := json.Marshal(fileList{FormatVersion: CheckpointVersion, Files: c.Files})
	if err != nil {
		return nil, fmt.Errorf("encode files of checkpoint %s: %w", c.ID, err)
	}
	rel := "checkpoints/" + c.ID + ".json"
	if _, err = t.store.Put(ctx, t.Key(rel), list); err != nil {
		return nil, fmt.Errorf("files of checkpoint %s: %w", c.ID, err)
	}
	c.FilesObject = &FilesObject{Path: rel, Size: int64(len(list)), Hash: Hash(list), Count: len(c.Files)}
	c.Files = nil
	return Encode(c)
}

// DecodeCheckpoint reads a record with its list of files, wherever that is. Errors: as Decode, ErrMissingFile where
// the list is not what was announced, or the store's.
func (t *Table) DecodeCheckpoint(ctx context.Context, record []byte) (*Checkpoint, error) {
	c, err := Decode(record)
	if err != nil || c.FilesObject == nil {
		return c, err
	}
	list, _, err := t.store.Get(ctx, t.Key(c.FilesObject.Path))
	if errors.Is(err, objects.ErrNotFound) {
		return nil, fmt.Errorf("checkpoint %s: %w: %w", c.ID, ErrMissingFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", c.ID, err)
	}
	if Hash(list) != c.FilesObject.Hash {
		return nil, fmt.Errorf("checkpoint %s: %s is not what was announced: %w", c.ID, c.FilesObject.Path, ErrMissingFile)
	}
	if err = checkVersion(list, CheckpointVersion); err != nil {
		return nil, fmt.Errorf("checkpoint %s: %s: %w", c.ID, c.FilesObject.Path, err)
	}
	var l fileList
	if err = json.Unmarshal(list, &l); err != nil {
		return nil, fmt.Errorf("checkpoint %s: %s: %w: %w", c.ID, c.FilesObject.Path, ErrMalformed, err)
	}
	c.Files = l.Files
	return c, c.validate()
}
