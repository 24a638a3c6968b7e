package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/schemas"
)

// rivalView is what the Kafka engine's rows go through into the state table: one JSONExtract a record, times from the
// Snowflakes, words by lower alone. It does less than the worker: it redacts nothing, keeps no names and no unknown
// fields, judges no id, knows no opaque ones, and resolves nothing.
const rivalView = `CREATE MATERIALIZED VIEW rival_view TO state AS
WITH JSONExtract(raw, 'Tuple(event_id Int64, type String, guild_id Int64, channel_id Int64, target_message_id Int64, user_id Int64, content String)') AS d,
    tupleElement(d, 'event_id') AS id, tupleElement(d, 'type') AS type, tupleElement(d, 'content') AS text,
    if(tupleElement(d, 'target_message_id') = 0, id, tupleElement(d, 'target_message_id')) AS message,
    toInt8(multiIf(type = 'message.created', 0, type = 'message.edited', 1, -1)) AS rank,
    fromUnixTimestamp64Micro((bitShiftRight(id, 22) + %[1]d) * 1000, 'UTC') AS at
SELECT tupleElement(d, 'channel_id') AS channel_id, -message AS inv, toUInt64(0) AS ref_hash, toUInt8(0) AS late,
    toYYYYMMDD(toMonday(fromUnixTimestamp64Milli(bitShiftRight(message, 22) + %[1]d, 'UTC'))) AS week,
    (toUInt8(1), tupleElement(d, 'guild_id'), '') AS guild,
    (if(rank = 0, toInt8(0), toInt8(-1)), if(rank = 0, id, 0), toUInt32(0), tupleElement(d, 'user_id'), '', toUInt8(rank = 0), at) AS author,
    (rank, if(rank >= 0, id, 0), toUInt32(0), text, at) AS content,
    (if(type = 'message.deleted', toInt8(1), toInt8(-1)), if(type = 'message.deleted', id, 0), toUInt32(0), toUInt8(type = 'message.deleted'), at) AS deleted%[2]s
FROM rival WHERE id != 0`

const rivalWords = `,
    (rank, if(rank >= 0, id, 0), toUInt32(0), lower(text)) AS search`

// rivalRun drains the backlog by ClickHouse's own Kafka engine into a state table that the product has made.
func rivalRun(ctx context.Context, o options, b backlog, search string) (r run, err error) {
	e, err := openEngine(ctx, nil)
	if err != nil {
		return r, err
	}
	defer e.close(false)
	w, err := bench.PrepareWorker(ctx, bench.WorkerConfig{ // it makes the tables, and is never started
		Binary: o.binary, Parts: "hot", Kafka: o.kafka, Topic: b.topic, ClickHouse: e.section(),
		Settings: bench.Settings{fmt.Sprintf("hot.search=%t", search == "on")},
	})
	if err != nil {
		return r, err
	}
	w.Clean(ctx, b.topics)
	if err := errors.Join(e.table(ctx, o.server), e.server.Close()); err != nil {
		return r, err
	}
	setup, err := rivalConfig(e.dir)
	if err != nil {
		return r, err
	}
	p, err := startRival(setup)
	if err != nil {
		return r, err
	}
	defer p.close()
	return drainRival(ctx, o, b, p, search == "on")
}

var grants = regexp.MustCompile(`(?s)<grants>.*</grants>`)

// rivalConfig is the product's configuration of the engine but for the grants, and optimize_on_insert, which a view's
// inserts cannot be given otherwise.
func rivalConfig(dir string) (rivalSetup, error) {
	library, err := clickhouse.FindLibrary()
	if err != nil {
		return rivalSetup{}, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "config", "users.xml"))
	if err != nil {
		return rivalSetup{}, err
	}
	users := grants.ReplaceAllString(string(text), "<grants><query>GRANT ALL ON *.*</query></grants>")
	users = strings.Replace(users, "<max_memory_usage>", "<optimize_on_insert>0</optimize_on_insert><max_memory_usage>", 1)
	if err := os.WriteFile(filepath.Join(dir, "config", "users.xml"), []byte(users), 0o600); err != nil {
		return rivalSetup{}, err
	}
	return rivalSetup{library, []string{
		"--path=" + filepath.Join(dir, "data") + "/", "--config-file=" + filepath.Join(dir, "config", "config.xml"), "--implicit_select=0",
	}}, nil
}

func drainRival(ctx context.Context, o options, b backlog, p *rivalProcess, search bool) (r run, err error) {
	group := "bench-rival-" + uuid.NewString()[:8]
	words := ""
	if search {
		words = rivalWords
	}
	before, err := bench.UsageOf(p.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	began := time.Now()
	for _, sql := range []string{
		"USE " + database,
		fmt.Sprintf("CREATE TABLE rival (raw String) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = '%s', kafka_format = 'RawBLOB', "+
			"kafka_num_consumers = 2, kafka_thread_per_consumer = 1, kafka_max_block_size = %d, kafka_poll_max_batch_size = 65536", o.kafka, b.topic, group, o.rivalBlock),
		fmt.Sprintf(rivalView, schemas.DiscordEpoch, words),
	} {
		if _, err := p.ask(sql); err != nil && !strings.Contains(err.Error(), "Shutdown was called") { // what the embedded library says of a Kafka table that it has made
			return r, err
		}
	}
	if err := awaitGroup(ctx, b, group); err != nil {
		return r, err
	}
	r.records, r.wall = b.made.Records, time.Since(began)
	used, err := bench.UsageOf(p.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	r.clickhouse, r.settles = used.Since(before), o.settle
	return r, r.judgeRival(ctx, p, b.made, before)
}

func awaitGroup(ctx context.Context, b backlog, group string) error {
	for {
		if ok, err := b.drained(ctx, group); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// judgeRival waits for the merges and fails unless every message is there.
func (r *run) judgeRival(ctx context.Context, p *rivalProcess, made bench.Contents, before bench.Usage) (err error) {
	if r.before, err = rivalParts(p); err != nil {
		return err
	}
	for quiet := 0; r.settles && quiet < 5; {
		n, err := p.ask("SELECT count() FROM system.merges")
		if err != nil {
			return err
		}
		if quiet++; strings.TrimSpace(n) != "0" {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	used, err := bench.UsageOf(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	r.settled = used.Since(before)
	if r.after, err = rivalParts(p); err != nil {
		return err
	}
	text, err := p.ask("SELECT count() FROM messages_all")
	if err != nil {
		return err
	}
	// Some records that the worker refuses are messages to the view.
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err != nil || n < made.Created || n > made.Created+made.Dead {
		return fmt.Errorf("the Kafka engine's table has %s messages, and %d were made (%w)", strings.TrimSpace(text), made.Created, err)
	}
	return nil
}

func rivalParts(p *rivalProcess) (s parts, err error) {
	text, err := p.ask("SELECT count(), sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'state'")
	if err != nil {
		return s, err
	}
	_, err = fmt.Sscan(text, &s.Count, &s.Rows, &s.Bytes)
	return s, err
}
