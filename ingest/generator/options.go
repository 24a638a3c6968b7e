package generator

import (
	"errors"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Options says what to make. Begin with Defaults; a zero fraction means none.
type Options struct {
	// Events is how many distinct valid events to make: creations, edits and deletes. 0: without end.
	Events int64
	// Edits, Deletes and Late are fractions of Events. A late event is a creation from 6 minutes to 6 hours before the
	// stream's time.
	Edits, Deletes, Late float64
	// Duplicates and Bad come on top, as fractions of Events: exact repeats of events up to 1,000 records before, and
	// records that the pipeline refuses.
	Duplicates, Bad float64

	Channels int // 200
	Users    int // 5,000
	Seed     uint64

	// Start is the time of the first event. Zero: every event has the time at which it is made.
	Start time.Time
	// Span is how long the events take, with Start and Events. 0: as long as they take at Rate.
	Span time.Duration
	// Rate is the mean number of events a second of event time, where Start is set and Span is not. 0: 1,000.
	Rate float64

	// Epoch is the zero of the ids; it must be the deployment's. 0: Discord's.
	Epoch schemas.Epoch
	// Node keeps apart the ids of generators that run at the same time, 0 to 1023.
	Node int
	// Now is the clock for events without Start. nil: time.Now.
	Now func() time.Time
}

// Defaults are the options of `coldstream generate`.
func Defaults() Options {
	return Options{
		Events: 100_000, Edits: 0.03, Deletes: 0.01, Late: 0.01, Duplicates: 0.01, Bad: 0.001,
		Channels: 200, Users: 5_000, Seed: 1,
	}
}

const maxPeople = 10_000_000

func (o *Options) defaults() {
	if o.Channels == 0 {
		o.Channels = 200
	}
	if o.Users == 0 {
		o.Users = 5_000
	}
	if o.Rate == 0 {
		o.Rate = 1_000
	}
	if o.Epoch == 0 {
		o.Epoch = schemas.DiscordEpoch
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Validate reports every mistake at once.
func (o *Options) Validate() error {
	var errs []error
	add := func(bad bool, format string, a ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, a...))
		}
	}
	add(o.Events < 0, "events %d: want 0 or more", o.Events)
	for _, f := range []struct {
		name  string
		value float64
	}{{"edits", o.Edits}, {"deletes", o.Deletes}, {"late", o.Late}, {"duplicates", o.Duplicates}, {"bad", o.Bad}} {
		add(!(f.value >= 0 && f.value <= 1), "%s %v: want a fraction from 0 to 1", f.name, f.value)
	}
	add(o.Edits+o.Deletes+o.Late > 0.9, "edits, deletes and late events are %.2f of all: want 0.9 at most, the rest being creations", o.Edits+o.Deletes+o.Late)
	add(o.Channels < 0 || o.Channels > maxPeople, "channels %d: want 1 to %d", o.Channels, maxPeople)
	add(o.Users < 0 || o.Users > maxPeople, "users %d: want 1 to %d", o.Users, maxPeople)
	add(!(o.Rate >= 0), "rate %v: want 0 or more", o.Rate)
	add(o.Node < 0 || o.Node > 1023, "node %d: want 0 to 1023", o.Node)
	add(o.Span < 0, "span %v: want 0 or more", o.Span)
	add(o.Span > 0 && o.Start.IsZero(), "a span needs a start")
	add(o.Span > 0 && o.Events == 0, "a span needs a number of events")
	if !o.Start.IsZero() {
		epoch := o.Epoch
		if epoch == 0 {
			epoch = schemas.DiscordEpoch
		}
		first, last := o.Start.Add(-maxLate).UnixMilli(), o.Start.Add(o.Span).UnixMilli()
		add(!epoch.Contains(first) || !epoch.Contains(last), "start %s: ids cannot hold it", o.Start.Format(time.RFC3339))
	}
	if len(errs) > 0 {
		return fmt.Errorf("generate: %w", errors.Join(errs...))
	}
	return nil
}
