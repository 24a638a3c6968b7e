package schemas_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// Discord's documentation takes 175928847299117063 apart like this.
func TestPartsOfDiscordsExample(t *testing.T) {
	p := schemas.DiscordEpoch.Parts(175928847299117063)
	want := schemas.SnowflakeParts{
		ID: 175928847299117063, Time: time.Date(2016, 4, 30, 11, 18, 25, 796e6, time.UTC), Worker: 1, Process: 0, Sequence: 7,
	}
	if p != want {
		t.Fatalf("got %+v, want %+v", p, want)
	}
}

func TestSnowflakesBeforeTheEpochSortByTime(t *testing.T) {
	e := schemas.DiscordEpoch
	last := int64(-1 << 63)
	for _, day := range []string{"1945-04-27", "1969-12-31", "2004-11-15", "2014-12-31", "2015-01-01", "2026-11-23", "2084-09-05"} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Contains(at.UnixMilli()) {
			t.Fatalf("%s should fit", day)
		}
		id := e.ID(at.UnixMilli(), 0x3fffff)
		if id <= last || !e.Time(id).Equal(at) {
			t.Fatalf("%s: id %d after %d, time %v", day, id, last, e.Time(id))
		}
		last = id
	}
	for _, day := range []string{"1945-04-25", "2084-09-07"} {
		at, _ := time.Parse(time.DateOnly, day)
		if e.Contains(at.UnixMilli()) {
			t.Fatalf("%s should not fit", day)
		}
	}
}

func TestGeneratorRisesUnderAClockThatGoesBack(t *testing.T) {
	clock := []int64{5000, 5000, 4500, 4500, 6000, 5999}
	i := 0
	g, err := schemas.NewGenerator(0, 3, 4, func() time.Time { i++; return time.UnixMilli(clock[min(i, len(clock))-1]) })
	if err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	for range clock {
		id, err := g.Next()
		if err != nil {
			t.Fatal(err)
		}
		if id <= last {
			t.Fatalf("%d after %d", id, last)
		}
		if p := schemas.Epoch(0).Parts(id); p.Worker != 3 || p.Process != 4 {
			t.Fatalf("%+v", p)
		}
		last = id
	}
}

func TestGeneratorRefusesToRunAhead(t *testing.T) {
	g, err := schemas.NewGenerator(0, 0, 0, func() time.Time { return time.UnixMilli(1000) })
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; n < 5_000_000; n++ {
		if _, err = g.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, schemas.ErrClockAhead) || n < 4096*1000 {
		t.Fatalf("after %d ids: %v", n, err)
	}
}

func TestGeneratorServesManyGoroutines(t *testing.T) {
	g, err := schemas.NewGenerator(schemas.DiscordEpoch, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	const workers, each = 8, 5000
	ids := make([][]int64, workers)
	var wg sync.WaitGroup
	for w := range ids {
		wg.Go(func() {
			for range each {
				id, err := g.Next()
				if err != nil {
					t.Error(err)
					return
				}
				ids[w] = append(ids[w], id)
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for _, l := range ids {
		for _, id := range l {
			seen[id] = true
		}
	}
	if len(seen) != workers*each {
		t.Fatalf("%d distinct ids of %d", len(seen), workers*each)
	}
}

func TestParseDecimalTakesOnlyCanonicalNumbers(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, "-7": -7, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63} {
		if n, ok := schemas.ParseDecimal([]byte(text)); !ok || n != want {
			t.Errorf("%q: %d %v", text, n, ok)
		}
	}
	for _, text := range []string{"", "-", "007", "-0", "+1", "1.0", "1e3", " 1", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "x"} {
		if n, ok := schemas.ParseDecimal([]byte(text)); ok {
			t.Errorf("%q was read as %d", text, n)
		}
	}
}

func TestWindowsAndDaysBefore1970(t *testing.T) {
	at := time.Date(1969, 12, 31, 23, 57, 30, 0, time.UTC)
	w := schemas.WindowOf(at.UnixMicro())
	if !w.Start().Equal(at.Truncate(5*time.Minute)) || !w.End().Equal(time.Unix(0, 0)) || w.Day() != -1 || w.Day().String() != "1969-12-31" {
		t.Fatalf("%v to %v, day %v", w.Start(), w.End(), w.Day())
	}
}

func TestOrderOfValues(t *testing.T) {
	rising := []schemas.Version{
		{},
		{Event: 9},
		{Event: 9, Policy: 1},
		{Rank: schemas.RankEdit, Event: -4},
		{Rank: schemas.RankEdit, Event: 4},
		{Rank: schemas.RankErasure, Event: -9},
	}
	for i := range rising {
		for j := range rising {
			if got := rising[i].Compare(rising[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Fatalf("%+v against %+v: %d", rising[i], rising[j], got)
			}
		}
	}
}
