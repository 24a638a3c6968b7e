package broker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// unreadCaps is how many times MaxBytes may be unread before producers have to wait; with MaxBytes of what has been
	// read or has no readers, all logs together stay near four times MaxBytes.
	unreadCaps = 3
	// minFreeBytes is how much of the disk is left to the rest of the system.
	minFreeBytes = 512 << 20
	// sayEvery is how often a state that lasts is logged.
	sayEvery = time.Minute
)

// refusal is what is refused at the moment.
type refusal struct {
	topics []string
	faults *kfake.FaultHandle
}

// admit makes producers wait while the groups are too far behind or the disk is nearly full, and takes their records
// again after that. Only topics that a group reads are refused, and never a transaction: pipelines commit what they
// have read by one, and must be able to go on.
func (u *upkeep) admit(used *usage, free int64, now time.Time) {
	refuse, why := []string(nil), ""
	switch {
	case free < minFreeBytes:
		refuse, why = used.topics, fmt.Sprintf("the disk has %d MiB free, %d MiB are kept free", free>>20, int64(minFreeBytes)>>20)
	case used.unread/unreadCaps >= u.broker.cfg.MaxBytes:
		refuse, why = used.full, fmt.Sprintf("%d MiB wait to be read, %d MiB may", used.unread>>20, u.broker.cfg.MaxBytes*unreadCaps>>20)
	}
	u.refuse(refuse, why)
	switch {
	case u.refusing != nil && u.due("refuse", now):
		u.broker.cfg.Log.Warn("broker: producers have to wait: "+why+"; a group that nobody uses any more has to be deleted to be forgotten",
			"topics", refuse, "slowest_group", slowest(used.behind))
	case u.refusing == nil && used.unread > u.broker.cfg.MaxBytes && u.due("unread", now):
		u.broker.cfg.Log.Warn("broker: keeping more than the cap, because groups have yet to read it",
			"unread", used.unread, "cap", u.broker.cfg.MaxBytes, "slowest_group", slowest(used.behind))
	}
}

// refuse answers produce requests to topics, and to no others, with KAFKA_STORAGE_ERROR, which clients retry. A request
// that is refused leaves no trace, so that a producer's retries stay in sequence. While nothing is refused, requests
// take their ordinary way.
func (u *upkeep) refuse(topics []string, why string) {
	if u.refusing != nil {
		if slices.Equal(u.refusing.topics, topics) {
			return
		}
		u.refusing.faults.Remove()
		u.refusing = nil
		if len(topics) == 0 {
			delete(u.said, "refuse")
			u.broker.cfg.Log.Info("broker: taking records again")
		}
	}
	if len(topics) == 0 {
		return
	}
	answer := *kerr.KafkaStorageError
	answer.Message += ": " + why
	var faults []kfake.Fault
	for _, topic := range topics {
		faults = append(faults, kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: &answer, Count: -1,
			When: func(req kmsg.Request) bool { return req.(*kmsg.ProduceRequest).TransactionID == nil },
		})
	}
	u.refusing = &refusal{topics: topics, faults: u.broker.cluster.Fault(faults...)}
}

// due tells whether a lasting state may be logged again, and notes that it is.
func (u *upkeep) due(what string, now time.Time) bool {
	if last, ok := u.said[what]; ok && now.Sub(last) < sayEvery {
		return false
	}
	u.said[what] = now
	return true
}

// slowest is the group that holds the most bytes; empty when none does.
func slowest(behind map[string]int64) string {
	if len(behind) == 0 {
		return ""
	}
	groups := slices.Sorted(maps.Keys(behind))
	return slices.MaxFunc(groups, func(a, b string) int { return cmp.Compare(behind[a], behind[b]) })
}

// freeBytes is what the disk that holds dir has left.
func freeBytes(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("free disk of %s: %w", dir, err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil //nolint:unconvert // other systems have other types
}
