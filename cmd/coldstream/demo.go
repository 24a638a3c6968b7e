package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/config"
)

func newDemoCommand(g *globals) *cobra.Command {
	f := &boxFlags{}
	var rate float64
	c := &cobra.Command{
		Use: "demo", Short: "Run the whole system with made-up chat, and say what to try", Args: cobra.NoArgs,
		Long:    "Like `up`, on a folder of its own (it stays for the next time) and on free ports, with chat generated at a steady rate.",
		Example: "  coldstream demo\n  coldstream demo --rate 2000 --data ./demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := demoDir(g)
			if err != nil {
				return failed(err)
			}
			log, err := demoLog(g, dir)
			if err != nil {
				return failed(err)
			}
			defer log.Close()
			d := &demo{dir: dir, rate: rate, out: cmd.OutOrStdout(), live: isTerminal(cmd.OutOrStdout())}
			fmt.Fprintf(d.out, "Starting Coldstream from %s (log: %s)\n", dir, log.Name())
			return up(cmd.Context(), g, f, dir, d.play)
		},
	}
	f.add(c, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")
	c.Flags().Float64Var(&rate, "rate", 200, "events a second")
	return c
}

func demoDir(g *globals) (string, error) {
	if g.data != "" {
		return filepath.Abs(g.data)
	}
	dir, err := config.DefaultData()
	return dir + "-demo", err
}

// demoLog sends the log to a file, so that the screen stays readable.
func demoLog(g *globals, dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "demo.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return f, g.setupLog(f)
}

// demo is the screen and the stream of made-up chat.
type demo struct {
	dir  string
	rate float64
	out  io.Writer
	live bool
}

// play publishes chat and keeps the screen up to date until ctx ends.
func (d *demo) play(ctx context.Context, r *config.Ready, s *system) error {
	p, err := newProducer(s.cfg)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- d.publish(ctx, s.cfg, p) }()
	client, err := openClickHouse(s.cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	d.screen(r)
	d.watch(ctx, client, s)
	if err := <-done; err != nil && ctx.Err() == nil {
		return err
	}
	fmt.Fprintf(d.out, "\nStopping; what is not archived yet stays in the topic. `%s demo --data %s` goes on.\n", selfCommand(), shellQuote(d.dir))
	return nil
}

func (d *demo) screen(r *config.Ready) {
	at := "--data " + shellQuote(d.dir)
	self := selfCommand()
	fmt.Fprintf(d.out, `
  Kafka       %s
  S3          %s  (bucket %s)
  ClickHouse  http://%s
  Status      http://%s/

Try, in another terminal:

  curl -s 'http://%s/?query=SELECT+count()+FROM+messages' -u '%s:%s'

  %s sql %s '%s'

  printf '[12:00] <ada> hello from the past\n[12:01] <bob> mail me at bob@example.com\n' > 2004-11-15.txt && %s import irc 2004-11-15.txt --channel ubuntu %s

Also: %s verify --wait 2m %s   ·   %s sql %s   ·   Ctrl-C leaves; nothing is lost.

`, r.Kafka.Addr, r.S3.Addr, r.S3.Bucket, r.ClickHouse.Addr, r.HTTP.Addr,
		r.ClickHouse.Addr, r.ClickHouse.Analyst.User, r.ClickHouse.Analyst.Password,
		self, at, demoPage, self, at, self, at, self, at)
}

// demoPage is the newest page of the busiest channel, with names.
const demoPage = "SELECT created_at, name AS author, content FROM messages LEFT JOIN (SELECT id, name FROM names FINAL WHERE kind = 3) AS n ON n.id = user_id " +
	"WHERE channel_id = (SELECT channel_id FROM messages GROUP BY 1 ORDER BY count() DESC LIMIT 1) ORDER BY message_id DESC LIMIT 20"

// selfCommand is how this program was called, so that what the screen says works when pasted.
func selfCommand() string {
	exe, err := os.Executable()
	if err != nil || !strings.ContainsRune(os.Args[0], filepath.Separator) {
		return "coldstream"
	}
	return shellQuote(exe)
}

func shellQuote(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:,@", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// watch shows rates and lag: a line that is rewritten on a terminal, a line every few seconds elsewhere.
func (d *demo) watch(ctx context.Context, client *chhttp.Client, s *system) {
	every := 5 * time.Second
	if d.live {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		line := d.line(ctx, client, s)
		if d.live {
			fmt.Fprintf(d.out, "\r\x1b[K%s", fit(line))
		} else {
			fmt.Fprintln(d.out, line)
		}
	}
}

// fit cuts a line to the terminal, so that it can be rewritten.
func fit(line string) string {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if runes := []rune(line); err == nil && width > 1 && len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}

func (d *demo) line(ctx context.Context, client *chhttp.Client, s *system) string {
	messages := "?"
	if n, err := client.Query(ctx, "SELECT count() FROM messages"); err == nil {
		messages = strings.TrimSpace(string(n))
	}
	st := s.status(ctx)
	line := fmt.Sprintf("%d events/s · %s messages in ClickHouse · lag hot %d, cold %d records · %d chunks archived in %d files",
		st.Counters["topic.records_per_second"], messages, st.Lags["hot"].Records, st.Lags["cold"].Records, st.Counters["cold.chunks"], st.Counters["cold.files"])
	if len(st.Failing) > 0 {
		line += " · " + st.Failing[0]
	}
	return line
}

// publish sends made-up chat at a steady rate until ctx ends.
func (d *demo) publish(ctx context.Context, cfg *config.Config, p *producer.Producer) error {
	f := generateFlags{opt: generator.Defaults(), rate: d.rate}
	f.opt.Events, f.opt.Rate, f.opt.Epoch = 0, d.rate, cfg.Epoch
	f.opt.Seed, f.opt.Node = uint64(time.Now().UnixNano()), 1+rand.IntN(1023)
	_, err := f.run(ctx, io.Discard, func(key, value []byte) error { return p.PublishRaw(ctx, key, value) })
	return finish(ctx, p, err)
}
