package objects

import (
	"container/list"
	"context"
	"errors"
	"io"
	"sync"
)

// blockBytes is how much of an object is fetched at once: a small file whole, a large one in pieces that are worth a request.
const blockBytes = 1 << 20

// Blocks reads objects that never change at any place, and keeps the pieces that were read last. Any number may use it.
type Blocks struct {
	store *Store
	most  int64

	mu    sync.Mutex
	held  int64
	known map[blockKey]*list.Element
	order *list.List // of *block, the last used first
}

type blockKey struct {
	key string
	n   int64
}

type block struct {
	blockKey
	body []byte
}

// Blocks gives a reader that keeps at most so many bytes, one piece of 1 MiB at least.
func (s *Store) Blocks(bytes int64) *Blocks {
	return &Blocks{store: s, most: max(bytes, blockBytes), known: map[blockKey]*list.Element{}, order: list.New()}
}

// Open gives an object of known size to read from. Requests end with ctx; there is nothing to close.
func (b *Blocks) Open(ctx context.Context, key string, size int64) io.ReaderAt {
	return &blockReader{ctx: ctx, blocks: b, key: key, size: size}
}

func (b *Blocks) get(ctx context.Context, key string, n, size int64) ([]byte, error) {
	at := blockKey{key, n}
	b.mu.Lock()
	if e, ok := b.known[at]; ok {
		b.order.MoveToFront(e)
		b.mu.Unlock()
		return e.Value.(*block).body, nil
	}
	b.mu.Unlock()
	body, err := b.store.GetRange(ctx, key, n*blockBytes, min(blockBytes, size-n*blockBytes))
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.known[at]; !ok {
		b.known[at] = b.order.PushFront(&block{at, body})
		for b.held += int64(len(body)); b.held > b.most; {
			old := b.order.Remove(b.order.Back()).(*block)
			delete(b.known, old.blockKey)
			b.held -= int64(len(old.body))
		}
	}
	return body, nil
}

type blockReader struct {
	ctx    context.Context
	blocks *Blocks
	key    string
	size   int64
}

// ReadAt is part of io.ReaderAt.
func (r *blockReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the start of " + r.key)
	}
	done := 0
	for done < len(p) {
		if off >= r.size {
			return done, io.EOF
		}
		body, err := r.blocks.get(r.ctx, r.key, off/blockBytes, r.size)
		if err != nil {
			return done, err
		}
		n := copy(p[done:], body[off%blockBytes:])
		done, off = done+n, off+int64(n)
	}
	return done, nil
}
