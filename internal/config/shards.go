package config

import (
	"strings"
)

// Sharded reports a store that is spread over servers.
func (c *ClickHouse) Sharded() bool { return len(c.Shards) > 0 }

// Replicas lists, for each shard, the addresses of its servers.
func (c *ClickHouse) Replicas() [][]string {
	var all [][]string
	for _, s := range c.Shards {
		all = append(all, strings.Fields(s))
	}
	return all
}

func (c *ClickHouse) validateShards(bad func(ok bool, key, format string, a ...any)) {
	bad((c.Cluster == "") == !c.Sharded(), "clickhouse.shards", "clickhouse.cluster and clickhouse.shards go together: set both or neither")
	seen := map[string]bool{}
	for _, replicas := range c.Replicas() {
		bad(c.Replicated || len(replicas) == 1, "clickhouse.replicated", "without replication a shard is one server, and %q are %d", strings.Join(replicas, " "), len(replicas))
		for _, addr := range replicas {
			err := checkServerURL(addr)
			bad(err == nil, "clickhouse.shards", "%v", err)
			bad(!seen[addr], "clickhouse.shards", "%s stands twice", addr)
			seen[addr] = true
		}
	}
}
