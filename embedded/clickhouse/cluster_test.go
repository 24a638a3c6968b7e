package clickhouse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
	ddl "github.com/coldstream/coldstream/schemas/clickhouse"
)

// The library has no native protocol to be asked by, and no interserver port: the servers of a cluster cannot read one another's
// shards, and a Replicated table stays read only. What is tried here is all else: the schema of a cluster on two engines
// whose configuration names one, and which shard a query would go to, by the port at which nobody answers.

const clusterEnv = "COLDSTREAM_TEST_CLUSTER" // set: this process is an engine with a cluster in its configuration; a folder

func init() { //nolint:gochecknoinits // a process that a test starts, before its flags are read
	dir := os.Getenv(clusterEnv)
	if dir == "" {
		return
	}
	if err := clusterEngine(dir); err != nil {
		fmt.Println("ERROR", err)
		os.Exit(1)
	}
	os.Exit(0)
}

const clusterConfig = `<clickhouse>
<users_config>%[1]s/users.xml</users_config>
<remote_servers><chat>
<shard><replica><host>127.0.0.1</host><port>1</port></replica></shard>
<shard><replica><host>127.0.0.1</host><port>2</port></replica></shard>
</chat></remote_servers>
</clickhouse>`

const clusterUsers = `<clickhouse><profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default></users></clickhouse>`

// clusterEngine serves until its standard input ends.
func clusterEngine(dir string) error {
	for name, text := range map[string]string{"config.xml": fmt.Sprintf(clusterConfig, dir), "users.xml": clusterUsers} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	library, err := FindLibrary()
	if err != nil {
		return err
	}
	e, err := openEngine(library, []string{"--path=" + dir + "/data/", "--config-file=" + dir + "/config.xml"})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f, err := newFront(e, childConfig{Addr: "127.0.0.1:0", Database: "default", User: "u", Password: "p"}, listener.Addr().String())
	if err != nil {
		return err
	}
	f.wall = wall{}
	fmt.Println(listener.Addr())
	go func() { _ = (&http.Server{Handler: f}).Serve(listener) }() //nolint:gosec // loopback, in a test
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// inCluster starts such an engine and returns its address.
func inCluster(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), clusterEnv+"="+t.TempDir())
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NotContains(t, line, "ERROR")
	return strings.TrimSpace(line)
}

func TestASchemaOverTwoShards(t *testing.T) {
	var servers []*chhttp.Client
	for range 2 {
		c, err := chhttp.New(chhttp.Config{Addr: inCluster(t), User: "u", Password: "p", Database: "coldstream"})
		require.NoError(t, err)
		t.Cleanup(c.CloseIdle)
		servers = append(servers, c)
	}
	c := ddl.Cluster{Name: "chat", Database: "coldstream", Shards: [][]*chhttp.Client{{servers[0]}, {servers[1]}}, Plain: true}
	p := ddl.Params{Epoch: schemas.DiscordEpoch}

	require.ErrorIs(t, ddl.CheckCluster(t.Context(), c), ddl.ErrNotMigrated)
	steps, err := ddl.MigrateCluster(t.Context(), c, p)
	require.NoError(t, err)
	require.Len(t, steps, len(ddl.Migrations()))
	steps, err = ddl.MigrateCluster(t.Context(), c, p)
	require.NoError(t, err, "a second time")
	require.Empty(t, steps)
	require.NoError(t, ddl.CheckCluster(t.Context(), c))

	for what, err := range map[string]error{
		"swapped":        ddl.CheckCluster(t.Context(), ddl.Cluster{Name: "chat", Database: "coldstream", Shards: [][]*chhttp.Client{{servers[1]}, {servers[0]}}}),
		"one shard less": ddl.CheckCluster(t.Context(), ddl.Cluster{Name: "chat", Database: "coldstream", Shards: c.Shards[:1]}),
		"no cluster":     ddl.Check(t.Context(), servers[0]),
	} {
		require.ErrorIs(t, err, ddl.ErrOtherLayout, what)
	}
	one := servers[0].WithDatabase("one")
	_, err = ddl.Migrate(t.Context(), one, p)
	require.NoError(t, err)
	_, err = ddl.PendingCluster(t.Context(), ddl.Cluster{Name: "chat", Database: "one", Shards: c.Shards})
	require.ErrorIs(t, err, ddl.ErrOtherLayout)
	require.ErrorContains(t, err, "rebuild it by replay")

	for channel := range int64(12) {
		for _, query := range []string{
			"SELECT content FROM channel_page(channel = %d, before = 9223372036854775807, limit = 50)",
			"SELECT content FROM messages WHERE channel_id = %d AND message_id > 5 ORDER BY message_id DESC LIMIT 50",
			"SELECT count() FROM messages_all WHERE channel_id = %d",
			"SELECT count() FROM search_messages(words = 'zebra') WHERE channel_id = %d",
		} {
			sql := fmt.Sprintf(query, channel)
			require.Equal(t, []int{ddl.ShardOf(channel, 2) + 1}, asked(t, servers[channel%2], sql), sql)
		}
	}
	names, err := servers[1].Query(t.Context(), "SELECT count() FROM names FINAL")
	require.NoError(t, err, "what every shard has is read where it is asked for")
	require.Equal(t, "0\n", string(names))
}

// asked lists the shards that a query goes to, by the refusals that it ends with.
func asked(t *testing.T, c *chhttp.Client, sql string) (shards []int) {
	t.Helper()
	_, err := c.Query(t.Context(), sql)
	var refusal *chhttp.Exception
	require.True(t, errors.As(err, &refusal), "%v", err)
	for shard := 1; shard <= 2; shard++ {
		if strings.Contains(refusal.Text, fmt.Sprintf("127.0.0.1:%d)", shard)) {
			shards = append(shards, shard)
		}
	}
	return shards
}
