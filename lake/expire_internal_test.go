package lake

import (
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit/mutants"
	"github.com/coldstream/coldstream/lake/objects"
)

// A version can be read for as long after another replaced it as was said, however old it is itself; the newest always.
func TestAVersionExpiresAfterItWasReplaced(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	version := func(n int64, hour int) versionInfo {
		return versionInfo{n, objects.Info{Size: 5000, Modified: noon.Add(time.Duration(hour) * time.Hour)}}
	}
	for before, want := range map[int][]int64{0: nil, 2: nil, 3: {1}, 5: {1, 2}, 100: {1, 2}} {
		var e Expiry
		var got []int64
		for _, v := range e.old([]versionInfo{version(2, 2), version(1, 0), version(3, 4)}, noon.Add(time.Duration(before)*time.Hour)) {
			got = append(got, v.n)
		}
		if len(got) != len(want) || e.Newest != 3 || e.Oldest != int64(len(want))+1 || e.Kept != 3-len(want) {
			t.Errorf("%d hours on: expired %v, want %v; %+v", before, got, want, e)
		}
	}
}

func TestEveryRuleIsNoticed(t *testing.T) {
	mutants.Try(t, "./lake", "^TestAVersionExpires", []mutants.Mutant{
		mutants.Of("a version expires after it was replaced", "lake/expire.go", `all[i+1].Modified.Before(before)`, `all[i].Modified.Before(before)`),
		mutants.Of("the newest version never expires", "lake/expire.go", `if i+1 < len(all) && (`, `if i+1 >= len(all) || (`),
	})
}
