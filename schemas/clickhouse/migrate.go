// Package clickhouse holds the schema of the hot store: versioned migrations in migrations/*.sql, applied in order by
// [Migrate] and recorded in the table schema_migrations, and the functions and views of the other files, which depend on the
// configuration and are made again each time. The type to know is [Params].
//
// Migrate refuses an engine older than the one that the schema was tested on and a schema newer than this binary. Two
// at the same time do no harm: every statement can run twice. It never drops data, and knows no way back: an older
// release works on a newer schema only where that schema's notes say so.
package clickhouse

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"text/template"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
)

//go:embed migrations/*.sql functions.sql views.sql search.sql lake.sql
var files embed.FS

// MinEngine is the oldest ClickHouse release that the schema is tested on.
const MinEngine = "26.7"

var (
	// ErrNewerSchema says that the database was migrated by a newer release.
	ErrNewerSchema = errors.New("the ClickHouse schema is newer than this binary")
	// ErrOldEngine says that the server is older than MinEngine.
	ErrOldEngine = errors.New("ClickHouse is too old")
	// ErrNotMigrated says that migrations are missing.
	ErrNotMigrated = errors.New("the ClickHouse schema is not up to date: run `coldstream migrate`")
)

// Params are what the statements depend on.
type Params struct {
	Epoch schemas.Epoch
	// EventsDDL makes the table with the Iceberg engine and the view `events` over it; each statement must be one that
	// can run twice, and runs each time. Empty: there is no lake to read, and `events` is left as it is.
	EventsDDL []string
	// NoSearch drops the index of words and the view search_messages. Switched on again, the words of what was written
	// meanwhile are made by a mutation, in the background.
	NoSearch bool

	engine func(statement string) string // rewrites the engines of tables; nil: they stay
}

// Migration is one step of the schema.
type Migration struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
}

func (m Migration) file() string { return fmt.Sprintf("migrations/%04d_%s.sql", m.Version, m.Name) }

// Migrations lists all steps that this binary knows, in order.
func Migrations() []Migration {
	entries, err := files.ReadDir("migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	var all []Migration
	for _, e := range entries {
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), "_")
		v, err := strconv.Atoi(number)
		if err != nil {
			panic(fmt.Sprintf("migration %s has no number", e.Name()))
		}
		all = append(all, Migration{Version: v, Name: name})
	}
	return all
}

// Migrate brings the client's database up to this binary's schema and returns the steps that it took. The database is
// made if it does not exist.
func Migrate(ctx context.Context, c *chhttp.Client, p Params) ([]Migration, error) {
	pending, err := Pending(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, c); err != nil {
		return nil, err
	}
	for i, m := range pending {
		if err := apply(ctx, c, m, p); err != nil {
			return pending[:i], err
		}
	}
	return pending, remake(ctx, c, p)
}

// remake makes what is made again each time.
func remake(ctx context.Context, c *chhttp.Client, p Params) error {
	for _, file := range []string{"functions.sql", "views.sql"} {
		if err := run(ctx, c, file, p); err != nil {
			return err
		}
	}
	if err := search(ctx, c, p); err != nil {
		return err
	}
	for _, sql := range p.EventsDDL {
		if err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("migrate %s: view of the lake: %w", c.Database(), err)
		}
	}
	if len(p.EventsDDL) == 0 {
		return nil
	}
	return run(ctx, c, "lake.sql", p)
}

// search switches the index of words on or off. Switched on where it was not, it indexes what was written without.
func search(ctx context.Context, c *chhttp.Client, p Params) error {
	answer, err := c.Query(ctx, "SELECT count() FROM system.data_skipping_indices WHERE database = currentDatabase() AND table = 'state' AND name = 'words'")
	if err != nil {
		return fmt.Errorf("migrate %s: look for the index of words: %w", c.Database(), err)
	}
	if err := run(ctx, c, "search.sql", p); err != nil || p.NoSearch || strings.TrimSpace(string(answer)) != "0" {
		return err
	}
	err = c.Exec(ctx, `ALTER TABLE state UPDATE search = (tupleElement(content, 'rank'), tupleElement(content, 'version'), tupleElement(content, 'policy'), searchIndexed(tupleElement(content, 'text')))
WHERE tupleElement(search, 'rank') < tupleElement(content, 'rank')`)
	if err != nil {
		return fmt.Errorf("migrate %s: index the words of what was written: %w", c.Database(), err)
	}
	return nil
}

// Pending lists the steps that Migrate would take. It changes nothing.
func Pending(ctx context.Context, c *chhttp.Client) ([]Migration, error) {
	if err := checkEngine(ctx, c); err != nil {
		return nil, err
	}
	if err := checkOneServer(ctx, c); err != nil {
		return nil, err
	}
	at, err := current(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("migrate %s: read schema_migrations: %w", c.Database(), err)
	}
	all := Migrations()
	if newest := all[len(all)-1].Version; at > newest {
		return nil, fmt.Errorf("%w: database %s is at version %d, and this release knows up to %d; use the release that migrated it, or a later one",
			ErrNewerSchema, c.Database(), at, newest)
	}
	for i, m := range all {
		if m.Version > at {
			return all[i:], nil
		}
	}
	return nil, nil
}

// Check is for workers at their start: nil if the engine and the schema are what this binary needs.
func Check(ctx context.Context, c *chhttp.Client) error {
	pending, err := Pending(ctx, c)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		return fmt.Errorf("%w (database %s lacks %s)", ErrNotMigrated, c.Database(), pending[0].Name)
	}
	return nil
}

func checkEngine(ctx context.Context, c *chhttp.Client) error {
	answer, err := c.WithDatabase("").Query(ctx, "SELECT version()")
	if err != nil {
		return fmt.Errorf("ask ClickHouse for its version: %w", err)
	}
	version := strings.TrimSpace(string(answer))
	if olderThan(version, MinEngine) {
		return fmt.Errorf("%w: it is %s, and Coldstream is tested on %s and later", ErrOldEngine, version, MinEngine)
	}
	return nil
}

// checkOneServer refuses the readers' database of a store that is spread over servers.
func checkOneServer(ctx context.Context, c *chhttp.Client) error {
	answer, err := c.WithDatabase("").Query(ctx, "SELECT count() FROM system.tables WHERE database = "+chhttp.Quote(c.Database())+" AND name = 'state' AND engine = 'Distributed'")
	if err != nil {
		return fmt.Errorf("look at the layout of database %s: %w", c.Database(), err)
	}
	if strings.TrimSpace(string(answer)) != "0" {
		return fmt.Errorf("%w: database %s is spread over shards: set clickhouse.cluster and clickhouse.shards as they were. %s", ErrOtherLayout, c.Database(), rebuild)
	}
	return nil
}

// olderThan compares major and minor; a version that cannot be read counts as old.
func olderThan(version, least string) bool {
	v, w := strings.Split(version, "."), strings.Split(least, ".")
	for i := range 2 {
		if len(v) <= i {
			return true
		}
		a, errA := strconv.Atoi(v[i])
		b, errB := strconv.Atoi(w[i])
		if errA != nil || errB != nil || a < b {
			return true
		}
		if a > b {
			return false
		}
	}
	return false
}

// current is the version of the schema that stands, 0 without one.
func current(ctx context.Context, c *chhttp.Client) (int, error) {
	exists, err := c.WithDatabase("").Query(ctx, fmt.Sprintf(
		"SELECT count() FROM system.tables WHERE database = %s AND name = 'schema_migrations'", chhttp.Quote(c.Database())))
	if err != nil || strings.TrimSpace(string(exists)) == "0" {
		return 0, err
	}
	answer, err := c.Query(ctx, "SELECT max(version) FROM schema_migrations")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(answer)))
}

func prepare(ctx context.Context, c *chhttp.Client) error {
	if err := c.WithDatabase("").Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+backquoted(c.Database())); err != nil {
		return fmt.Errorf("migrate: create database %s: %w", c.Database(), err)
	}
	err := c.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations
(version UInt32, name String, engine String DEFAULT version(), applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = MergeTree ORDER BY version`)
	if err != nil {
		return fmt.Errorf("migrate %s: create schema_migrations: %w", c.Database(), err)
	}
	return nil
}

func apply(ctx context.Context, c *chhttp.Client, m Migration, p Params) error {
	if err := run(ctx, c, m.file(), p); err != nil {
		return err
	}
	sql := fmt.Sprintf("INSERT INTO schema_migrations (version, name) SELECT %d, %s", m.Version, chhttp.Quote(m.Name))
	if err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("migrate %s: record step %d: %w", c.Database(), m.Version, err)
	}
	return nil
}

// run executes the statements of a file.
func run(ctx context.Context, c *chhttp.Client, name string, p Params) error {
	statements, err := statementsOf(name, p)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if p.engine != nil {
			statement = p.engine(statement)
		}
		if err := c.Exec(ctx, statement); err != nil {
			return fmt.Errorf("migrate %s: %s: %w", c.Database(), name, err)
		}
	}
	return nil
}

// statementsOf reads a file: each statement ends with a semicolon at the end of a line. They come without comment lines.
func statementsOf(name string, p Params) ([]string, error) {
	text, err := template.ParseFS(files, "views.sql", name) // views.sql has the list of columns
	if err != nil {
		return nil, fmt.Errorf("migrate: %s: %w", name, err)
	}
	var sql bytes.Buffer
	if err := text.ExecuteTemplate(&sql, path.Base(name), p); err != nil {
		return nil, fmt.Errorf("migrate: %s: %w", name, err)
	}
	var all []string
	for statement := range strings.SplitSeq(comments.ReplaceAllString(sql.String(), ""), ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			all = append(all, strings.TrimSuffix(statement, ";"))
		}
	}
	return all, nil
}
