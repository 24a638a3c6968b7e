package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
)

const (
	user     = "coldstream"
	password = "bench" // of an engine on loopback that lives for one run
	database = "coldstream"
)

// engine is the embedded ClickHouse in a child process of its own, with a data folder of its own.
type engine struct {
	server *clickhouse.Server
	client *chhttp.Client
	dir    string
}

func openEngine(ctx context.Context, s3 *clickhouse.S3Access) (*engine, error) {
	dir, err := os.MkdirTemp("", "coldstream-bench-hot-")
	if err != nil {
		return nil, err
	}
	server, err := clickhouse.Start(ctx, clickhouse.Config{
		Dir: dir, Addr: "127.0.0.1:0", Database: database, User: user, Password: password, S3: s3,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	client, err := chhttp.New(chhttp.Config{Addr: server.Addr(), User: user, Password: password, Database: database})
	if err != nil {
		return nil, err
	}
	return &engine{server, client, dir}, nil
}

// section is the worker's configuration of it.
func (e *engine) section() map[string]string {
	return map[string]string{"addr": e.server.Addr(), "user": user, "password": password, "database": database}
}

// close ends the child and removes its data, unless they are to be kept.
func (e *engine) close(keep bool) {
	e.client.CloseIdle()
	_ = e.server.Close()
	if keep {
		fmt.Println("  data:", e.dir)
		return
	}
	_ = os.RemoveAll(e.dir)
}

func (e *engine) usage() (bench.Usage, error) { return bench.UsageOf(e.server.PID()) }

// table changes settings of the table state.
func (e *engine) table(ctx context.Context, settings bench.Settings) error {
	for _, s := range settings {
		if err := e.client.Exec(ctx, "ALTER TABLE state MODIFY SETTING "+s); err != nil {
			return err
		}
	}
	return nil
}

// one returns the first row of a query.
func one[T any](ctx context.Context, c *chhttp.Client, sql string) (row T, err error) {
	rows, err := chhttp.Select[T](ctx, c, sql)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s: no row", sql)
	}
	if err != nil {
		return row, err
	}
	return rows[0], nil
}

// settle waits until no merge has run for a second.
func (e *engine) settle(ctx context.Context) error {
	for quiet := 0; quiet < 5; {
		m, err := one[struct {
			N uint64 `json:"n"`
		}](ctx, e.client, "SELECT count() AS n FROM system.merges")
		if err != nil {
			return err
		}
		if quiet++; m.N > 0 {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// parts are the parts of the table state.
type parts struct {
	Count uint64 `json:"count"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

func (e *engine) parts(ctx context.Context) (parts, error) {
	return one[parts](ctx, e.client, "SELECT count() AS count, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() AND table = 'state'")
}

// merged is how many rows merges have read since the engine began, of all tables.
func (e *engine) merged(ctx context.Context) (uint64, error) {
	m, err := one[struct {
		N uint64 `json:"n"`
	}](ctx, e.client, "SELECT sum(value) AS n FROM system.events WHERE event = 'MergedRows'")
	return m.N, err
}

// state is what readers find.
type state struct {
	Messages int64 `json:"messages"`
	Deleted  int64 `json:"deleted"`
	Texts    int64 `json:"texts"`
	Edited   int64 `json:"edited"`
}

// check fails unless the state holds what was made.
func (e *engine) check(ctx context.Context, made bench.Contents) error {
	const sql = "SELECT count() AS messages, countIf(deleted_at IS NOT NULL) AS deleted, countIf(content != '') AS texts, countIf(edited_at IS NOT NULL) AS edited FROM messages_all"
	s, err := one[state](ctx, e.client, sql)
	if err != nil {
		return err
	}
	if s.Messages != made.Created || s.Deleted != made.Deleted || s.Texts != made.Created || s.Edited > made.Edited || (s.Edited == 0) != (made.Edited == 0) {
		return fmt.Errorf("ClickHouse has %+v, and %d messages, %d deletes and %d edits were made", s, made.Created, made.Deleted, made.Edited)
	}
	return nil
}

// version is the engine's, and the library's.
func (e *engine) version(ctx context.Context) string {
	v, err := e.client.Query(ctx, "SELECT version()")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(v)) + " (libchdb " + clickhouse.Version + ")"
}
