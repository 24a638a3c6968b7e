package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// AllPartitions asks for every partition that misses something.
const AllPartitions = -1

// GapRequest says what to accept. It must name the cold group: its offsets tell what the workers have passed, its
// members what they may still hold.
type GapRequest struct {
	Client []kgo.Opt // how to reach the brokers
	Chunks string    // topic of checkpoint records
	Group  string    // consumer group of the archive's workers
	Topic  string    // topic of events

	Partition int32 // AllPartitions, or one
	To        int64 // where the gap ends; 0: where what is there begins again. Needs one partition
	// LostChunks accepts that records of `chunks` are gone: its position goes to the start of that log, and what the
	// lost records covered becomes a gap of every source. Partition and To are not used.
	LostChunks bool

	By     string // who accepts, for the record
	DryRun bool   // look, and change nothing
}

// AcceptGap raises the position of source partitions past offsets that are gone for ever, by a commit that records who
// gave up what. Nothing is ever lowered, and nothing that can still be had is given up:
//
//   - A partition misses something if its position, counting every checkpoint that is in `chunks`, lies below the start
//     of its log, below the group's offset (workers start at the later of the two), or below the next checkpoint, which
//     then stands behind a gap. The gap ends at that checkpoint, else at the highest of the others; To may be lower.
//     Where none of these holds: ErrNothing. Where To is higher, rows would be given up that are there: ErrOffset. Of a
//     partition that the table does not know, everything from the start of its log to the group's offset is missing.
//   - While checkpoints wait in `chunks` below the gap, raising the position would drop them: ErrPending.
//   - A live worker may hold rows in memory that its log no longer has. So where only the start of the log says that
//     they are gone, no member of the group may hold the partition: ErrHeld. One that is assigned it later begins at
//     the new position or stops like the one before it.
//
// A checkpoint right behind the gap is taken by the committer when it is started again. complete-until does not move
// back: the decision's ranges, in Version.Gaps, are what it does not cover. Further errors: ErrForeign (see AdoptTopic),
// ErrLostRecords (see LostChunks), and what stops a committer. Others may commit meanwhile.
func (t *Table) AcceptGap(ctx context.Context, r GapRequest) (Decision, error) {
	var done Decision
	cl, err := kgo.NewClient(r.Client...)
	if err != nil {
		return done, fmt.Errorf("accept gap: %w", err)
	}
	defer cl.Close()
	err = t.onNewest(ctx, "accept gap of topic "+r.Topic, func(v *Version) error {
		s := gapSurvey{r: &r, admin: kadm.NewClient(cl), table: t, version: v}
		d, err := s.run(ctx)
		if err != nil {
			return err
		}
		if done = d; r.DryRun {
			for _, g := range done.Ranges {
				done.Lost += g.To - g.From
			}
			return nil
		}
		return t.decide(ctx, v, &done, &s.pos, nil)
	})
	if err != nil {
		return Decision{}, err
	}
	return done, nil
}

// gapSurvey finds out what is missing of one version.
type gapSurvey struct {
	r       *GapRequest
	admin   *kadm.Client
	table   *Table
	version *Version

	topic     Source
	number    int
	logs      map[int32]log
	committed map[int32]int64
	held      map[int32]string
	pos       Position // the version's; raised by run
	ahead     *outlook
}

func (s *gapSurvey) run(ctx context.Context) (Decision, error) {
	d := Decision{Kind: KindGap, By: s.r.By, Topic: s.r.Topic}
	if err := s.ask(ctx); err != nil {
		return d, err
	}
	if err := s.look(ctx, &d); err != nil {
		return d, err
	}
	var why []error
	known := false
	for _, end := range s.ahead.end.Sources { // all of s.pos, and those of which only `chunks` has something
		if end.Retired || !s.asked(end.Source, end.Partition) {
			continue
		}
		known = true
		p := s.pos.find(end.Cluster, end.TopicID, end.Partition)
		if p == nil {
			p = &end
		}
		to, err := s.target(p)
		if err != nil {
			why = append(why, fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, err))
		} else if to > p.Next {
			d.Ranges = append(d.Ranges, GapRange{Source: p.Source, Topic: p.Topic, Partition: p.Partition, From: p.Next, To: to})
			p.Next = to
		}
	}
	switch {
	case len(why) > 0 && (len(d.Ranges) == 0 || s.r.LostChunks):
		return d, errors.Join(why...)
	case len(d.Ranges) > 0 || s.r.LostChunks:
		return d, nil
	case !known && s.r.Partition != AllPartitions:
		return d, fmt.Errorf("the table has no position of %s/%d: %w", s.r.Topic, s.r.Partition, ErrNothing)
	}
	return d, fmt.Errorf("nothing is missing: the log has what follows the table's position: %w", ErrNothing)
}

// ask collects what the brokers know. The order matters: what is asked before the end of `chunks` can only be older than it.
func (s *gapSurvey) ask(ctx context.Context) (err error) {
	if s.topic, err = IdentifyTopic(ctx, s.r.Client, s.r.Topic); err != nil {
		return err
	}
	var known bool
	if s.number, known, err = s.version.SourceNumber(s.topic.Cluster, s.topic.TopicID); err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("topic %s (id %s) is not a source of this table; if it was made again, `coldstream lake adopt-topic --topic %s` takes it: %w",
			s.r.Topic, s.topic.TopicID, s.r.Topic, ErrForeign)
	}
	if s.logs, err = logsOf(ctx, s.admin, s.r.Topic); err != nil {
		return err
	}
	if s.held, err = heldBy(ctx, s.admin, s.r.Group, s.r.Topic); err != nil {
		return err
	}
	s.committed, err = committedOf(ctx, s.admin, s.r.Group, s.r.Topic)
	return err
}

// look reads `chunks` to its end, from its start where that is accepted.
func (s *gapSurvey) look(ctx context.Context, d *Decision) error {
	id, err := IdentifyTopic(ctx, s.r.Client, s.r.Chunks)
	if err != nil {
		return err
	}
	chunks, err := settledChunks(ctx, s.admin, s.r.Chunks)
	if err != nil {
		return err
	}
	if err = s.table.stillNewest(ctx, s.version); err != nil {
		return err
	}
	if s.pos, err = NewCommitter(s.table, id.Cluster, id.Topic, id.TopicID).position(s.version); err != nil {
		return err
	}
	at := &s.pos.Chunks.Next
	lost := *at < chunks.start || *at > chunks.end
	switch {
	case lost && !s.r.LostChunks:
		return fmt.Errorf("topic %s holds offsets %d to %d, the table's position is %d; `coldstream lake accept-gap --chunks` goes on: %w",
			s.r.Chunks, chunks.start, chunks.end, *at, ErrLostRecords)
	case !lost && s.r.LostChunks:
		return fmt.Errorf("topic %s has what follows the table's position %d: %w", s.r.Chunks, *at, ErrNothing)
	case lost:
		d.Kind, d.ChunksFrom, d.ChunksTo = KindChunks, *at, chunks.start
		if *at > chunks.end { // the broker lost its end; what comes is written from there
			d.ChunksTo = chunks.end
		}
		*at = d.ChunksTo
		s.unseen(&s.pos)
	}
	sources, err := s.version.Sources()
	if err != nil {
		return err
	}
	if s.ahead, err = lookAhead(ctx, s.r.Client, s.r.Chunks, s.pos, chunks.end, sources); err != nil || s.r.LostChunks {
		return err
	}
	before := len(s.pos.Sources)
	if s.unseen(&s.ahead.end); len(s.pos.Sources) > before { // `chunks` has nothing of them either
		for _, p := range s.pos.Sources {
			if s.ahead.end.find(p.Cluster, p.TopicID, p.Partition) == nil {
				s.ahead.end.Sources = append(s.ahead.end.Sources, p)
			}
		}
	}
	return nil
}

// target gives the offset that a position is to be raised to; the position's own where nothing is missing.
func (s *gapSurvey) target(p *SourcePosition) (int64, error) {
	to, behind := s.ahead.gaps[p.key()]
	if !behind && p.Source == s.number {
		var err error
		if to, err = s.beyondChunks(p); err != nil {
			return 0, err
		}
	}
	if s.r.To == 0 || s.r.LostChunks {
		return max(to, p.Next), nil
	}
	switch {
	case to <= p.Next:
		return 0, fmt.Errorf("nothing is missing at position %d: %w", p.Next, ErrNothing)
	case s.r.To <= p.Next:
		return 0, fmt.Errorf("offset %d is not above the position %d: %w", s.r.To, p.Next, ErrOffset)
	case s.r.To > to:
		return 0, fmt.Errorf("offset %d is above %d, from where on nothing is missing: %w", s.r.To, to, ErrOffset)
	}
	return s.r.To, nil
}

// beyondChunks gives the target where no checkpoint stands behind a gap: what the workers have passed or cannot read.
func (s *gapSurvey) beyondChunks(p *SourcePosition) (int64, error) {
	end, start := s.ahead.end.find(p.Cluster, p.TopicID, p.Partition).Next, s.logs[p.Partition].start
	passed, ok := s.committed[p.Partition]
	if !ok {
		passed = -1
	}
	if s.r.LostChunks { // what the log itself has lost is a gap of its own
		start = passed
	}
	pending := s.ahead.pending[p.key()]
	switch to := max(passed, start); {
	case to <= end, pending && s.r.LostChunks:
		return p.Next, nil
	case pending:
		return 0, fmt.Errorf("up to offset %d: %w", end, ErrPending)
	case to > passed && s.held[p.Partition] != "":
		return 0, fmt.Errorf("%s: %w", s.held[p.Partition], ErrHeld)
	default:
		return to, nil
	}
}

// unseen gives partitions that the workers have passed, of which p has nothing, the position from which on they are
// missing: 0 where all of their checkpoints may be among those that are lost, else the start of their log.
func (s *gapSurvey) unseen(p *Position) {
	for n, passed := range s.committed {
		from := s.logs[n].start
		if s.r.LostChunks {
			from = 0
		}
		if _, known := p.Next(s.topic.Cluster, s.topic.TopicID, n); known || passed <= from || !s.asked(s.number, n) {
			continue
		}
		s.pos.Sources = append(s.pos.Sources, SourcePosition{
			Source: s.number, Cluster: s.topic.Cluster, Topic: s.topic.Topic, TopicID: s.topic.TopicID, Partition: n, Next: from,
		})
	}
	s.pos.sort()
}

// asked says whether the request concerns a partition.
func (s *gapSurvey) asked(source int, partition int32) bool {
	return s.r.Partition == AllPartitions || source == s.number && partition == s.r.Partition
}

// stillNewest gives ErrConflict if a version came after v.
func (t *Table) stillNewest(ctx context.Context, v *Version) error {
	now, err := t.Load(ctx)
	if err == nil && now.N != v.N {
		err = ErrConflict
	}
	return err
}
