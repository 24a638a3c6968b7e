package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a process of ours that is started again whenever it ends, as a service manager does, for as long as it is
// wanted.
type process struct {
	name string
	make func() *exec.Cmd
	log  *logScanner

	mu     sync.Mutex
	wanted bool
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended
	frozen bool
	starts int
	idle   chan struct{} // closed when nobody keeps it any more
}

// restartPause is how long a service manager would wait.
const restartPause = 400 * time.Millisecond

// start makes the process wanted.
func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		return
	}
	p.wanted, p.idle = true, make(chan struct{})
	go p.keep(p.idle)
}

func (p *process) keep(idle chan struct{}) {
	defer close(idle)
	for {
		ended, err := p.spawn()
		if ended == nil {
			if err != nil {
				p.log.say("chaos: start: " + err.Error())
			}
			return
		}
		<-ended
		time.Sleep(restartPause)
	}
}

// spawn starts it once; nil when it is not wanted any more.
func (p *process) spawn() (chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted {
		return nil, nil
	}
	cmd := p.make()
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	p.cmd, p.ended, p.frozen, p.starts = cmd, ended, false, p.starts+1
	p.log.say(fmt.Sprintf("chaos: process %d of %s", cmd.Process.Pid, p.name))
	go func() {
		err := cmd.Wait()
		p.log.say(fmt.Sprintf("chaos: process %d ended: %v", cmd.Process.Pid, err))
		close(ended)
	}()
	return ended, nil
}

// signal sends it a signal; false if there is no process.
func (p *process) signal(sig syscall.Signal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
	}
	switch sig {
	case syscall.SIGSTOP:
		p.frozen = true
	case syscall.SIGCONT:
		p.frozen = false
	}
	p.log.say("chaos: signal " + sig.String())
	return p.cmd.Process.Signal(sig) == nil
}

// kill ends the process at once and waits for its end; it will be started again.
func (p *process) kill() bool {
	if !p.signal(syscall.SIGKILL) {
		return false
	}
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	<-ended
	return true
}

// stop makes it unwanted and ends it, gracefully unless that takes longer than patience.
func (p *process) stop(patience time.Duration) {
	p.mu.Lock()
	p.wanted = false
	idle, frozen := p.idle, p.frozen
	p.mu.Unlock()
	if idle == nil {
		return
	}
	if frozen {
		p.signal(syscall.SIGCONT)
	}
	p.signal(syscall.SIGTERM)
	select {
	case <-idle:
	case <-time.After(patience):
		p.signal(syscall.SIGKILL)
		<-idle
	}
}

// running says whether it runs and is not frozen.
func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.frozen {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// output runs a command of the binary once and gives its standard output.
func output(ctx context.Context, binary string, env []string, args ...string) ([]byte, string, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs limited
	cmd.Stderr = &errs
	out, err := cmd.Output()
	return out, string(errs), err
}

// limited keeps the last kilobytes of what is written.
type limited []byte

func (l *limited) Write(b []byte) (int, error) {
	*l = append(*l, b...)
	if len(*l) > 8<<10 {
		*l = (*l)[len(*l)-8<<10:]
	}
	return len(b), nil
}
