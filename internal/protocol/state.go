package protocol

import "math/bits"

// The largest sizes. Every field of a State is a byte, so that a State is its own canonical encoding.
const (
	maxParts    = 2
	maxWorkers  = 2
	maxWriters  = 4 // committers, then compactors, then the one that sweeps
	maxRecords  = 8
	maxVersions = 12
	maxPuts     = 4
	maxFiles    = 16
)

// none is the absence of an offset, a file or a record.
const none = int8(-1)

// State is the whole system at one moment.
type State struct {
	// The broker.
	Committed [maxParts]int8       // the group's offsets
	Owner     [maxParts]int8       // worker that holds the partition, as the coordinator sees it, plus one; 0: nobody
	Member    [maxWorkers]int8     // see member…
	Txn       [maxWorkers]txn      // by transactional id
	Records   [maxRecords]record   // topic `chunks`; what no one can read any more is cut off
	Ends      int8                 // how many records there are
	Shown     int8                 // the committers' group offset, which nothing may depend on
	Work      [maxWorkers]worker   // the processes
	Write     [maxWriters]writer   // the processes that commit to the table
	Files     [maxFiles]file       // data files on the store
	Versions  [maxVersions]version // of the table; index 0 is the lowest that anyone may still ask for
	Newest    int8                 // index of the newest version that was ever written
	Hint      int8                 // index of the version that it names, plus one; 0: there is no hint
	Puts      [maxPuts]put         // PUTs of versions that are on their way
	Flying    int8                 // how many
	Sweep     sweep
	Read      reader
	Left      [numFaults]int8 // how often each fault may still happen
}

// Membership of a worker's client in the group, as the coordinator sees it.
const (
	outside  = int8(iota) // no member
	admitted              // a member under the id under which the worker took its partitions
	replaced              // a member under another id, which the client got by itself
)

// txn is the transaction of a transactional id.
type txn struct {
	Open    int8
	Ending  int8           // the request to commit is on its way
	Decided int8           // 1: commit, 2: abort; the markers follow one by one
	Marked  int8           // marker in `chunks` is written
	Applied int8           // marker in the group's offsets is written
	Record  int8           // index of its record
	Offsets [maxParts]int8 // pending offsets, or none
}

// Status of a record of `chunks`.
const (
	open = int8(iota + 1)
	committed
	aborted
)

type record struct {
	Status     int8
	From, Next [maxParts]int8 // none: the checkpoint says nothing of the partition
	File       int8
}

// Phases of a worker's checkpoint.
const (
	reading  = int8(iota)
	closed   // buffers are closed; the file is to be uploaded
	uploaded // the file is durable
	produced // the record is in an open transaction
	offsets  // the offsets are in it too
	ending   // the request to commit was sent
	owing    // it is committed, and the file is yet to be uploaded: only a Break comes here
)

type worker struct {
	In         int8 // believes to be a member
	Phase      int8
	Hold       [maxParts]int8
	From, Next [maxParts]int8 // what the current buffer covers
	CFrom      [maxParts]int8 // what the closed one covers, or none
	CNext      [maxParts]int8
	File       int8
}

// Phases of a writer.
const (
	idle      = int8(iota)
	rewritten // compactor: the output is on the store, the swap is to be staged
	staged    // the next version is made from a base
	sent      // its PUT is on the way
	doubt     // it was answered with anything but success
	done      // it is in the table
	hinting   // the hint was read and is lower
)

type writer struct {
	Phase int8
	Last  int8 // index of the newest version seen, plus one; 0: none
	Base  int8 // index of the version that the commit is made from
	Want  doc  // what it would make
	Adds  set  // committer: files of the plan; compactor: inputs
	Out   int8 // compactor: output
	Seen  int8 // the hint as it was read
	Cache doc  // what Last says, where the store does not hold it any more
}

// Age of a file, against the sweep's margin.
const (
	young = int8(iota)
	stale // above a quarter of the sweep's margin: nothing may begin to name it
	old   // above the margin: sweep may take it
)

type file struct {
	There int8
	Age   int8
	Rows  [maxParts]uint8 // offsets, one bit each
}

// doc is what a version says.
type doc struct {
	Next  int8           // position in `chunks`: index of the next record
	Pos   [maxParts]int8 // position in each source partition
	Live  set
	Twice int8 // a file was added that was in it already
}

// add puts files into a version.
func (d *doc) add(files set) {
	if d.Live.without(files) != d.Live {
		d.Twice = 1
	}
	d.Live = d.Live.union(files)
}

// Kinds of a version.
const (
	absent = int8(iota)
	live
	tombstone
	unread // live, and so old that nobody reads it any more: what it says is left out
)

type version struct {
	Kind int8
	By   int8 // writer whose unsettled attempt made it, plus one
	Past int8 // 1: it was replaced longer ago than any query takes
	Doc  doc
}

type put struct {
	At  int8 // index of the version
	By  int8 // as version.By
	Doc doc
}

// Phases of the sweep.
const (
	fenced = int8(iota + 1) // a version was committed; files that were old then are known
	chosen                  // those of them that nothing names are known
)

type sweep struct {
	Phase int8
	Files set
}

// reader is a query on the table: it has planned by a version and opens files later.
type reader struct {
	Phase int8
	Live  set
}

// set is a set of files.
type set [2]uint8

func bit(i int8) set { return set{uint8(uint16(1) << i), uint8(uint16(1) << i >> 8)} }

func (s set) bits() uint16      { return uint16(s[0]) | uint16(s[1])<<8 }
func (s set) has(i int8) bool   { return i >= 0 && s.bits()>>i&1 != 0 }
func (s set) without(o set) set { return set{s[0] &^ o[0], s[1] &^ o[1]} }
func (s set) union(o set) set   { return set{s[0] | o[0], s[1] | o[1]} }
func (s set) within(o set) bool { return s.without(o) == set{} }
func (s set) count() int        { return bits.OnesCount16(s.bits()) }

func (s set) with(i int8) set {
	if i < 0 {
		return s
	}
	return s.union(bit(i))
}

// each gives the files in s.
func (s set) each(yield func(int8) bool) {
	for x := s.bits(); x != 0; x &= x - 1 {
		if !yield(int8(bits.TrailingZeros16(x))) {
			return
		}
	}
}
