package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

// Apache Kafka's own listener of TLS and SASL: the archive runs through it, and what is wrong is told by its own errors.
func TestRealSecuredKafka(t *testing.T) {
	parts := strings.Split(os.Getenv("COLDSTREAM_TEST_KAFKA_SECURED"), ",")
	if len(parts) != 4 {
		t.Skip("no secured listener here: make test-real has one")
	}
	addr, ann, password, ca := parts[0], parts[1], parts[2], parts[3]
	bob := testkit.Name(t)
	set, err := kadm.NewClient(testkit.KafkaClient(t)).AlterUserSCRAMs(t.Context(), nil,
		[]kadm.UpsertSCRAM{{User: bob, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password}})
	require.NoError(t, err)
	require.NoError(t, set.Error())
	for user, mechanism := range map[string]string{ann: "plain", bob: "scram-sha-512"} {
		name := testkit.Name(t)
		section := fmt.Sprintf("kafka: {brokers: [%q], tls: true, tls_ca: %q, sasl: %s, user: %s, password: %s, group: %[6]s, topics: {events: %[6]s, chunks: %[6]s.c, erasures: %[6]s.e, dlq: %[6]s.d}}\n",
			addr, ca, mechanism, user, password, name)
		archive(t, section, section)
	}
	right := config.KafkaSecurity{TLS: true, TLSCA: ca, SASL: "scram-sha-512", User: bob, Password: password}
	for _, c := range []struct {
		name, addr string
		change     func(*config.KafkaSecurity)
		says, fix  string
	}{
		{"wrong password of scram", addr, func(s *config.KafkaSecurity) { s.Password = "no" }, "SASL_AUTHENTICATION_FAILED", "set kafka.user and kafka.password"},
		{"wrong password of plain", addr, func(s *config.KafkaSecurity) { s.SASL, s.User, s.Password = "plain", ann, "no" }, "SASL_AUTHENTICATION_FAILED", "set kafka.user and kafka.password"},
		{"mechanism that is off", addr, func(s *config.KafkaSecurity) { s.SASL = "scram-sha-256" }, "UNSUPPORTED_SASL_MECHANISM", "set kafka.sasl"},
		{"untrusted", addr, func(s *config.KafkaSecurity) { s.TLSCA = "" }, "x509", "kafka.tls_ca"},
		{"no SASL", addr, func(s *config.KafkaSecurity) { s.SASL = "none" }, "SASL", "set kafka.tls, kafka.sasl"},
		{"plain text to TLS", addr, func(s *config.KafkaSecurity) { s.TLS = false }, "tls alert record", "set kafka.tls, kafka.sasl"},
		{"TLS to plain text", testkit.Kafka(t), func(*config.KafkaSecurity) {}, "TLS", "set kafka.tls, kafka.sasl"},
	} {
		cfg := config.Default()
		cfg.Kafka.Brokers, cfg.Kafka.KafkaSecurity = []string{c.addr}, right
		c.change(&cfg.Kafka.KafkaSecurity)
		_, err := checkKafka(t.Context(), cfg)
		require.ErrorContains(t, err, c.says, c.name)
		require.Contains(t, kafkaAdvice(cfg, err), c.fix, "%s: %v", c.name, err)
	}
}
