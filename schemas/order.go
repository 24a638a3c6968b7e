package schemas

import "cmp"

// Rank is the first part of the order of values: what kind of event a value comes from.
type Rank uint8

// A value of a higher rank beats every value of a lower one.
const (
	RankCreation Rank = iota
	RankEdit
	RankErasure
)

// Version says which of two values of a message wins. Hot, snapshots, history and verify all use this order:
// rank, then the event's Snowflake, then the redaction policy that the value went through (so that a replay under a
// better policy beats the leak).
type Version struct {
	Rank   Rank
	Event  int64
	Policy uint32
}

// Compare is negative if a loses against b, positive if it wins, 0 if they are the same version; the caller then
// compares the values' bytes, as ClickHouse's max of a tuple does, and the greater text wins. So one event id that was
// delivered with two contents, under one policy, ends in the same text in whatever order it came, which need not be the last.
func (a Version) Compare(b Version) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Policy, b.Policy))
}

// RankOf is the rank of what an event of this type writes. Deletes and restores share the rank of edits: among
// themselves the later event wins.
func RankOf(t Type) Rank {
	if t == TypeCreated {
		return RankCreation
	}
	return RankEdit
}

// Covers reports whether the delete of a whole channel or guild, the event removal, takes a message: one whose id is
// below the event's. Neither ever changes, so that the answer does not depend on what else has arrived. To the message it
// is a delete like any other: a later restore beats it.
func Covers(removal, message int64) bool { return message < removal }
