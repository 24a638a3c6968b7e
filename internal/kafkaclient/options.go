// Package kafkaclient turns the configuration into the options of every Kafka client of the program: where the brokers
// are, TLS, SASL, the name that brokers see, and where the client's own log goes.
//
// [Options] is for clients that live as long as a part does, [Quiet] for those whose errors are returned to somebody who
// asked; [Explain] adds to an error what to do about it. Making options does no I/O and cannot fail: certificates and
// passwords are read at every connection, so that renewed ones take effect, and the configuration was validated before.
package kafkaclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/coldstream/coldstream/internal/awskeys"
	"github.com/coldstream/coldstream/internal/config"
)

// dialTimeout bounds a connection, and handshakeTimeout its handshake: a server that does not speak TLS may wait for the
// end of what it takes for a long request.
const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 5 * time.Second
)

// errHandshake says that a server took the connection and did not answer in TLS.
var errHandshake = errors.New("no answer to the TLS handshake")

// Options are those of a client that a part of the program keeps: what it cannot do is logged at WARN, what it does at DEBUG.
func Options(k *config.Kafka, part string) []kgo.Opt { return options(k, part, slog.LevelWarn) }

// Quiet is Options for a client whose errors come back to who asked; its own log is at DEBUG alone.
func Quiet(k *config.Kafka, part string) []kgo.Opt { return options(k, part, slog.LevelDebug) }

func options(k *config.Kafka, part string, warn slog.Level) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(k.Brokers...), kgo.ClientID(k.ClientID + "-" + part), kgo.WithLogger(newLogger(part, warn)),
	}
	if k.TLS {
		opts = append(opts, kgo.Dialer(dialer(k.KafkaSecurity)))
	}
	if m := mechanism(k.KafkaSecurity); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return opts
}

// dialer connects over TLS, with the files as they are now.
func dialer(s config.KafkaSecurity) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := s.Files().Config()
		if err != nil {
			return nil, err
		}
		if c.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			return nil, err
		}
		plain, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(plain, c)
		if err := handshake(ctx, conn); err != nil {
			_ = plain.Close()
			return nil, err
		}
		return conn, nil
	}
}

func handshake(ctx context.Context, conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	err := conn.HandshakeContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	return err
}

// mechanism is that of SASL; nil: none.
func mechanism(s config.KafkaSecurity) sasl.Mechanism {
	switch s.SASL {
	case config.SASLPlain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			pass, err := password(s)
			return plain.Auth{User: s.User, Pass: pass}, err
		})
	case config.SASLScramSHA256:
		return scram.Sha256(scramAuth(s))
	case config.SASLScramSHA512:
		return scram.Sha512(scramAuth(s))
	case config.SASLAWSMSKIAM:
		return aws.ManagedStreamingIAM(awsAuth(s))
	default:
		return nil
	}
}

func scramAuth(s config.KafkaSecurity) func(context.Context) (scram.Auth, error) {
	return func(context.Context) (scram.Auth, error) {
		pass, err := password(s)
		return scram.Auth{User: s.User, Pass: pass}, err
	}
}

func password(s config.KafkaSecurity) (string, error) {
	pass, err := s.Secret()
	if err != nil {
		return "", fmt.Errorf("password of %s: %w", s.User, err)
	}
	return pass, nil
}

// awsAuth takes the configured keys, or those of the environment, which it asks anew before they expire.
func awsAuth(s config.KafkaSecurity) func(context.Context) (aws.Auth, error) {
	if s.User != "" {
		return func(context.Context) (aws.Auth, error) {
			pass, err := password(s)
			return aws.Auth{AccessKey: s.User, SecretKey: pass}, err
		}
	}
	return func(ctx context.Context) (aws.Auth, error) {
		v, err := awskeys.Ambient().GetWithContext(&credentials.CredContext{Context: ctx})
		return aws.Auth{AccessKey: v.AccessKeyID, SecretKey: v.SecretAccessKey, SessionToken: v.SessionToken}, err
	}
}
