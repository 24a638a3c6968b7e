package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/internal/testkit"
)

func TestRetentionTicksAfterARestart(t *testing.T) {
	cfg := broker.Config{Dir: t.TempDir(), RetentionTick: time.Hour, Log: discard()}
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, b.Addr(), kgo.DefaultProduceTopic("events"))
	settings := map[string]*string{"retention.ms": kadm.StringPtr("1")}
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, settings, "events"); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	cfg.RetentionTick = 10 * time.Millisecond
	if b, err = broker.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	adm := kadm.NewClient(dial(t, b.Addr()))
	testkit.Eventually(t, 20*time.Second, func() error {
		starts, err := adm.ListStartOffsets(t.Context(), "events")
		if err != nil {
			return err
		}
		if at(starts, "events") != 1 {
			return fmt.Errorf("log starts at %d, want 1", at(starts, "events"))
		}
		return nil
	})
}
