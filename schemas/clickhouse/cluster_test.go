package clickhouse

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

func engineOf(t *testing.T) *chhttp.Client {
	a := testkit.ClickHouse(t)
	return clientOf(t, chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
}

func clientOf(t *testing.T, config chhttp.Config) *chhttp.Client {
	t.Helper()
	c, err := chhttp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

// The table over all shards looks for a channel where the sink has put it.
func TestAChannelsShardIsClickHouses(t *testing.T) {
	channels := []int64{0, 1, -1, 41771983423143937, math.MaxInt64, math.MinInt64, schemas.OpaqueNumber(schemas.HashRef("irc/ubuntu"))}
	for i := range int64(40) {
		channels = append(channels, i*7919)
	}
	var want strings.Builder
	list := make([]string, len(channels))
	for i, c := range channels {
		list[i] = fmt.Sprintf("toInt64('%d')", c)
		fmt.Fprintf(&want, "%d %d %d\n", ShardOf(c, 1), ShardOf(c, 2), ShardOf(c, 5))
	}
	got, err := engineOf(t).Query(t.Context(), "SELECT concat(toString(intHash64(c) % 1), ' ', toString(intHash64(c) % 2), ' ', toString(intHash64(c) % 5)) FROM (SELECT arrayJoin(["+strings.Join(list, ",")+"]) AS c)")
	if err != nil || string(got) != want.String() {
		t.Fatalf("got %s, %v, want %s", got, err, want.String())
	}
}

// Whoever adds a table says how it is read where there are shards.
func TestEveryTableSaysHowItIsRead(t *testing.T) {
	have := map[string]bool{}
	for _, m := range Migrations() {
		statements, err := statementsOf(m.file(), Params{Epoch: schemas.DiscordEpoch})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range statements {
			if m := makesTable.FindStringSubmatch(st); m != nil {
				have[m[1]] = true
				if readings[m[1]] == 0 {
					t.Errorf("table %s: say in readings whether its rows are on one shard or on each", m[1])
				}
			}
		}
	}
	if len(have) != len(readings) {
		t.Errorf("the migrations make %v, and readings has %v", have, readings)
	}
}

// Replicated tables need a Keeper, which the embedded engine has not: it parses what would make them.
func TestTheStatementsOfAClusterParse(t *testing.T) {
	engine := engineOf(t)
	c := Cluster{Name: "chat", Database: "coldstream", Shards: make([][]*chhttp.Client, 3)}
	p := Params{Epoch: schemas.DiscordEpoch}
	all, err := c.readersDDL(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Migrations() {
		statements, err := statementsOf(m.file(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range statements {
			all = append(all, replicated(st, 2))
		}
	}
	for _, st := range all {
		if _, err := engine.Query(t.Context(), "SELECT formatQuery("+chhttp.Quote(st)+")"); err != nil {
			t.Errorf("%v\n%s", err, st)
		}
	}
	for _, want := range []string{
		"ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/coldstream/{database}/2/{table}', '{replica}')\nPARTITION BY (late, week)",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/coldstream/{database}/2/{table}', '{replica}', version)",
		"CREATE OR REPLACE TABLE state AS `coldstream_local`.state ENGINE = Distributed('chat', 'coldstream_local', 'state', intHash64(channel_id))",
		"CREATE OR REPLACE TABLE names AS `coldstream_local`.names ENGINE = Merge('coldstream_local', '^names$')",
		"LIMIT {limit:UInt32}\nSETTINGS max_threads = 1, max_block_size = 256, optimize_skip_unused_shards = 1",
	} {
		if !slices.ContainsFunc(all, func(st string) bool { return strings.Contains(st, want) }) {
			t.Errorf("no statement has %s", want)
		}
	}
}

// server answers what check asks.
func TestAnotherLayoutIsRefusedInASentence(t *testing.T) {
	var answer string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, answer) }))
	defer s.Close()
	one := clientOf(t, chhttp.Config{Addr: s.URL})
	c := Cluster{Name: "chat", Database: "coldstream", Shards: [][]*chhttp.Client{{one}, {one}}}
	for given, want := range map[string]string{
		"AggregatingMergeTree\t\t2\t\\N":              "holds a store of one server, and clickhouse.shards names 2 shards. A store is not moved between layouts: rebuild it by replay",
		"Distributed\tColdstream: shard 1 of 3\t2\t1": `marked "Coldstream: shard 1 of 3", and clickhouse.shards makes it "Coldstream: shard 1 of 2"`,
		"Distributed\tColdstream: shard 2 of 2\t2\t1": `marked "Coldstream: shard 2 of 2"`,
		"\\N\t\\N\t\\N\t\\N":                          `does not know the cluster "chat": name it in its <remote_servers>`,
		"\\N\t\\N\t4\t\\N":                            `gives the cluster "chat" 4 shards, and clickhouse.shards 2`,
		"\\N\t\\N\t2\t2":                              "is shard 2 in its own <remote_servers>, and shard 1",
		"Distributed\tColdstream: shard 1 of 2\t2\t1": "",
		"\\N\t\\N\t2\t\\N":                            "",
	} {
		answer = given
		err := c.check(t.Context(), c.servers()[0])
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", given, err)
		case want != "" && (err == nil || !errors.Is(err, ErrOtherLayout) || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %s", given, err, want)
		}
	}
}
