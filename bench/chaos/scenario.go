package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// scenarios end a world: what they do, an operator has to answer. Each brings about that the archive stops with a
// sentence, or goes on as if nothing had been; either way nothing may be lost or doubled.
func scenarios() []*kind {
	return []*kind{
		{name: "group-expired", last: 1, inject: groupExpired},
		{name: "group-reset-to-start", last: 1, inject: groupReset},
		{name: "group-moved-ahead", last: 1, inject: groupAhead},
		{name: "chunks-recreated", last: 2, inject: chunksRecreated},
		{name: "topic-recreated", last: 3, inject: topicRecreated},
		{name: "disk-full", last: 4, inject: diskFull},
	}
}

// all does something to several processes at once.
func (w *world) all(slots []string, do func(*process)) {
	var g sync.WaitGroup
	for _, name := range slots {
		g.Go(func() { do(w.procs[name]) })
	}
	g.Wait()
}

func stop(p *process)  { p.stop(15 * sec) }
func start(p *process) { p.start() }

// everyone is who runs outside of storms.
func everyone() []string { return slices.Concat(workerSlots, committerSlots) }

// emptied waits until a group has no members.
func (w *world) emptied(ctx context.Context, group string) error {
	for {
		groups, err := w.admin.DescribeGroups(ctx, group)
		if err == nil && (groups[group].State == "Empty" || groups[group].State == "Dead") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("group %s is not empty: %w", group, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// withoutWorkers does something while no worker runs.
func (w *world) withoutWorkers(do func(ctx context.Context) error) (bool, string) {
	ctx := timeout(time.Minute)
	w.all(workerSlots, stop)
	defer w.all(workerSlots, start)
	err := w.emptied(ctx, w.group("cold"))
	if err == nil {
		err = do(ctx)
	}
	if err != nil {
		return false, err.Error()
	}
	return true, ""
}

// groupExpired takes the group and its offsets away, as the broker does when nobody was there for a week.
func groupExpired(w *world, _ *fault) (bool, string) {
	fired, detail := w.withoutWorkers(func(ctx context.Context) error {
		_, err := w.admin.DeleteGroup(ctx, w.group("cold"))
		return err
	})
	w.check()
	return fired, detail
}

// groupReset moves the group back to the start: the table's position must decide.
func groupReset(w *world, _ *fault) (bool, string) {
	fired, detail := w.withoutWorkers(func(ctx context.Context) error { return w.moveGroup(ctx, kadm.Offset{At: 0}) })
	w.check()
	return fired, detail
}

// moveGroup commits an offset for every partition; a negative one means the end of the log.
func (w *world) moveGroup(ctx context.Context, to kadm.Offset) error {
	ends, err := w.admin.ListEndOffsets(ctx, w.topic("events"))
	if err != nil {
		return err
	}
	offsets := kadm.Offsets{}
	for p, end := range ends[w.topic("events")] {
		at := to.At
		if at < 0 {
			at = end.Offset
		}
		offsets.AddOffset(w.topic("events"), p, at, -1)
	}
	resp, err := w.admin.CommitOffsets(ctx, w.group("cold"), offsets)
	if err != nil {
		return err
	}
	return resp.Error()
}

// groupAhead moves the group past records that nobody has archived: the workers must not begin there.
func groupAhead(w *world, _ *fault) (bool, string) {
	said := w.expect(workerSlots, "are not of this table", "are not of this table")
	fired, detail := w.withoutWorkers(func(ctx context.Context) error {
		time.Sleep(2 * sec) // the producer goes on
		return w.moveGroup(ctx, kadm.Offset{At: -1})
	})
	if !fired {
		return false, detail
	}
	sentence := w.heard(said, "the workers began where the group was moved to")
	if fired, detail = w.withoutWorkers(func(ctx context.Context) error { return w.moveGroup(ctx, kadm.Offset{At: 0}) }); !fired {
		w.wrong("move the group back: %s", detail)
	}
	w.check()
	return true, sentence
}

// expect waits for a sentence of one of the processes, and allows others.
func (w *world) expect(slots []string, sentence string, allow ...string) <-chan string {
	said := make(chan string, len(slots))
	for _, name := range slots {
		one := w.procs[name].log.expect(sentence, allow...)
		go func() {
			select {
			case text := <-one:
				said <- name + ": " + text
			case <-w.ctx.Done():
			case <-time.After(3 * time.Minute):
			}
		}()
	}
	return said
}

// heard gives the sentence, or notes that it was not said.
func (w *world) heard(said <-chan string, otherwise string) string {
	select {
	case text := <-said:
		if i := strings.Index(text, "error="); i > 0 {
			text = text[i:]
		}
		return text
	case <-w.ctx.Done():
	case <-time.After(2 * time.Minute):
		w.wrong("no process stopped with a sentence: %s", otherwise)
	}
	return ""
}

// mend runs a command that an operator is told to run, and says what it printed.
func (w *world) mend(args ...string) {
	out, errs, err := output(timeout(2*time.Minute), w.binary, nil, append(args, "--config", w.config("direct"))...)
	if err != nil {
		w.wrong("coldstream %s: %v: %s%s", strings.Join(args, " "), err, out, errs)
	}
}

// recreate deletes a topic and makes it again.
func (w *world) recreate(topic string) error {
	ctx := timeout(time.Minute)
	if _, err := w.admin.DeleteTopic(ctx, topic); err != nil {
		return err
	}
	for {
		_, errs, err := output(ctx, w.binary, nil, "init", "--config", w.config("direct"), "--pipelines", "cold,committer")
		if err == nil || strings.Contains(errs, "adopt-topic") { // the topic is there; that the table refuses it is the point
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("make topic %s again: %w: %s", topic, err, errs)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

var madeAgain = []string{"foreign cluster or topic", "are not of this table", "offset out of range", "records of topic chunks that the table does not have are gone"}

// chunksRecreated makes topic `chunks` anew while it holds checkpoints that nobody has committed.
func chunksRecreated(w *world, _ *fault) (bool, string) {
	w.all(committerSlots, func(p *process) { p.signal(syscall.SIGSTOP) })
	time.Sleep(2 * checkpoint)
	said := w.expect(everyone(), "adopt-topic", madeAgain...)
	w.chunksLost++
	err := w.recreate(w.topic("chunks"))
	w.all(committerSlots, func(p *process) { p.signal(syscall.SIGCONT) })
	if err != nil {
		return false, err.Error()
	}
	sentence := w.heard(said, "topic chunks was made again")
	w.all(everyone(), stop)
	w.mend("lake", "adopt-topic", "--topic", w.topic("chunks"), "--yes")
	said = w.expect(workerSlots, "are not of this table")
	w.rewatch()
	w.all(everyone(), start)
	sentence += " | " + w.heard(said, "the group stands past what the table has, since checkpoints were lost")
	if fired, detail := w.withoutWorkers(func(ctx context.Context) error { return w.moveGroup(ctx, kadm.Offset{At: 0}) }); !fired {
		w.wrong("move the group back: %s", detail)
	}
	w.check()
	return true, sentence
}

// topicRecreated makes the topic of events anew.
func topicRecreated(w *world, _ *fault) (bool, string) {
	w.producer.pause(true)
	if !w.settle("before the topic is deleted") {
		return false, "not settled"
	}
	var err error
	if w.lettersBefore, err = w.letters(w.ctx); err != nil {
		return false, err.Error()
	}
	said := w.expect(workerSlots, "adopt-topic", madeAgain...)
	if err := w.recreate(w.topic("events")); err != nil {
		return false, err.Error()
	}
	if err := w.producer.again(w.direct); err != nil {
		return false, err.Error()
	}
	w.producer.pause(false)
	sentence := w.heard(said, "the topic of events was made again")
	w.all(workerSlots, stop)
	w.mend("lake", "adopt-topic", "--topic", w.topic("events"), "--yes")
	w.all(workerSlots, start)
	w.check()
	return true, sentence
}

// rewatch follows topic `chunks` from its start again.
func (w *world) rewatch() {
	w.watch.stop()
	w.watch = startWatcher(w)
}
