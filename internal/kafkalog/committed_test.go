package kafkalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/kafkalog"
)

// A broker that has just been started does not know who keeps a group's offsets: it is asked again. What will not change
// is an error at once.
func TestCommittedAsksAgain(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events"))
	require.NoError(t, err)
	defer cluster.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	var at kadm.Offsets
	at.AddOffset("events", 1, 7, -1)
	require.NoError(t, adm.CommitAllOffsets(t.Context(), "g", at))

	refuse := func(code int16, times int) (asked func() int) {
		n := 0
		cluster.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			if n++; n > times {
				return nil, nil, false
			}
			resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
			resp.ErrorCode = code
			for range req.(*kmsg.OffsetFetchRequest).Groups {
				g := kmsg.NewOffsetFetchResponseGroup()
				g.Group, g.ErrorCode = "g", code
				resp.Groups = append(resp.Groups, g)
			}
			return resp, nil, true
		})
		return func() int { return n }
	}
	asked := refuse(kerr.CoordinatorNotAvailable.Code, 3)
	got, err := kafkalog.Committed(t.Context(), adm, "g", "events")
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{1: 7}, got)
	require.Greater(t, asked(), 3)

	asked = refuse(kerr.GroupAuthorizationFailed.Code, 100)
	_, err = kafkalog.Committed(t.Context(), adm, "g", "events")
	require.ErrorIs(t, err, kerr.GroupAuthorizationFailed)
	require.Equal(t, 1, asked())
}
