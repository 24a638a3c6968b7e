package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/coldstream/coldstream/internal/dirlock"
	"github.com/coldstream/coldstream/internal/netutil"
)

// Broker is a running broker. All methods may be called by any goroutine.
type Broker struct {
	cfg       Config
	addr      string // advertised
	listening string
	lock      *dirlock.Lock
	cluster   *kfake.Cluster
	upkeep    *upkeep
	stop      context.CancelFunc
	ticking   sync.WaitGroup
	close     sync.Once
	closed    error
}

// Start opens the data folder and serves it. ctx bounds the start alone; Close ends the broker. A busy port is a
// *netutil.BusyError that names its owner, a folder in use wraps dirlock.ErrHeld.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("broker: data folder %s: %w", cfg.Dir, err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("broker: create data folder: %w", err)
	}
	lock, err := dirlock.Acquire(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b := &Broker{cfg: cfg, lock: lock}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return b, nil
}

// open mends what a crash left, loads the logs and starts the upkeep.
func (b *Broker) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("broker: start: %w", err)
	}
	ends, err := loadHistory(b.cfg.Dir)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := repair(b.cfg.Dir, ends, b.cfg.Log); err != nil {
		return fmt.Errorf("broker: repair %s: %w", b.cfg.Dir, err)
	}
	listen := func(string, string) (net.Listener, error) { return b.listen() }
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(listen),
		kfake.DataDir(b.cfg.Dir),
		kfake.ClusterID(uuid.NewString()), // of the first start; later ones take it from the folder
		kfake.DefaultNumPartitions(4),
		kfake.BrokerConfigs(brokerSettings()),
		kfake.WithLogger(kfakeLogger{b.cfg.Log}),
	)
	if err != nil {
		return fmt.Errorf("broker: start in %s: %w", b.cfg.Dir, err)
	}
	b.cluster = cluster
	if err := errors.Join(forgetShutdownState(b.cfg.Dir), b.startUpkeep(ends)); err != nil {
		cluster.Close()
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// listen opens the guarded listener and settles the address.
func (b *Broker) listen() (net.Listener, error) {
	ln, err := netutil.ListenOrOwner(b.cfg.Addr)
	if err != nil {
		return nil, err
	}
	advertised, err := b.cfg.advertise(ln.Addr().String())
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	b.addr, b.listening = advertised, dialable(ln.Addr().String())
	return &guardListener{Listener: ln, advertised: advertised, log: b.cfg.Log}, nil
}

// brokerSettings are the broker-wide defaults that differ from kfake's.
func brokerSettings() map[string]string {
	return map[string]string{
		"log.segment.bytes": fmt.Sprint(segmentBytes),
		// The upkeep runs retention and compaction, so that it can save the end offsets first; kfake's own timer
		// would not start again after a restart anyway.
		"log.cleaner.backoff.ms": fmt.Sprint((10 * 365 * 24 * time.Hour).Milliseconds()),
		// A machine that was off for a month keeps its groups' offsets.
		"offsets.retention.minutes": fmt.Sprint(int64((365 * 24 * time.Hour).Minutes())),
	}
}

// Addr is the advertised `host:port`: the seed for clients.
func (b *Broker) Addr() string { return b.addr }

// Close writes the state of an orderly stop, closes every connection and gives the folder back. Records in flight
// without an answer may or may not be in the log, as with any broker. Further calls return the first result.
func (b *Broker) Close() error {
	b.close.Do(func() {
		b.stop()
		b.ticking.Wait()
		noted := b.upkeep.noteEnds()
		b.cluster.Close()
		b.closed = errors.Join(noted, markClean(b.cfg.Dir), b.lock.Release())
	})
	return b.closed
}
