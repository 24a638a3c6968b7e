package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

// securedBroker is one that takes ann with TLS alone, and the section of a configuration that reaches it.
func securedBroker(t *testing.T) (ca *testkit.Authority, section func(password, ca string) string) {
	t.Helper()
	ca = testkit.NewAuthority(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(ca.Server), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "ann", "pw"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return ca, func(password, file string) string {
		return fmt.Sprintf("kafka: {brokers: [%q], partitions: 2, tls: true, tls_ca: %q, sasl: scram-sha-512, user: ann, password: %s}\n", c.ListenAddrs()[0], file, password)
	}
}

func writeConfig(t *testing.T, doc string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(file, []byte(doc), 0o600))
	return file
}

// coldstreamRuns runs a command in this process.
func coldstreamRuns(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = execute(args, &o, &e)
	return code, o.String(), e.String()
}

// Every client of the archive's way from a secured broker into a bucket: init, generate, workers, committer, lag, verify, dlq.
func TestArchiveOfASecuredBroker(t *testing.T) {
	ca, kafka := securedBroker(t)
	archive(t, kafka("pw", ca.File), kafka("pw", ca.File))
}

// A worker has the rights that docs/running.md names, and no others.
func TestArchiveWithFewRights(t *testing.T) {
	allow := func(kind kmsg.ACLResourceType, pattern kmsg.ACLResourcePatternType, name string, operations ...kmsg.ACLOperation) (acls []kfake.ACL) {
		for _, o := range operations {
			acls = append(acls, kfake.ACL{Resource: kind, Pattern: pattern, Name: name, Operation: o, Allow: true})
		}
		return acls
	}
	literal, prefixed := kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLResourcePatternTypePrefixed
	acls := slices.Concat(
		allow(kmsg.ACLResourceTypeTopic, literal, "events", kmsg.ACLOperationRead),
		allow(kmsg.ACLResourceTypeTopic, literal, "chunks", kmsg.ACLOperationRead, kmsg.ACLOperationWrite),
		allow(kmsg.ACLResourceTypeTopic, literal, "events.dlq", kmsg.ACLOperationRead, kmsg.ACLOperationWrite),
		allow(kmsg.ACLResourceTypeGroup, prefixed, "coldstream-", kmsg.ACLOperationRead),
		allow(kmsg.ACLResourceTypeTransactionalId, prefixed, "coldstream-cold-", kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe),
	)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "ann", "pw"), kfake.User("PLAIN", "worker", "pw", acls...))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	as := func(user string) string {
		return fmt.Sprintf("kafka: {brokers: [%q], partitions: 2, sasl: plain, user: %s, password: pw}\n", c.ListenAddrs()[0], user)
	}
	archive(t, as("ann"), as("worker"))

	cfg, err := config.Load(writeConfig(t, as("worker")), os.LookupEnv)
	require.NoError(t, err)
	cl, err := kgo.NewClient(clientOf(cfg)...)
	require.NoError(t, err)
	defer cl.Close()
	err = cl.ProduceSync(t.Context(), &kgo.Record{Topic: "events", Value: []byte("{}")}).FirstErr()
	require.ErrorIs(t, err, kerr.TopicAuthorizationFailed, "rights count here")
}

// archive brings events from the brokers of a configuration into a bucket, and compares: by one who may make topics and
// publish, and by a worker.
func archive(t *testing.T, admin, worker string) {
	t.Helper()
	s3 := testkit.S3(t)
	rest := fmt.Sprintf("s3: {endpoint: %q, access_key: %q, secret_key: %q, bucket: %q, prefix: %s}\n", s3.Endpoint, s3.AccessKey, s3.SecretKey, s3.Bucket, testkit.Name(t)) +
		fmt.Sprintf("data: %q\ncold: {checkpoint: 1s, grace: 100ms}\n", t.TempDir())
	adminFile, file := writeConfig(t, admin+rest), writeConfig(t, worker+rest)
	code, _, errs := coldstreamRuns("init", "--config", adminFile, "--pipelines", "cold,committer")
	require.Zero(t, code, errs)
	code, _, errs = coldstreamRuns("generate", "--config", adminFile, "--events", "500")
	require.Zero(t, code, errs)

	var log bytes.Buffer
	run := exec.Command("coldstream", "run", "--config", file, "--pipelines", "cold,committer")
	run.Stderr = &log
	require.NoError(t, run.Start())
	defer func() { _ = run.Process.Kill() }() // it has ended, unless the test failed
	testkit.Eventually(t, patience, func() error {
		if code, out, errs := coldstreamRuns("verify", "--config", file, "--wait", "1s"); code != 0 {
			return fmt.Errorf("%s%s", out, errs)
		}
		return nil
	})
	code, _, errs = coldstreamRuns("dlq", "list", "--config", file)
	require.Zero(t, code, errs)
	require.NoError(t, run.Process.Signal(os.Interrupt))
	require.NoError(t, run.Wait(), log.String())
	for line := range strings.Lines(log.String()) {
		require.False(t, strings.Contains(line, "WARN") && !strings.Contains(line, "plain without TLS"), "an ordinary run says nothing that must be looked at: %s", line)
	}
}

// Who gives the wrong password or authority is told which, by every command that meets it, and by doctor with the fix.
func TestRefusedByASecuredBroker(t *testing.T) {
	_, kafka := securedBroker(t)
	other := testkit.NewAuthority(t)
	untrusted := writeConfig(t, kafka("pw", other.File))
	code, out, errs := coldstreamRuns("doctor", "--config", untrusted, "--json")
	require.Equal(t, exitFound, code, errs)
	var r diagnosis
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "kafka", r.Checks[0].Name)
	require.Contains(t, r.Checks[0].Detail, "unknown authority")
	require.Contains(t, r.Checks[0].Fix, "set kafka.tls_ca")
	t.Setenv("COLDSTREAM_S3_ENDPOINT", "127.0.0.1:1") // Kafka comes first
	for _, args := range [][]string{{"init", "--pipelines", "cold"}, {"dlq", "list"}, {"generate", "--events", "1"}, {"verify"}} {
		code, _, errs := coldstreamRuns(append(args, "--config", untrusted)...)
		require.Equal(t, exitFailed, code, args)
		require.Contains(t, errs, "set kafka.tls_ca", args)
	}
}
