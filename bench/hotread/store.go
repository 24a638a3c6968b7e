package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/coldstream/coldstream/bench"
	embedded "github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/jobs/activity"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/serve/messages"
)

const account = "bench"

// store is an engine with a filled state table.
type store struct {
	server         *embedded.Server
	owner, analyst *chhttp.Client
	reader         *messages.Reader
	meter          *meter
	now            time.Time // the end of the thirty days
}

// open starts the engine on a folder, and fills it unless an earlier run did.
func open(ctx context.Context, dir string, table bench.Settings, total int, merged bool) (s *store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	server, err := embedded.Start(ctx, embedded.Config{
		Dir: dir, Addr: "127.0.0.1:0", User: account, Password: account, AnalystUser: "analyst", AnalystPassword: account,
	})
	if err != nil {
		return nil, err
	}
	s = &store{server: server, meter: &meter{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for user, c := range map[string]**chhttp.Client{account: &s.owner, "analyst": &s.analyst} {
		if *c, err = chhttp.New(chhttp.Config{Addr: server.Addr(), User: user, Password: account, Database: "coldstream", Transport: s.meter}); err != nil {
			return s, err
		}
	}
	s.reader = messages.New(s.owner, schemas.DiscordEpoch)
	if _, err := clickhouse.Migrate(ctx, s.owner, clickhouse.Params{Epoch: schemas.DiscordEpoch}); err != nil {
		return s, err
	}
	mark := filepath.Join(dir, "filled")
	if text, err := os.ReadFile(mark); err == nil {
		s.now, err = time.Parse(time.RFC3339, string(text))
		return s, err
	}
	s.now = time.Now().UTC().Truncate(time.Second)
	for _, setting := range table {
		if err := s.owner.Exec(ctx, "ALTER TABLE state MODIFY SETTING "+setting); err != nil {
			return s, err
		}
	}
	if err := s.make(ctx, total, merged); err != nil {
		return s, err
	}
	return s, os.WriteFile(mark, []byte(s.now.Format(time.RFC3339)), 0o600)
}

// make fills the table. Unmerged, each block stays a part.
func (s *store) make(ctx context.Context, total int, merged bool) error {
	if err := s.owner.Exec(ctx, "ALTER TABLE state MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"); err != nil {
		return err
	}
	say("Filling %d messages", total)
	began := time.Now()
	if err := fill(ctx, s.owner, total, s.now); err != nil {
		return err
	}
	say("Filled in %.0f s", time.Since(began).Seconds())
	if !merged {
		return nil
	}
	say("Merging")
	if err := s.owner.Exec(ctx, "ALTER TABLE state RESET SETTING max_bytes_to_merge_at_max_space_in_pool"); err != nil {
		return err
	}
	return s.owner.Exec(ctx, "OPTIMIZE TABLE state FINAL")
}

// countActivity measures the job that keeps the rollups: over everything, which an earlier run may have done, and over the
// newest hour of every channel.
func (s *store) countActivity(ctx context.Context) error {
	job, err := activity.New(activity.Config{Shards: []*chhttp.Client{s.owner}})
	if err != nil {
		return err
	}
	if _, err := job.Step(ctx); err != nil {
		return err
	}
	say("Counted everything: %d hours of channels in %.1f s", job.Stats().Hours, job.Stats().Took.Seconds())
	for range 3 {
		if err := s.owner.Exec(ctx, "INSERT INTO activity_touched (channel_id, hour, touched) SELECT channel_id, hour, now64(3, 'UTC') FROM activity_hours WHERE hour = (SELECT max(hour) FROM activity_hours)"); err != nil {
			return err
		}
		before, err := cpu(s.server.PID())
		if err != nil {
			return err
		}
		n, err := job.Step(ctx)
		if err != nil {
			return err
		}
		after, err := cpu(s.server.PID())
		if err != nil {
			return err
		}
		fmt.Printf("activity: the newest hour of %d channels counted again in %d ms, %d ms of CPU\n", n, job.Stats().Took.Milliseconds(), (after - before).Milliseconds())
	}
	return nil
}

// size says what the table is.
func (s *store) size(ctx context.Context) (string, error) {
	type row struct {
		Parts int64 `json:"parts"`
		Rows  int64 `json:"rows"`
		Bytes int64 `json:"bytes"`
	}
	rows, err := chhttp.Select[row](ctx, s.owner, "SELECT count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = 'coldstream' AND table = 'state' AND active")
	if err != nil || len(rows) != 1 {
		return "", errors.Join(err, errors.New("no parts"))
	}
	return fmt.Sprintf("%d rows in %d parts, %.0f MB", rows[0].Rows, rows[0].Parts, float64(rows[0].Bytes)/1e6), nil
}

func (s *store) close() error { return s.server.Close() }
