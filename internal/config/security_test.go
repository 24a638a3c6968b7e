package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

func TestSecurityMistakes(t *testing.T) {
	ca, other := testkit.NewAuthority(t), testkit.NewAuthority(t)
	dir := t.TempDir()
	text, empty := filepath.Join(dir, "text"), filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(text, []byte("not a certificate\n"), 0o600))
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	for _, c := range []struct{ kafka, says string }{ // says "": no mistake
		{"tls: true", ""},
		{"tls: true, tls_ca: " + ca.File + ", tls_cert: " + ca.Cert + ", tls_key: " + ca.Key, ""},
		{"sasl: plain, user: ann, password: pw", ""},
		{"tls: true, sasl: aws-msk-iam", ""},
		{"tls: true, sasl: scram-sha-512, user: ann, password_file: " + ca.Key, ""},
		{"tls_ca: " + ca.File, "kafka.tls_ca: it is for TLS, which is off: set kafka.tls: true"},
		{"tls: true, tls_ca: " + text, "kafka.tls_ca: " + text + ": not PEM"},
		{"tls: true, tls_ca: " + ca.Key, "kafka.tls_ca: " + ca.Key + ": no certificate in it"},
		{"tls: true, tls_ca: /nowhere/ca.pem", "kafka.tls_ca: open /nowhere/ca.pem: no such file"},
		{"tls: true, tls_cert: " + ca.Cert, "kafka.tls_cert: a certificate without its key: set kafka.tls_key"},
		{"tls: true, tls_key: " + ca.Key, "kafka.tls_key: a key without its certificate: set kafka.tls_cert"},
		{"tls: true, tls_cert: " + ca.Cert + ", tls_key: " + other.Key, "kafka.tls_cert: " + ca.Cert + " and " + other.Key + ": tls: private key does not match"},
		{"sasl: digest, user: ann, password: pw", `kafka.sasl: "digest": none, plain, scram-sha-256, scram-sha-512, aws-msk-iam`},
		{"sasl: plain, password: pw", "kafka.user: plain takes a user"},
		{"sasl: plain, user: ann, password: pw, password_file: " + text, "kafka.password_file: kafka.password is set too"},
		{"sasl: plain, user: ann, password_file: " + empty, "kafka.password_file: " + empty + " is empty"},
		{"user: ann, password: pw", "kafka.sasl: there is a user or a password, and no mechanism"},
		{"sasl: aws-msk-iam", "kafka.sasl: aws-msk-iam is spoken over TLS alone"},
	} {
		_, err := load(t, "kafka: {"+c.kafka+"}\n", nil)
		if c.says == "" {
			require.NoError(t, err, c.kafka)
			continue
		}
		require.ErrorContains(t, err, c.says, c.kafka)
		require.NotContains(t, err.Error(), "\n", c.kafka) // the one mistake
	}
}

// A file may leave the secrets to the environment, so that only who connects misses them.
func TestMissingSecrets(t *testing.T) {
	doc := "kafka: {brokers: [\"h:9092\"], tls: true, sasl: scram-sha-256, user: ann}\ns3: {endpoint: h, access_key: a}\n"
	c, err := load(t, doc, nil)
	require.NoError(t, err)
	err = c.Need(true, true, false)
	require.ErrorIs(t, err, config.ErrMissing)
	require.ErrorContains(t, err, "kafka.password for kafka.user, or kafka.password_file (or COLDSTREAM_KAFKA_PASSWORD)")
	require.ErrorContains(t, err, "s3.secret_key for s3.access_key (or COLDSTREAM_S3_SECRET_KEY)")
	c, err = load(t, doc, map[string]string{"COLDSTREAM_KAFKA_PASSWORD": "pw", "COLDSTREAM_S3_SECRET_KEY": "b"})
	require.NoError(t, err)
	require.NoError(t, c.Need(true, true, false))
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	c, err := load(t, "kafka: {sasl: plain, user: ann}\n", map[string]string{"COLDSTREAM_KAFKA_PASSWORD": "hush"})
	require.NoError(t, err)
	var doc bytes.Buffer
	require.NoError(t, config.Write(&doc, c, false, false))
	require.Contains(t, doc.String(), "user: ann")
	require.Contains(t, doc.String(), `password: "***"`)
	require.NotContains(t, doc.String(), "hush")
	require.Len(t, c.Warnings(), 1)
	require.True(t, strings.HasPrefix(c.Warnings().Error(), "kafka.sasl: plain without TLS sends the password"))
}

// What is running on one box is reached in plain text, whatever the environment says of other brokers.
func TestBoxHasNoSecurity(t *testing.T) {
	c, err := load(t, "", map[string]string{
		"COLDSTREAM_KAFKA_TLS": "true", "COLDSTREAM_KAFKA_SASL": "plain", "COLDSTREAM_KAFKA_USER": "ann", "COLDSTREAM_KAFKA_PASSWORD": "pw",
	})
	require.NoError(t, err)
	(&config.Ready{}).Apply(c, "d")
	require.Equal(t, config.KafkaSecurity{SASL: config.SASLNone}, c.Kafka.KafkaSecurity)
}

func TestAddressesOfSecuredStores(t *testing.T) {
	ca := testkit.NewAuthority(t)
	for _, c := range []struct{ doc, says string }{ // says "": no mistake
		{"clickhouse: {addr: \"https://h:8443\", tls_ca: " + ca.File + "}", ""},
		{"clickhouse: {addr: \"h:8123\", cluster: c, shards: [\"https://a:8443 https://b:8443\", \"c:8123\"], tls_ca: " + ca.File + "}", ""},
		{"s3: {endpoint: \"https://h\", tls_ca: " + ca.File + "}", ""},
		{"s3: {endpoint: \"https://h\", access_key: a, secret_key: b}", ""},
		{"clickhouse: {addr: \"https://h\"}", "clickhouse.addr: https://h has no port"},
		{"clickhouse: {addr: h}", `clickhouse.addr: "h" is neither host:port nor a URL`},
		{"clickhouse: {addr: \"tcp://h:9000\"}", `clickhouse.addr: "tcp://h:9000" is neither`},
		{"clickhouse: {addr: \"https://ann:pw@h:8443\"}", "is neither host:port nor a URL"},
		{"clickhouse: {addr: \"h:8123\", tls_ca: " + ca.File + "}", "clickhouse.tls_ca: it is for TLS, and clickhouse.addr is not an https:// URL"},
		{"clickhouse: {cluster: c, shards: [\"https://a/x\"]}", `clickhouse.shards: "https://a/x" is neither`},
		{"s3: {endpoint: \"h:9000\", tls_ca: " + ca.File + "}", "s3.tls_ca: it is for TLS, and s3.endpoint is not"},
		{"s3: {endpoint: \"https://h\", tls_ca: " + ca.Key + "}", "s3.tls_ca: " + ca.Key + ": no certificate in it"},
	} {
		_, err := load(t, c.doc+"\n", nil)
		if c.says == "" {
			require.NoError(t, err, c.doc)
			continue
		}
		require.ErrorContains(t, err, c.says, c.doc)
	}
}
