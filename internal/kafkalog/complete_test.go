package kafkalog_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/internal/testkit"
)

// forgetful is a broker with a transaction that is open in a topic.
type forgetful struct {
	*kfake.Cluster
	client   *kgo.Client
	adm      *kadm.Client
	producer *kgo.Client
	pid      int64
	epoch    int16
}

func newForgetful(t *testing.T, opts ...kfake.Opt) *forgetful {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(1, "chunks"))...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	open := func(opts ...kgo.Opt) *kgo.Client {
		c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("chunks"))...)
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	f := &forgetful{Cluster: cluster, client: open(), producer: open(kgo.TransactionalID("w"))}
	f.adm = kadm.NewClient(f.client)
	require.NoError(t, f.producer.BeginTransaction())
	require.NoError(t, f.producer.ProduceSync(t.Context(), kgo.StringRecord("left open")).FirstErr())
	f.pid, f.epoch, err = f.producer.ProducerID(t.Context())
	require.NoError(t, err)
	return f
}

// says makes the coordinator say this of the transaction.
func (f *forgetful) says(state string, epoch int16) {
	f.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		s := kmsg.NewDescribeTransactionsResponseTransactionState()
		s.TransactionalID, s.ProducerID, s.State, s.ProducerEpoch = "w", f.pid, state, epoch
		resp.TransactionStates = append(resp.TransactionStates, s)
		return resp, nil, true
	})
}

// answersMarkers makes every marker be refused, and sees that it is of the version that can be refused for being late.
func (f *forgetful) answersMarkers(with *kerr.Error) {
	f.ControlKey(int16(kmsg.WriteTxnMarkers), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		resp := req.ResponseKind().(*kmsg.WriteTxnMarkersResponse)
		for _, m := range req.(*kmsg.WriteTxnMarkersRequest).Markers {
			if m.TransactionVersion != 2 || req.GetVersion() < 2 {
				return nil, errors.New("a marker without a version"), true
			}
			rm := kmsg.NewWriteTxnMarkersResponseMarker()
			rm.ProducerID = m.ProducerID
			for _, topic := range m.Topics {
				rt := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
				rt.Topic = topic.Topic
				for _, p := range topic.Partitions {
					rp := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
					rp.Partition, rp.ErrorCode = p, with.Code
					rt.Partitions = append(rt.Partitions, rp)
				}
				rm.Topics = append(rm.Topics, rt)
			}
			resp.Markers = append(resp.Markers, rm)
		}
		return resp, nil, true
	})
}

// committed gives what a reader of committed records sees once the topic's end is decided.
func (f *forgetful) committed(t *testing.T) (values []string) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		values = nil
		stable, err := f.adm.ListCommittedOffsets(t.Context(), "chunks")
		require.NoError(t, err)
		end, err := f.adm.ListEndOffsets(t.Context(), "chunks")
		require.NoError(t, err)
		if at, _ := stable.Lookup("chunks", 0); at.Offset != end["chunks"][0].Offset {
			return fmt.Errorf("stable to %d of %d", at.Offset, end["chunks"][0].Offset)
		}
		return nil
	})
	require.NoError(t, kafkalog.Read(t.Context(), []kgo.Opt{kgo.SeedBrokers(f.ListenAddrs()...)}, "chunks", func(r *kgo.Record) error {
		values = append(values, string(r.Value))
		return nil
	}))
	return values
}

func all(kafkalog.OpenTransaction) bool { return true }

// The markers that a broker did not write are written as the coordinator has decided.
func TestCompleteDecided(t *testing.T) {
	for state, want := range map[string][]string{"CompleteCommit": {"left open"}, "CompleteAbort": nil} {
		t.Run(state, func(t *testing.T) {
			f := newForgetful(t)
			f.says(state, f.epoch+1)
			done, err := kafkalog.CompleteDecided(t.Context(), f.client, func(o kafkalog.OpenTransaction) bool { return o.ID != "w" }, kafkalog.Topics("chunks"))
			require.NoError(t, err)
			require.Empty(t, done, "of which it was told to leave it")
			done, err = kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
			require.NoError(t, err)
			require.Len(t, done, 1)
			require.Equal(t, f.pid, done[0].ProducerID)
			require.Equal(t, want, f.committed(t))
		})
	}
}

// What is not decided, or not for certain about this transaction, is left alone.
func TestCompleteDecidedDoesNotGuess(t *testing.T) {
	for _, c := range []struct {
		state string
		after int16 // epochs after the transaction's
	}{
		{"Ongoing", 0},
		{"PrepareCommit", 1},
		{"PrepareAbort", 1},
		{"PrepareEpochFence", 1},
		{"Empty", 1},
		{"Dead", 1},
		{"CompleteCommit", 0},
		{"CompleteCommit", 2},
		{"CompleteAbort", 2},
	} {
		f := newForgetful(t)
		f.says(c.state, f.epoch+c.after)
		done, err := kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
		require.NoError(t, err)
		require.Empty(t, done, "%+v", c)
		open, err := kafkalog.OpenTransactions(t.Context(), f.adm, kafkalog.Topics("chunks"))
		require.NoError(t, err)
		require.Len(t, open, 1, "%+v", c)
	}
}

// A marker that is on its way when the coordinator is asked is not written twice.
func TestCompleteDecidedLooksAgain(t *testing.T) {
	f := newForgetful(t)
	asked := false
	f.says("CompleteCommit", f.epoch+1)
	f.ControlKey(int16(kmsg.DescribeProducers), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if asked { // the second look comes after the marker
			f.SleepControl(func() { require.NoError(t, f.producer.EndTransaction(t.Context(), kgo.TryCommit)) })
		}
		asked = true
		return nil, nil, false
	})
	done, err := kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
	require.NoError(t, err)
	require.Empty(t, done)
}

// A broker that does not let us is named with what an administrator can do.
func TestCompleteDecidedIsRefused(t *testing.T) {
	f := newForgetful(t)
	f.says("CompleteCommit", f.epoch+1)
	f.answersMarkers(kerr.ClusterAuthorizationFailed)
	done, err := kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
	require.Empty(t, done)
	require.ErrorIs(t, err, kafkalog.ErrHangs)
	require.ErrorContains(t, err, "CLUSTER_AUTHORIZATION_FAILED")
	require.ErrorContains(t, err, "the right to alter the cluster")
}

// A producer that has gone on is left alone: the partition's leader refuses the marker.
func TestCompleteDecidedComesTooLate(t *testing.T) {
	f := newForgetful(t)
	f.says("CompleteCommit", f.epoch+1)
	f.answersMarkers(kerr.InvalidProducerEpoch)
	done, err := kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
	require.NoError(t, err)
	require.Empty(t, done)
}

// Without transactions of their own epochs no decision can be tied to one.
func TestCompleteDecidedNeedsEpochs(t *testing.T) {
	f := newForgetful(t, kfake.MaxVersions(kversion.V3_9_0()))
	f.says("CompleteCommit", f.epoch+1)
	done, err := kafkalog.CompleteDecided(t.Context(), f.client, all, kafkalog.Topics("chunks"))
	require.NoError(t, err)
	require.Empty(t, done)
	open, err := kafkalog.OpenTransactions(t.Context(), f.adm, kafkalog.Topics("chunks"))
	require.NoError(t, err)
	require.Len(t, open, 1)
}
