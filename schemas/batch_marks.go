package schemas

import "slices"

// Refused is a row that a processor could not take. It becomes a dead letter.
type Refused struct {
	Offset int64
	Stage  string // filled in by the chain
	Why    *Refusal
}

// Refuse drops row i and says why; the record that it came from becomes a dead letter.
func (b *Batch) Refuse(i int, why *Refusal) {
	b.Drop(i)
	b.refused = append(b.refused, Refused{Offset: b.Offset[i], Why: why})
}

// Refused are the rows refused so far, in the order of the calls. The caller may fill in their stages.
func (b *Batch) Refused() []Refused { return b.refused }

// MaxRoutes is how many topics the rows of one batch may be routed to.
const MaxRoutes = 63

// leaves marks a row that goes to its topics only.
const leaves = 1 << MaxRoutes

// Route marks row i: as it is when every processor is done with it, it is published to a topic. With leave it goes
// nowhere else. A row may be marked for many topics. It reports false, and marks nothing, where the batch has MaxRoutes
// topics already.
func (b *Batch) Route(i int, topic string, leave bool) bool {
	at := slices.Index(b.routeTo, topic)
	if at < 0 {
		if at = len(b.routeTo); at == MaxRoutes {
			return false
		}
		b.routeTo = append(b.routeTo, topic)
	}
	for len(b.routes) <= i {
		b.routes = append(b.routes, 0)
	}
	b.routes[i] |= 1 << at
	if leave {
		b.routes[i] |= leaves
	}
	return true
}

// Leaves reports whether row i goes to the topics that it is routed to, and nowhere else.
func (b *Batch) Leaves(i int) bool { return i < len(b.routes) && b.routes[i]&leaves != 0 }

// Routes calls f for every topic that row i is routed to.
func (b *Batch) Routes(i int, f func(topic string)) {
	if i >= len(b.routes) {
		return
	}
	for at, topic := range b.routeTo {
		if b.routes[i]&(1<<at) != 0 {
			f(topic)
		}
	}
}

// Routed reports whether any row is routed.
func (b *Batch) Routed() bool { return len(b.routeTo) > 0 }
