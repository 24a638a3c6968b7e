package kafkaclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/internal/testkit"
)

func cluster(t *testing.T, opts ...kfake.Opt) []string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// ping asks a broker as a command does: quietly, and not for long.
func ping(t *testing.T, k *config.Kafka) error {
	t.Helper()
	k.ClientID = "coldstream"
	cl, err := kgo.NewClient(append(kafkaclient.Quiet(k, "test"), kgo.RetryTimeout(time.Second))...)
	require.NoError(t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return kafkaclient.Explain(cl.Ping(ctx))
}

func TestSecuredBrokers(t *testing.T) {
	ca, other := testkit.NewAuthority(t), testkit.NewAuthority(t)
	both := []kfake.Opt{
		kfake.TLS(ca.Server), kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "pw"),
		kfake.Superuser("SCRAM-SHA-256", "bob", "pw"), kfake.Superuser("SCRAM-SHA-512", "cat", "pw"),
	}
	secured := cluster(t, both...)
	open := cluster(t, kfake.TLS(ca.Server))
	mutual := ca.Server.Clone()
	mutual.ClientAuth = tls.RequireAndVerifyClientCert
	asking := cluster(t, kfake.TLS(mutual))
	refusing := refusingCluster(t)
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("pw\n"), 0o600))
	with := func(mechanism, user, password string) config.KafkaSecurity {
		return config.KafkaSecurity{TLS: true, TLSCA: ca.File, SASL: mechanism, User: user, Password: password}
	}
	for _, c := range []struct {
		name    string
		brokers []string
		config.KafkaSecurity
		says []string // none: all is well
	}{
		{"plain", secured, with("plain", "ann", "pw"), nil},
		{"scram-sha-256", secured, with("scram-sha-256", "bob", "pw"), nil},
		{"scram-sha-512", secured, with("scram-sha-512", "cat", "pw"), nil},
		{"password file", secured, config.KafkaSecurity{TLS: true, TLSCA: ca.File, SASL: "plain", User: "ann", PasswordFile: file}, nil},
		{"no SASL over TLS", open, config.KafkaSecurity{TLS: true, TLSCA: ca.File}, nil},
		{"our certificate", asking, config.KafkaSecurity{TLS: true, TLSCA: ca.File, TLSCert: ca.Cert, TLSKey: ca.Key}, nil},
		{"wrong password", secured, with("plain", "ann", "no"), []string{"set kafka.tls, kafka.sasl, user and password"}}, // it hangs up
		{"wrong password of scram", secured, with("scram-sha-512", "cat", "no"), []string{"set kafka.tls, kafka.sasl, user and password"}},
		{"wrong password, as Kafka says it", refusing, config.KafkaSecurity{SASL: "plain", User: "ann", Password: "no"}, []string{"SASL_AUTHENTICATION_FAILED", "set kafka.user and kafka.password"}},
		{"mechanism that is not there", refusing, config.KafkaSecurity{SASL: "scram-sha-512", User: "ann", Password: "pw"}, []string{"UNSUPPORTED_SASL_MECHANISM", "set kafka.sasl"}},
		{"system's authorities", secured, config.KafkaSecurity{TLS: true, SASL: "plain", User: "ann", Password: "pw"}, []string{"unknown authority", "set kafka.tls_ca"}},
		{"another authority", secured, config.KafkaSecurity{TLS: true, TLSCA: other.File, SASL: "plain", User: "ann", Password: "pw"}, []string{"unknown authority", "set kafka.tls_ca"}},
		{"no certificate of ours", asking, config.KafkaSecurity{TLS: true, TLSCA: ca.File}, []string{"certificate required", "set kafka.tls_cert"}},
		{"certificate of another authority", asking, config.KafkaSecurity{TLS: true, TLSCA: ca.File, TLSCert: other.Cert, TLSKey: other.Key}, []string{"set kafka.tls_cert"}},
		{"plain text to TLS", secured, config.KafkaSecurity{}, []string{"set kafka.tls, kafka.sasl"}},
		{"TLS to plain text", hangsUp(t), config.KafkaSecurity{TLS: true, TLSCA: ca.File}, []string{"set kafka.tls, kafka.sasl"}},
		{"no SASL to SASL", secured, config.KafkaSecurity{TLS: true, TLSCA: ca.File}, []string{"set kafka.tls, kafka.sasl"}},
		{"password file gone", secured, config.KafkaSecurity{TLS: true, TLSCA: ca.File, SASL: "plain", User: "ann", PasswordFile: file + "x"}, []string{"password of ann", "no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, &config.Kafka{Brokers: c.brokers, KafkaSecurity: c.KafkaSecurity})
			if c.says == nil {
				require.NoError(t, err)
				return
			}
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// refusingCluster has SASL's plain alone, and says no to every user as Kafka does.
func refusingCluster(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "pw"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.ControlKey(kmsg.SASLHandshake.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"PLAIN"}
		resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		return resp, nil, r.(*kmsg.SASLHandshakeRequest).Mechanism != "PLAIN"
	})
	c.ControlKey(kmsg.SASLAuthenticate.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	return c.ListenAddrs()
}

// hangsUp is a port that closes what sends something unknown, as Kafka's plain one does when it is sent TLS.
func hangsUp(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4))
			_ = conn.Close()
		}
	}()
	return []string{l.Addr().String()}
}

// Certificates and passwords that are renewed take effect at the next connection.
func TestRenewedFiles(t *testing.T) {
	ca, wrong := testkit.NewAuthority(t), testkit.NewAuthority(t)
	brokers := cluster(t, kfake.TLS(ca.Server))
	file := filepath.Join(t.TempDir(), "ca.pem")
	put := func(from string) {
		doc, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, doc, 0o600))
	}
	put(wrong.File)
	k := &config.Kafka{Brokers: brokers, ClientID: "coldstream", KafkaSecurity: config.KafkaSecurity{TLS: true, TLSCA: file}}
	cl, err := kgo.NewClient(append(kafkaclient.Quiet(k, "test"), kgo.RetryTimeout(time.Second))...)
	require.NoError(t, err)
	defer cl.Close()
	require.ErrorContains(t, cl.Ping(t.Context()), "unknown authority")
	put(ca.File)
	require.NoError(t, cl.Ping(t.Context()))
}

// A broker that is not there is complained of at WARN with the part, and not at every attempt; a client that is Quiet leaves it
// to who asked.
func TestComplaintsAreLogged(t *testing.T) {
	logged := captured(t, slog.LevelInfo)
	k := &config.Kafka{Brokers: []string{"127.0.0.1:1"}, ClientID: "coldstream"}
	for _, opts := range [][]kgo.Opt{kafkaclient.Options(k, "cold"), kafkaclient.Quiet(k, "command")} {
		cl, err := kgo.NewClient(append(opts, kgo.RetryTimeout(time.Second))...)
		require.NoError(t, err)
		require.Error(t, cl.Ping(t.Context()))
		require.Error(t, cl.Ping(t.Context()))
		cl.Close()
	}
	text := logged.String()
	require.Contains(t, text, "level=WARN msg=\"kafka: unable to open connection to broker\" part=cold addr=127.0.0.1:1")
	require.Equal(t, 1, strings.Count(text, "\n"), "%s", text)
}

// What goes as it should is not told at the default level, and told at --log-level debug.
func TestOrdinaryWorkIsQuiet(t *testing.T) {
	k := &config.Kafka{Brokers: cluster(t, kfake.SeedTopics(1, "t")), ClientID: "coldstream"}
	for _, c := range []struct {
		level slog.Level
		says  bool
	}{{slog.LevelInfo, false}, {slog.LevelDebug, true}} {
		logged := captured(t, c.level)
		cl, err := kgo.NewClient(append(kafkaclient.Options(k, "cold"), kgo.ConsumerGroup(testkit.Name(t)), kgo.ConsumeTopics("t"))...)
		require.NoError(t, err)
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr())
		require.NoError(t, cl.PollFetches(t.Context()).Err())
		cl.Close()
		require.Equal(t, c.says, logged.Len() > 0, "%s", logged.String())
	}
}

func captured(t *testing.T, level slog.Level) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level})))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &b
}
