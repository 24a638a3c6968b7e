package kafkaclient

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
)

// A server that takes a connection and says nothing is told apart from one that is not there.
func TestServerThatDoesNotAnswerTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = dialer(config.KafkaSecurity{TLS: true})(ctx, "tcp", l.Addr().String())
	require.ErrorIs(t, err, errHandshake)
	require.Contains(t, Advice(err), "set kafka.tls, kafka.sasl")
}

func TestComplaintsAreCounted(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLogger("cold", 0)
	l.now = func() time.Time { return now }
	var said []int
	for range 130 { // one a second
		if unheard, due := l.due("away"); due {
			said = append(said, unheard)
		}
		now = now.Add(time.Second)
	}
	require.Equal(t, []int{0, 59, 59}, said)
	_, due := l.due("another")
	require.True(t, due)
}
