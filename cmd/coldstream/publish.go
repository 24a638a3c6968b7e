package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/kafkaclient"
)

// publishTarget opens a producer for the events topic of the system that a command talks to. It is a parameter of the
// commands that publish, so that a test can give them a topic of its own.
type publishTarget func(ctx context.Context) (*producer.Producer, error)

const (
	pingTimeout = 15 * time.Second
	// lastFlush is how long a command that was interrupted waits for what it has already published.
	lastFlush = 10 * time.Second
)

// open opens the target and sees that the topic is there.
func (t publishTarget) open(ctx context.Context) (*producer.Producer, error) {
	p, err := t(ctx)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	switch err := p.Ping(wait); {
	case errors.Is(err, producer.ErrNoTopic):
		return nil, errors.Join(usagef("%w; `coldstream init` makes it", err), p.Close(ctx))
	case ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), p.Close(ctx))
	case err != nil:
		return nil, errors.Join(failed(kafkaclient.Explain(err)), p.Close(ctx))
	}
	return p, nil
}

// finish waits until everything published is acknowledged: without end while the command runs, a while after an
// interruption. err is how the publishing ended.
func finish(ctx context.Context, p *producer.Producer, err error) error {
	last, cancel := ctx, context.CancelFunc(func() {})
	if p.Flush(ctx) != nil && ctx.Err() != nil {
		last, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	}
	defer cancel()
	if flush := p.Close(last); flush != nil && !errors.Is(err, flush) {
		err = errors.Join(err, flush)
	}
	return err
}

// ended maps the end of publishing to an exit code. again says how to go on after an interruption.
func ended(ctx context.Context, err error, usage error, again string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, fmt.Errorf("interrupted: %w; %s", err, again)}
	case errors.Is(err, usage):
		return &exitError{exitUsage, err}
	default:
		return failed(err)
	}
}
