package clickhouse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// The library writes Native blocks as for revision 0. A client that names its revision (client_protocol_version) expects
// what ClickHouse adds for it: a block's info before the block, and from 54454 on a byte after each column's type that
// says whether the column is serialised in a way of its own (0: it is not).
const (
	revisionSerialization = 54454
	revisionBuckets       = 54480 // the block's info has a list more
)

// errNativeType says that the scanner does not know how a type lies in a block.
var errNativeType = errors.New("type unknown to the block scanner")

// reviseNative appends the blocks of src, which are for revision 0, to dst as for the given revision.
func reviseNative(dst, src []byte, revision uint64) ([]byte, error) {
	start := len(dst)
	for s := (&nativeScanner{data: src}); len(s.data) > s.pos; {
		var err error
		if dst, err = s.block(dst, revision); errors.Is(err, errNativeType) {
			return decodeNative(dst[:start], src, revision)
		} else if err != nil {
			return nil, fmt.Errorf("read a Native block of the engine: %w", err)
		}
	}
	return dst, nil
}

// decodeNative does the same by decoding every value, for types that the scanner cannot step over.
func decodeNative(dst, src []byte, revision uint64) ([]byte, error) {
	r := chproto.NewReader(bytes.NewReader(src))
	out := chproto.Buffer{Buf: dst}
	for {
		block := proto.Block{ServerContext: &column.ServerContext{Timezone: time.UTC}}
		switch err := block.Decode(r, 0); {
		case errors.Is(err, io.EOF):
			return out.Buf, nil
		case err != nil:
			return nil, exception(codeNotImplemented, "Native with client_protocol_version: "+err.Error()+". Leave the parameter out, or use another format", "NOT_IMPLEMENTED")
		}
		if err := block.Encode(&out, revision); err != nil {
			return nil, exception(codeNotImplemented, "Native with client_protocol_version: "+err.Error(), "NOT_IMPLEMENTED")
		}
	}
}

// nativeScanner steps through Native blocks without decoding their values.
type nativeScanner struct {
	data []byte
	pos  int
}

var errShortBlock = errors.New("it ends too early")

// block appends one block.
func (s *nativeScanner) block(dst []byte, revision uint64) ([]byte, error) {
	dst = append(dst, 1, 0, 2, 0xff, 0xff, 0xff, 0xff)
	if revision >= revisionBuckets {
		dst = append(dst, 3, 0)
	}
	dst = append(dst, 0)
	begin := s.pos
	columns, err := s.number()
	if err != nil {
		return dst, err
	}
	rows, err := s.number()
	if err != nil {
		return dst, err
	}
	dst = append(dst, s.data[begin:s.pos]...)
	for range columns {
		if dst, err = s.column(dst, rows, revision); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (s *nativeScanner) column(dst []byte, rows int, revision uint64) ([]byte, error) {
	begin := s.pos
	if _, err := s.text(); err != nil {
		return dst, err
	}
	kind, err := s.text()
	if err != nil {
		return dst, err
	}
	dst = append(dst, s.data[begin:s.pos]...)
	if revision >= revisionSerialization {
		dst = append(dst, 0)
	}
	if rows == 0 {
		return dst, nil
	}
	layout, err := parseLayout(string(kind))
	if err != nil {
		return dst, err
	}
	begin = s.pos
	if err := s.skip(layout.prefix()); err != nil {
		return dst, err
	}
	if err := s.values(layout, rows); err != nil {
		return dst, err
	}
	return append(dst, s.data[begin:s.pos]...), nil
}

// values steps over the values of a column.
func (s *nativeScanner) values(l layout, rows int) error {
	switch l.kind {
	case layoutFixed:
		return s.skip(rows * l.width)
	case layoutString:
		for range rows {
			if _, err := s.text(); err != nil {
				return err
			}
		}
		return nil
	case layoutNullable:
		if err := s.skip(rows); err != nil {
			return err
		}
		return s.values(l.parts[0], rows)
	case layoutArray:
		if err := s.skip(rows * 8); err != nil || rows == 0 {
			return err
		}
		total := binary.LittleEndian.Uint64(s.data[s.pos-8:])
		if total > uint64(len(s.data))*8 {
			return errShortBlock
		}
		return s.values(l.parts[0], int(total))
	case layoutTuple:
		for _, part := range l.parts {
			if err := s.values(part, rows); err != nil {
				return err
			}
		}
		return nil
	}
	return s.dictionary(l.parts[0], rows)
}

// dictionary steps over a LowCardinality column: runs of a dictionary and the rows' places in it.
func (s *nativeScanner) dictionary(values layout, rows int) error {
	const additionalKeys = 1 << 9
	for rows > 0 {
		header, err := s.uint64()
		if err != nil {
			return err
		}
		if header&additionalKeys != 0 {
			keys, err := s.uint64()
			if err != nil || keys > uint64(len(s.data)) {
				return errors.Join(err, errShortBlock)
			}
			if err := s.values(values, int(keys)); err != nil {
				return err
			}
		}
		n, err := s.uint64()
		if err != nil || n == 0 || n > uint64(rows) {
			return errors.Join(err, errShortBlock)
		}
		if err := s.skip(int(n) << (header & 3)); err != nil {
			return err
		}
		rows -= int(n)
	}
	return nil
}

func (s *nativeScanner) skip(n int) error {
	if n < 0 || n > len(s.data)-s.pos {
		return errShortBlock
	}
	s.pos += n
	return nil
}

func (s *nativeScanner) uint64() (uint64, error) {
	if err := s.skip(8); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(s.data[s.pos-8:]), nil
}

// number reads a count, which is never larger than the block is long (a column of nothing has its rows all the same).
func (s *nativeScanner) number() (int, error) {
	v, n := binary.Uvarint(s.data[s.pos:])
	if n <= 0 || v > 1<<40 {
		return 0, errShortBlock
	}
	s.pos += n
	return int(v), nil
}

func (s *nativeScanner) text() ([]byte, error) {
	n, err := s.number()
	if err != nil {
		return nil, err
	}
	if err := s.skip(n); err != nil {
		return nil, err
	}
	return slices.Clip(s.data[s.pos-n : s.pos]), nil
}
