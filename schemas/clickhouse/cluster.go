package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// Cluster says over which servers a store is spread.
//
// Every server has two databases. In the one with the suffix of LocalDatabase lie the tables of its shard, made by the same
// migrations as those of a store on one server, with Replicated engines. In the readers' database lie tables of the same
// names over all shards, and the views over these, so that a query is the same wherever it is asked.
type Cluster struct {
	Name     string // in the servers' <remote_servers>
	Database string // of readers
	// Shards are, for each shard, clients of its replicas. Their order decides which shard a channel is in.
	Shards [][]*chhttp.Client
	// Plain makes tables that are not replicated: one server a shard, and no Keeper.
	Plain bool
}

// ErrOtherLayout says that the database is laid out for other servers than are configured.
var ErrOtherLayout = errors.New("the ClickHouse store is laid out in another way than is configured")

// localSuffix makes the name of the database of a server's own tables.
const localSuffix = "_local"

// LocalDatabase is the database in which a server of a cluster keeps its shard.
func LocalDatabase(database string) string { return database + localSuffix }

// ShardOf is the shard of a channel: intHash64(channel_id) % shards, as the table over all shards has it too.
func ShardOf(channel int64, shards int) int {
	x := uint64(channel) ^ 0x4CF2D2BAAE6DA887 // ClickHouse's intHash64: this, and MurmurHash3's finalizer
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return int(x % uint64(shards))
}

// How a table of the shards is read through the readers' database.
type reading int

const (
	sharded  reading = iota + 1 // each row is on one shard: read all
	wherever                    // every shard has all rows: read this server's
)

// readings has every table that the migrations make; a test holds it.
var readings = map[string]reading{
	"state": sharded, "unresolved": sharded, "removals": sharded, "names": wherever, "channels": wherever,
	"activity_hours": sharded, "activity_touched": sharded,
}

// rebuild is what to do where a store cannot become the one that is configured.
const rebuild = "A store is not moved between layouts: rebuild it by replay. Stop the hot pipeline, choose another clickhouse.database (or drop this one and its " +
	localSuffix + "), run `coldstream init`, set the offsets of the group …-hot to the beginning of the events topic, and start again"

// server is one server of a cluster.
type server struct {
	local, readers *chhttp.Client
	shard          int // from 1
}

func (c *Cluster) servers() []server {
	var all []server
	for i, replicas := range c.Shards {
		for _, r := range replicas {
			all = append(all, server{r.WithDatabase(LocalDatabase(c.Database)), r.WithDatabase(c.Database), i + 1})
		}
	}
	return all
}

// mark is what a server's local database says of its place.
func (c *Cluster) mark(s server) string {
	return fmt.Sprintf("Coldstream: shard %d of %d", s.shard, len(c.Shards))
}

// MigrateCluster is Migrate on every server, one after another: where it fails it can run again. It returns the steps of the
// server that took the most.
func MigrateCluster(ctx context.Context, c Cluster, p Params) ([]Migration, error) {
	if _, err := PendingCluster(ctx, c); err != nil {
		return nil, err
	}
	var steps []Migration
	for _, s := range c.servers() {
		took, err := c.migrate(ctx, s, p)
		if len(took) > len(steps) {
			steps = took
		}
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
}

// PendingCluster lists the steps that MigrateCluster would take on the server that needs the most.
func PendingCluster(ctx context.Context, c Cluster) ([]Migration, error) {
	var steps []Migration
	for _, s := range c.servers() {
		if err := c.check(ctx, s); err != nil {
			return nil, err
		}
		pending, err := Pending(ctx, s.local)
		if err != nil {
			return nil, err
		}
		if len(pending) > len(steps) {
			steps = pending
		}
	}
	return steps, nil
}

// CheckCluster is Check on the first replica of each shard that answers.
func CheckCluster(ctx context.Context, c Cluster) error {
	for i, replicas := range c.Shards {
		var errs []error
		for _, r := range replicas {
			s := server{r.WithDatabase(LocalDatabase(c.Database)), r.WithDatabase(c.Database), i + 1}
			err := c.check(ctx, s)
			if err == nil {
				err = Check(ctx, s.local)
			}
			var refusal *chhttp.Exception
			if errs = append(errs, err); err == nil || errors.As(err, &refusal) || errors.Is(err, ErrOtherLayout) || errors.Is(err, ErrNotMigrated) ||
				errors.Is(err, ErrOldEngine) || errors.Is(err, ErrNewerSchema) {
				break
			}
		}
		if err := errs[len(errs)-1]; err != nil {
			return fmt.Errorf("shard %d: %w", i+1, err)
		}
	}
	return nil
}

// check says whether what stands on a server is this cluster's, or nothing.
func (c *Cluster) check(ctx context.Context, s server) error {
	answer, err := s.local.WithDatabase("").Query(ctx, fmt.Sprintf(`SELECT
	(SELECT any(engine) FROM system.tables WHERE database = %s AND name = 'state'),
	(SELECT any(comment) FROM system.databases WHERE name = %s),
	(SELECT max(shard_num) FROM system.clusters WHERE cluster = %s),
	(SELECT any(shard_num) FROM system.clusters WHERE cluster = %[3]s AND is_local)`,
		chhttp.Quote(c.Database), chhttp.Quote(s.local.Database()), chhttp.Quote(c.Name)))
	if err != nil {
		return fmt.Errorf("ask ClickHouse for its cluster: %w", err)
	}
	fields := strings.Split(strings.TrimSuffix(string(answer), "\n"), "\t")
	if len(fields) != 4 {
		return fmt.Errorf("ask ClickHouse for its cluster: it answered %q", answer)
	}
	engine, mark, shards, own := fields[0], fields[1], fields[2], fields[3]
	return c.judge(s, engine, mark, shards, own)
}

func (c *Cluster) judge(s server, engine, mark, shards, own string) error {
	known := func(v string) bool { return v != `\N` && v != "" && v != "0" }
	switch {
	case known(engine) && engine != "Distributed":
		return fmt.Errorf("%w: database %s holds a store of one server, and clickhouse.shards names %d shards. %s", ErrOtherLayout, c.Database, len(c.Shards), rebuild)
	case known(mark) && mark != c.mark(s):
		return fmt.Errorf("%w: a server is marked %q, and clickhouse.shards makes it %q. %s", ErrOtherLayout, mark, c.mark(s), rebuild)
	case !known(shards):
		return fmt.Errorf("%w: a server does not know the cluster %q: name it in its <remote_servers>", ErrOtherLayout, c.Name)
	case shards != fmt.Sprint(len(c.Shards)):
		return fmt.Errorf("%w: a server's <remote_servers> gives the cluster %q %s shards, and clickhouse.shards %d", ErrOtherLayout, c.Name, shards, len(c.Shards))
	case known(own) && own != fmt.Sprint(s.shard):
		return fmt.Errorf("%w: a server is shard %s in its own <remote_servers>, and shard %d in clickhouse.shards", ErrOtherLayout, own, s.shard)
	}
	return nil
}

func (c *Cluster) migrate(ctx context.Context, s server, p Params) ([]Migration, error) {
	err := s.local.WithDatabase("").Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+backquoted(s.local.Database())+" COMMENT "+chhttp.Quote(c.mark(s)))
	if err != nil {
		return nil, fmt.Errorf("migrate: create database %s: %w", s.local.Database(), err)
	}
	local := p
	local.EventsDDL = nil // the lake has no shards
	if !c.Plain {
		local.engine = func(statement string) string { return replicated(statement, s.shard) }
	}
	steps, err := Migrate(ctx, s.local, local)
	if err != nil {
		return steps, err
	}
	return steps, c.overShards(ctx, s, p)
}

// overShards makes the readers' database anew.
func (c *Cluster) overShards(ctx context.Context, s server, p Params) error {
	if err := s.local.WithDatabase("").Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+backquoted(c.Database)); err != nil {
		return fmt.Errorf("migrate: create database %s: %w", c.Database, err)
	}
	all, err := c.readersDDL(p)
	if err != nil {
		return err
	}
	for _, statement := range all {
		if err := s.readers.Exec(ctx, statement); err != nil {
			return fmt.Errorf("migrate %s: tables over all shards: %w", c.Database, err)
		}
	}
	return nil
}

// readersDDL are the statements of the readers' database: tables over all shards, then the views over them.
func (c *Cluster) readersDDL(p Params) ([]string, error) {
	var files []string
	for _, m := range Migrations() {
		files = append(files, m.file())
	}
	files = append(files, "views.sql", "search.sql")
	if len(p.EventsDDL) > 0 {
		files = append(files, "lake.sql")
	}
	var tables, views []string
	for _, file := range files {
		statements, err := statementsOf(file, p)
		if err != nil {
			return nil, err
		}
		for _, st := range statements {
			if m := makesTable.FindStringSubmatch(st); m != nil {
				tables = append(tables, c.tableOver(m[1]))
			} else if isView.MatchString(st) {
				views = append(views, pruned(st))
			}
		}
	}
	return slices.Concat(tables, p.EventsDDL, views), nil
}

var (
	comments    = regexp.MustCompile(`(?m)^\s*--.*\n?`)
	isView      = regexp.MustCompile(`^(CREATE OR REPLACE|DROP) VIEW`)
	makesTable  = regexp.MustCompile(`^CREATE TABLE IF NOT EXISTS (\w+)`)
	mergeEngine = regexp.MustCompile(`ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?`)
)

// tableOver makes a table of the readers' database. It has the columns of this server's own, and is made again with them.
func (c *Cluster) tableOver(name string) string {
	local := LocalDatabase(c.Database)
	engine := fmt.Sprintf("Distributed(%s, %s, %s", chhttp.Quote(c.Name), chhttp.Quote(local), chhttp.Quote(name))
	switch {
	case name == "state":
		engine += ", intHash64(channel_id))"
	case readings[name] == wherever:
		engine = fmt.Sprintf("Merge(%s, %s)", chhttp.Quote(local), chhttp.Quote("^"+name+"$"))
	default:
		engine += ")"
	}
	return fmt.Sprintf("CREATE OR REPLACE TABLE %s AS %s.%s ENGINE = %s", name, backquoted(local), name, engine)
}

// pruned lets a view ask only the shard of the channel that is asked for, and lets each shard look for its keys in itself: a
// message and its keys are on one shard.
func pruned(view string) string {
	if !strings.HasPrefix(view, "CREATE") {
		return view
	}
	if strings.Contains(view, "\nSETTINGS ") {
		return view + ", optimize_skip_unused_shards = 1, distributed_product_mode = 'local'"
	}
	return view + "\nSETTINGS optimize_skip_unused_shards = 1, distributed_product_mode = 'local'"
}

// replicated makes the tables of a statement replicated within a shard.
func replicated(statement string, shard int) string {
	return mergeEngine.ReplaceAllStringFunc(statement, func(engine string) string {
		m := mergeEngine.FindStringSubmatch(engine)
		more := ""
		if m[2] != "" {
			more = ", " + m[2]
		}
		return fmt.Sprintf("ENGINE = Replicated%s('/clickhouse/coldstream/{database}/%d/{table}', '{replica}'%s)", m[1], shard, more)
	})
}

func backquoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
