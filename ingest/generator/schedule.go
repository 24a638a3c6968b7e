package generator

import (
	"math"
	"math/rand/v2"
	"time"
)

// bucket is the stretch of time within which events come evenly.
const bucket = 5 * time.Minute

// schedule gives events their times: more by day than by night, and now and then a burst. Without a start an event has
// the time at which it is made.
type schedule struct {
	now   func() time.Time // nil: planned
	rng   *rand.Rand
	start int64 // Unix milliseconds
	end   int64 // of the span; 0: none
	per   float64

	from, to   int64   // the bucket under way
	first, sum float64 // events before it, and by its end
}

func newSchedule(o *Options) *schedule {
	if o.Start.IsZero() {
		return &schedule{now: o.Now}
	}
	s := &schedule{rng: random(o.Seed, 7), start: o.Start.UnixMilli()}
	if o.Span > 0 {
		s.end = s.start + o.Span.Milliseconds()
	}
	s.per = o.Rate / 1000
	if s.end > 0 {
		plan, total := *s, 0.0
		plan.rng, plan.per = random(o.Seed, 7), 1
		for plan.begin(); plan.from < s.end; plan.next() {
			total += plan.sum - plan.first
		}
		s.per = float64(o.Events) / total
	}
	s.begin()
	return s
}

func (s *schedule) begin() {
	s.to = s.start
	s.next()
}

// next goes on to the next bucket.
func (s *schedule) next() {
	s.from, s.first = s.to, s.sum
	s.to = s.from + bucket.Milliseconds()
	if s.end > 0 {
		s.to = min(s.to, max(s.end, s.from+1))
	}
	s.sum += s.per * float64(s.to-s.from) * s.weight()
}

// weight is how busy the bucket is, 1 on average: a sine over the day with its top at 20:00 UTC, noise, and one bucket in
// forty five times as busy.
func (s *schedule) weight() float64 {
	hours := float64(s.from%(24*3600_000)) / 3600_000
	w := 1 + 0.6*math.Cos((hours-20)/24*2*math.Pi)
	w *= 0.8 + 0.4*s.rng.Float64()
	if s.rng.IntN(40) == 0 {
		w *= 5
	}
	return w / 1.1
}

// at is the time of event i in Unix milliseconds. i never falls.
func (s *schedule) at(i int64) int64 {
	if s.now != nil {
		return s.now().UnixMilli()
	}
	for float64(i) >= s.sum && (s.end == 0 || s.to < s.end) {
		s.next()
	}
	part := (float64(i) - s.first) / (s.sum - s.first)
	ms := s.from + int64(part*float64(s.to-s.from))
	if s.end > 0 {
		ms = min(ms, s.end-1)
	}
	return ms
}
