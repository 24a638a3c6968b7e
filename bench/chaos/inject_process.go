package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/coldstream/coldstream/internal/faults"
)

// injector does a fault, waits until it is over and says whether it struck.
type injector = func(w *world, f *fault) (fired bool, detail string)

// patience is how long a fault waits for its moment.
const patience = 35 * time.Second

// killRandom kills a process wherever it happens to be.
func killRandom(slots []string) injector {
	return func(w *world, f *fault) (bool, string) {
		name := slots[f.Pick%len(slots)]
		s := w.slots[name]
		s.faulty.Lock()
		defer s.faulty.Unlock()
		return w.awaitRunning(name) && w.procs[name].kill(), name
	}
}

// awaitRunning waits until a slot's process runs.
func (w *world) awaitRunning(name string) bool {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(50 * time.Millisecond) {
		if w.procs[name].running() {
			return true
		}
	}
	return false
}

// killAt kills the process that comes to the step first.
func killAt(slots []string) injector {
	return func(w *world, f *fault) (bool, string) {
		h, ok := w.catch(f, slots)
		if !ok {
			return false, "nobody came"
		}
		defer w.slots[h.slot].faulty.Unlock()
		w.procs[h.slot].kill()
		return true, h.slot
	}
}

// catch waits for a process to come to the fault's step, and has it to itself: the caller unlocks its slot.
func (w *world) catch(f *fault, slots []string) (hit, bool) {
	stop := w.provoke(f)
	defer stop()
	for begin := time.Now(); time.Since(begin) < patience; {
		h, ok := w.traps.arm(f.Step, slots, patience-time.Since(begin))
		if !ok {
			break
		}
		if w.slots[h.slot].faulty.TryLock() {
			return h, true
		}
		h.let()
	}
	return hit{}, false
}

// provoke brings about what leads to a rare step, until it is told to stop.
func (w *world) provoke(f *fault) (stop func()) {
	switch faults.Step(f.Step) {
	case faults.WorkerAssign, faults.WorkerRevoke, faults.WorkerRevoked:
		done := make(chan struct{})
		go w.comeAndGo(done)
		return func() { close(done) }
	case faults.CommitterSettle:
		var undo []func()
		for _, name := range committerSlots {
			front, x := w.slots[name].front, &s3Fault{class: "put-version", mode: "lost", left: 1 << 20}
			front.add(x)
			undo = append(undo, func() { front.remove(x) })
		}
		return func() {
			for _, u := range undo {
				u()
			}
		}
	}
	return func() {}
}

// comeAndGo makes a worker join and leave until it is done.
func (w *world) comeAndGo(done chan struct{}) {
	s := w.slots["w4"]
	s.faulty.Lock()
	defer s.faulty.Unlock()
	for {
		select {
		case <-done:
			return
		default:
		}
		w.procs["w4"].start()
		select {
		case <-done:
		case <-time.After(5 * sec):
		}
		w.procs["w4"].stop(10 * sec)
	}
}

// freezeRandom stops a process for longer than its session, and lets it go on as a zombie.
func freezeRandom(slots []string) injector {
	return func(w *world, f *fault) (bool, string) {
		name := slots[f.Pick%len(slots)]
		s := w.slots[name]
		s.faulty.Lock()
		defer s.faulty.Unlock()
		return w.awaitRunning(name) && w.freeze(name, f.Hold, func() {}), fmt.Sprintf("%s for %s", name, f.Hold.Round(time.Millisecond))
	}
}

// freezeAt does the same to the process that comes to the step first.
func freezeAt(slots []string) injector {
	return func(w *world, f *fault) (bool, string) {
		h, ok := w.catch(f, slots)
		if !ok {
			return false, "nobody came"
		}
		defer w.slots[h.slot].faulty.Unlock()
		return w.freeze(h.slot, f.Hold, h.let), fmt.Sprintf("%s for %s", h.slot, f.Hold.Round(time.Millisecond))
	}
}

// freeze stops a process, lets it leave the step at which it stands, if it does, and wakes it after a while.
func (w *world) freeze(name string, hold time.Duration, let func()) bool {
	p := w.procs[name]
	stopped := p.signal(syscall.SIGSTOP)
	let()
	if !stopped {
		return false
	}
	time.Sleep(hold)
	return p.signal(syscall.SIGCONT)
}

// lagBound is how long a checkpoint may wait for its commit because another worker is frozen inside its transaction.
const lagBound = 30 * time.Second

// freezeInTransaction freezes a worker and measures how long the others' checkpoints wait for it.
func freezeInTransaction(w *world, f *fault) (bool, string) {
	h, ok := w.catch(f, workerSlots)
	if !ok {
		return false, "nobody came"
	}
	defer w.slots[h.slot].faulty.Unlock()
	p := w.procs[h.slot]
	stopped := p.signal(syscall.SIGSTOP)
	h.let()
	begin := time.Now()
	_, mark := w.watch.at()
	lag := time.Duration(-1)
	for stopped && time.Since(begin) < 2*lagBound {
		if committed, _ := w.watch.at(); committed > mark+1 { // beyond the frozen one's own record
			lag = time.Since(begin)
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.signal(syscall.SIGCONT)
	if stopped && (lag < 0 || lag > lagBound) {
		w.wrong("with %s frozen at %s nothing was committed for %s", h.slot, f.Step, time.Since(begin).Round(time.Second))
	}
	return stopped, fmt.Sprintf("%s: commits went on after %s", h.slot, lag.Round(10*time.Millisecond))
}

// twoCommitters starts one more committer, of another group, so that two certainly own `chunks`, and makes them meet: the
// one of the usual group stands before its PUT while the other commits.
func twoCommitters(w *world, f *fault) (bool, string) {
	s := w.slots["c3"]
	s.faulty.Lock()
	defer s.faulty.Unlock()
	w.procs["c3"].start()
	defer w.procs["c3"].stop(10 * sec)
	met, end := 0, time.Now().Add(f.Hold)
	for time.Now().Before(end) {
		h, ok := w.traps.arm(string(faults.CommitterStaged), append([]string{"c3"}, committerSlots...), 5*sec)
		if !ok {
			continue
		}
		before, _ := w.watch.at()
		for begin := time.Now(); time.Since(begin) < 3*sec; time.Sleep(20 * time.Millisecond) {
			if now, _ := w.watch.at(); now > before {
				met++
				break
			}
		}
		h.let()
	}
	return met > 0, fmt.Sprintf("met %d times", met)
}

// rebalanceStorm makes workers come and go faster than the group settles.
func rebalanceStorm(w *world, f *fault) (bool, string) {
	s := w.slots["w4"]
	s.faulty.Lock()
	defer s.faulty.Unlock()
	n := 0
	for end := time.Now().Add(f.Hold); time.Now().Before(end); n++ {
		w.procs["w4"].start()
		time.Sleep(1200 * time.Millisecond)
		if n%2 == 0 {
			w.procs["w4"].stop(0)
			continue
		}
		w.procs["w4"].stop(5 * sec)
	}
	return n > 1, fmt.Sprintf("%d times", n)
}

// clockStep steps the clocks of all workers, and back. Meanwhile they must go on making checkpoints.
func clockStep(w *world, f *fault) (bool, string) {
	d, err := time.ParseDuration(strings.TrimPrefix(f.Step, "+"))
	if err != nil {
		return false, err.Error()
	}
	for _, name := range workerSlots {
		if !w.awaitRunning(name) {
			return false, name + " does not run"
		}
	}
	for _, name := range workerSlots {
		w.traps.stepClock(name, d)
	}
	time.Sleep(2 * checkpoint) // what was closed before is committed
	_, before := w.watch.at()
	time.Sleep(f.Hold)
	_, after := w.watch.at()
	for _, name := range workerSlots {
		w.traps.stepClock(name, 0)
	}
	if after == before {
		w.wrong("with the workers' clocks stepped by %s no checkpoint was made for %s", f.Step, f.Hold.Round(time.Second))
	}
	return true, fmt.Sprintf("%d offsets of chunks meanwhile", after-before)
}
