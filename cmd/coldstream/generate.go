package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/internal/progress"
	"github.com/coldstream/coldstream/schemas"
)

const generateLong = `Publishes made-up chat: channels and people as busy as Zipf's law has them, quiet nights and bursts, several languages,
edits, deletes, late events, and now and then something that a redaction should find.

--events counts distinct valid events, edits and deletes among them; exact repeats and bad records come on top. Without
--start every event has the time at which it is made; with it the same seed and start give the same bytes.`

// generateFlags are the flags of generate.
type generateFlags struct {
	opt    generator.Options
	rate   float64
	start  string
	output string
}

func newGenerateCommand(g *globals, target publishTarget) *cobra.Command {
	f := generateFlags{opt: generator.Defaults()}
	c := &cobra.Command{
		Use: "generate", Short: "Publish made-up chat", Long: generateLong, Args: cobra.NoArgs,
		Example: "  coldstream generate --events 1000000\n  coldstream generate --events 0 --rate 500      # until Ctrl-C\n  coldstream generate --start 2024-03-01T00:00:00Z --span 24h --output events.ndjson",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.parse(time.Now()); err != nil {
				return err
			}
			if f.output == "-" && g.json {
				return usagef("--output - and --json both want the standard output: name a file")
			}
			if f.output != "" {
				return f.toFile(cmd, g)
			}
			return f.toTopic(cmd, g, target)
		},
	}
	o, fs := &f.opt, c.Flags()
	fs.Int64Var(&o.Events, "events", o.Events, "distinct valid events (0: until Ctrl-C)")
	fs.Float64Var(&f.rate, "rate", 0, "events a second (0: as fast as they are taken)")
	fs.IntVar(&o.Channels, "channels", o.Channels, "channels")
	fs.IntVar(&o.Users, "users", o.Users, "people")
	fs.Uint64Var(&o.Seed, "seed", o.Seed, "seed of the random numbers")
	fs.Float64Var(&o.Edits, "edits", o.Edits, "fraction of events that are edits")
	fs.Float64Var(&o.Deletes, "deletes", o.Deletes, "fraction of events that are deletes")
	fs.Float64Var(&o.Late, "late", o.Late, "fraction of events that come 6 minutes to 6 hours late")
	fs.Float64Var(&o.Duplicates, "duplicates", o.Duplicates, "exact repeats, as a fraction of events, on top of them")
	fs.Float64Var(&o.Bad, "bad", o.Bad, "records that are refused, as a fraction of events, on top of them")
	fs.StringVar(&f.start, "start", "", "`TIME` of the first event, RFC 3339 or a date (default: now, as they are made)")
	fs.DurationVar(&o.Span, "span", 0, "time that the events take, from --start (default: as --rate has it, or 1,000 a second)")
	fs.StringVar(&f.output, "output", "", "write NDJSON to `FILE` instead (-: standard output)")
	return c
}

func (f *generateFlags) parse(now time.Time) error {
	if f.rate < 0 {
		return usagef("--rate %v: want 0 or more", f.rate)
	}
	f.opt.Rate = f.rate
	if f.opt.Channels < 1 || f.opt.Users < 1 {
		return usagef("--channels %d and --users %d: want 1 or more", f.opt.Channels, f.opt.Users)
	}
	if f.start == "" {
		if f.opt.Span > 0 {
			return usagef("--span needs --start")
		}
		f.opt.Node = 1 + rand.IntN(1023) // so that the ids of two that run at the same time differ
	} else {
		var err error
		if f.opt.Start, err = parseTime(f.start); err != nil {
			return usagef("--start %q: want RFC 3339, such as 2024-03-01T00:00:00Z, or a date", f.start)
		}
		if last := f.opt.Start.Add(f.opt.Span); last.Sub(now) > schemas.MaxFuture {
			return usagef("--start and --span reach to %s: events more than a day ahead are refused", last.Format(time.RFC3339))
		}
	}
	if err := f.opt.Validate(); err != nil {
		return usagef("%w", err)
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

func (f *generateFlags) toTopic(cmd *cobra.Command, g *globals, target publishTarget) error {
	ctx := cmd.Context()
	p, err := target.open(ctx)
	if err != nil {
		return err
	}
	f.opt.Epoch = p.Epoch()
	var sent int64
	stats, err := f.run(ctx, cmd.ErrOrStderr(), func(key, value []byte) error {
		sent++
		return p.PublishRaw(ctx, key, value)
	})
	err = finish(ctx, p, err)
	if f.opt.Events == 0 && ctx.Err() != nil && p.Counts().Failed == 0 {
		err = nil // Ctrl-C is how this one ends
	}
	if shown := showGenerated(cmd.OutOrStdout(), g, stats); shown != nil {
		return shown
	}
	return ended(ctx, err, errUsage, fmt.Sprintf("%s of %s records are acknowledged", humanize.Comma(p.Counts().Acked), humanize.Comma(sent)))
}

func (f *generateFlags) toFile(cmd *cobra.Command, g *globals) (err error) {
	epoch, err := g.idEpoch()
	if err != nil {
		return err
	}
	f.opt.Epoch = epoch
	out, result := cmd.OutOrStdout(), cmd.OutOrStdout()
	if f.output == "-" {
		result = cmd.ErrOrStderr()
	} else {
		file, err := os.Create(f.output)
		if err != nil {
			return usagef("--output: %w", err)
		}
		defer func() { err = errors.Join(err, failed(file.Close())) }()
		out = file
	}
	w := bufio.NewWriterSize(out, 1<<20)
	stats, err := f.run(cmd.Context(), cmd.ErrOrStderr(), func(_, value []byte) error {
		if _, err := w.Write(value); err != nil {
			return err
		}
		return w.WriteByte('\n')
	})
	err = errors.Join(err, w.Flush())
	if f.opt.Events == 0 && cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	if shown := showGenerated(result, g, stats); shown != nil {
		return shown
	}
	return ended(cmd.Context(), err, errUsage, f.output+" holds whole lines up to there")
}

// run makes records and hands them on at the rate asked for, until all are made or ctx ends.
func (f *generateFlags) run(ctx context.Context, errs io.Writer, emit func(key, value []byte) error) (generator.Stats, error) {
	gen, err := generator.New(f.opt)
	if err != nil {
		return generator.Stats{}, err
	}
	bar := progress.New(errs, progress.Options{Title: "generate", Total: f.opt.Events})
	defer bar.Done()
	pace := pacer{rate: f.rate, begun: time.Now()}
	const chunk = 64 << 10 // values are handed on for good: many share one allocation
	buf := make([]byte, 0, chunk)
	for {
		if err := pace.wait(ctx, gen.Stats().Events); err != nil {
			return gen.Stats(), err
		}
		if cap(buf)-len(buf) < 4<<10 {
			buf = make([]byte, 0, chunk)
		}
		before, from := gen.Stats(), len(buf)
		value, key, kind := gen.Next(buf)
		if kind == generator.End {
			return gen.Stats(), nil
		}
		buf = value
		if err := emit(key, value[from:len(value):len(value)]); err != nil {
			return before, err
		}
		if n := gen.Stats().Events - before.Events; n > 0 {
			bar.Add(n)
		}
	}
}

// pacer spreads events evenly: the n-th is due n/rate seconds after the beginning, so that a pause is caught up with.
type pacer struct {
	rate  float64
	begun time.Time
}

func (p *pacer) wait(ctx context.Context, n int64) error {
	if p.rate > 0 {
		due := p.begun.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
		if ahead := time.Until(due); ahead > time.Millisecond {
			t := time.NewTimer(ahead)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ctx.Done():
			}
		}
	}
	return ctx.Err()
}

func showGenerated(w io.Writer, g *globals, s generator.Stats) error {
	if g.json {
		return printJSON(w, s)
	}
	_, err := fmt.Fprintf(w, "%s records: %s events (%s created, %s edited, %s deleted; %s late), %s repeats, %s to be refused\n",
		humanize.Comma(s.Records), humanize.Comma(s.Events), humanize.Comma(s.Created), humanize.Comma(s.Edited),
		humanize.Comma(s.Deleted), humanize.Comma(s.Late), humanize.Comma(s.Repeats), humanize.Comma(s.Dead))
	return err
}
