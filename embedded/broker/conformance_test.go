package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
)

// read consumes n records of a topic from an offset of partition 0.
func read(t *testing.T, topic string, from int64, n int, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	at := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(from)}}
	c := testkit.KafkaClient(t, append([]kgo.Opt{kgo.ConsumePartitions(at), kgo.ConsumeResetOffset(kgo.NoResetOffset())}, opts...)...)
	var records []*kgo.Record
	for len(records) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s from %d: %v after %d of %d records", topic, from, err, len(records), n)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func TestRecordsKeepEveryByteInEveryCodec(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			topic := testkit.Topic(t, 1, nil)
			c := testkit.KafkaClient(t, kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic))
			sent := []*kgo.Record{
				{Key: []byte("key"), Value: bytes.Repeat([]byte("compressible "), 1000)},
				{Key: nil, Value: []byte{0, 1, 2, 0xff, 0xfe}},
				{Key: []byte{}, Value: []byte{}},
				{Key: []byte("tombstone"), Value: nil},
				{Value: []byte("headers"), Headers: []kgo.RecordHeader{{Key: "error", Value: []byte("why")}, {Key: "empty", Value: nil}}},
			}
			if err := c.ProduceSync(t.Context(), sent...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			for i, got := range read(t, topic, 0, len(sent)) {
				if !bytes.Equal(got.Key, sent[i].Key) || !bytes.Equal(got.Value, sent[i].Value) || (got.Value == nil) != (sent[i].Value == nil) {
					t.Errorf("record %d: got key %q value %.20q, sent key %q value %.20q", i, got.Key, got.Value, sent[i].Key, sent[i].Value)
				}
				if fmt.Sprint(got.Headers) != fmt.Sprint(sent[i].Headers) {
					t.Errorf("record %d: got headers %v, sent %v", i, got.Headers, sent[i].Headers)
				}
			}
		})
	}
}

func TestMaxMessageBytesIsHonouredPerTopic(t *testing.T) {
	value := make([]byte, 6<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range value {
		value[i] = byte(random.Uint32())
	}
	roomy := testkit.Topic(t, 1, map[string]string{"max.message.bytes": fmt.Sprint(8 << 20)})
	plain := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: roomy, Value: value}).FirstErr(); err != nil {
		t.Fatalf("6 MiB to a topic that takes 8: %v", err)
	}
	if got := read(t, roomy, 0, 1, kgo.FetchMaxPartitionBytes(1<<20)); !bytes.Equal(got[0].Value, value) {
		t.Error("the 6 MiB came back changed")
	}
	err := c.ProduceSync(t.Context(), &kgo.Record{Topic: plain, Value: value}).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("6 MiB to a topic with the default limit: %v, want MESSAGE_TOO_LARGE", err)
	}
}

func TestDeleteRecordsMovesTheLogStart(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.DefaultProduceTopic(topic))
	for i := range 10 {
		if err := c.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	adm := kadm.NewClient(c)
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 4, -1)
	deleted, err := adm.DeleteRecords(t.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	starts, err := adm.ListStartOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(starts, topic); got != 4 {
		t.Fatalf("log starts at %d, want 4", got)
	}
	if got := read(t, topic, 4, 6); string(got[0].Value) != "4" {
		t.Errorf("first record left is %q", got[0].Value)
	}

	// A reader that may not reset is told, never moved.
	below := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(1)}}
	lost := testkit.KafkaClient(t, kgo.ConsumePartitions(below), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	fetches := lost.PollFetches(t.Context())
	if err := fetches.Err(); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Errorf("reading below the start: %v with %d records, want OFFSET_OUT_OF_RANGE", err, fetches.NumRecords())
	}
}

func TestClusterAndTopicsHaveIDs(t *testing.T) {
	topic := testkit.Topic(t, 2, nil)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	meta, err := adm.Metadata(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	first := meta.Topics[topic]
	if meta.Cluster == "" || first.ID == (kadm.TopicID{}) || len(first.Partitions) != 2 {
		t.Fatalf("cluster %q, topic id %s, %d partitions", meta.Cluster, first.ID, len(first.Partitions))
	}
	testkit.RemakeTopic(t, adm, topic, 2)
	again, err := kadm.NewClient(testkit.KafkaClient(t)).Metadata(t.Context(), topic) // the first client remembers
	if err != nil {
		t.Fatal(err)
	}
	if again.Topics[topic].ID == first.ID {
		t.Errorf("the topic made again has the id %s of the deleted one", first.ID)
	}
}

func TestTopicSettingsAreKept(t *testing.T) {
	want := map[string]string{
		"cleanup.policy": "compact", "retention.ms": "604800000", "max.message.bytes": "8388608", "message.timestamp.type": "LogAppendTime",
	}
	topic := testkit.Topic(t, 1, want)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	change := kadm.AlterConfig{Name: "retention.ms", Value: kadm.StringPtr("-1")}
	altered, err := adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{change}, topic)
	if err == nil {
		_, err = altered.On(topic, func(r *kadm.AlterConfigsResponse) error { return r.Err })
	}
	if err != nil {
		t.Fatalf("alter %s: %v", topic, err)
	}
	want["retention.ms"] = "-1"
	testkit.Eventually(t, 10*time.Second, func() error {
		configs, err := adm.DescribeTopicConfigs(t.Context(), topic)
		if err != nil {
			return err
		}
		config, err := configs.On(topic, nil)
		if err != nil {
			return err
		}
		for _, c := range config.Configs {
			if value, ok := want[c.Key]; ok && c.MaybeValue() != value {
				return fmt.Errorf("%s is %q, want %q", c.Key, c.MaybeValue(), value)
			}
		}
		return nil
	})
}

func TestCommittedOffsetsAreSeenByTheNextMember(t *testing.T) {
	topic, group := testkit.Topic(t, 1, nil), testkit.Name(t)
	produce := testkit.KafkaClient(t, kgo.DefaultProduceTopic(topic))
	for i := range 6 {
		if err := produce.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	options := []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}
	first := testkit.KafkaClient(t, options...)
	records := first.PollRecords(t.Context(), 4).Records()
	if len(records) != 4 {
		t.Fatalf("first member got %d records, want 4", len(records))
	}
	if err := first.CommitRecords(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second := testkit.KafkaClient(t, options...)
	records = second.PollFetches(t.Context()).Records()
	var got []string
	for _, r := range records {
		got = append(got, string(r.Value))
	}
	if !slices.Equal(got, []string{"4", "5"}) {
		t.Fatalf("second member got %q, want what the first did not commit", got)
	}
}

func TestListOffsetsAfterATime(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	c := testkit.KafkaClient(t, kgo.DefaultProduceTopic(topic))
	base := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range 3 {
		r := &kgo.Record{Value: []byte("x"), Timestamp: base.Add(time.Duration(i) * time.Minute)}
		if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	offsets, err := kadm.NewClient(c).ListOffsetsAfterMilli(t.Context(), base.Add(time.Minute).UnixMilli(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(offsets, topic); got != 1 {
		t.Fatalf("offset after the second record's time is %d, want 1", got)
	}
}
