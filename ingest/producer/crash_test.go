package producer_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
)

const envBroker = "COLDSTREAM_TEST_BROKER_CHILD" // dir,addr: this process is a broker that a test kills

func TestMain(m *testing.M) {
	if child := os.Getenv(envBroker); child != "" {
		serveBroker(child)
	}
	testkit.Main(m)
}

// serveBroker runs until the process is killed, or its parent is gone and its input ends.
func serveBroker(child string) {
	dir, addr, _ := strings.Cut(child, ",")
	b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Addr: addr})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	b.Close()
	os.Exit(0)
}

// startBroker starts a broker in a child process and returns how to kill it.
func startBroker(t *testing.T, dir, addr string) (kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), envBroker+"="+dir+","+addr)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		in.Close()
	}
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("broker: %q, %v", line, err)
	}
	return kill
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// written is how many records the topic holds, repeats included.
func written(t *testing.T, addr string) (n int) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends, err := kadm.NewClient(c).ListEndOffsets(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	return n
}

// TestNothingIsLostWhenTheBrokerIsKilled kills the embedded broker while records flow, and starts it again.
func TestNothingIsLostWhenTheBrokerIsKilled(t *testing.T) {
	dir, addr := t.TempDir(), freeAddr(t)
	kill := startBroker(t, dir, addr)
	c, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 4, 1, nil, "events"); err != nil {
		t.Fatal(err)
	}
	p := open(t, producer.Config{Brokers: []string{addr}, Topic: "events", MaxBuffered: 16 << 20})
	const n, kills = 60_000, 3
	done := make(chan error)
	go func() {
		pad := strings.Repeat("x", 300)
		for i := range n {
			if err := p.PublishRaw(t.Context(), fmt.Append(nil, i%50), fmt.Append(nil, i, " ", pad)); err != nil {
				done <- err
				return
			}
		}
		done <- p.Flush(t.Context())
	}()
	for i := range kills {
		testkit.Eventually(t, time.Minute, func() error {
			if acked := p.Counts().Acked; acked < int64(n*(i+1)/(kills+2)) {
				return fmt.Errorf("%d acknowledged", acked)
			}
			return nil
		})
		kill()
		kill = startBroker(t, dir, addr)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool, n)
	last := map[string]int{}
	backwards := 0
	for _, r := range read(t, addr, "events", written(t, addr)) {
		var i int
		if _, err := fmt.Sscan(string(r.Value), &i); err != nil {
			t.Fatal(err)
		}
		if key := string(r.Key); !seen[i] {
			seen[i] = true
			if i < last[key] {
				backwards++
			}
			last[key] = i
		}
	}
	t.Logf("%+v, %d distinct, %d out of order", p.Counts(), len(seen), backwards)
	if len(seen) != n {
		t.Fatalf("%d of %d records", len(seen), n)
	}
}
