// Package box starts the three embedded servers of one data folder together: the broker, the object store, and
// ClickHouse in a child process.
//
// The types to know are [Config] and [Box]. Start fails when the folder is held by another process, or an address is
// taken, and then leaves nothing running. A child that dies is started again on the same address. The package runs no
// pipeline.
package box

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/embedded/objectstore"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/dirlock"
)

// Config says where the data is and where the servers listen. Port 0 picks a free one.
type Config struct {
	Dir            string
	KafkaAddr      string
	S3Addr         string
	ClickHouseAddr string
	// ExternalClickHouse, if set, is a running server to use instead of the embedded one.
	ExternalClickHouse *config.ClickHouse
	Library            string // libchdb; empty: found in the cache
	// Readers names, by topic, the consumer groups whose unread records the broker must not drop.
	Readers map[string][]string
	Log     *slog.Logger
}

// Names that the contract fixes.
const (
	Database = "coldstream"
	Bucket   = "coldstream"
	user     = "coldstream"
	analyst  = "analyst"
	region   = "us-east-1"
)

// Box is the running servers.
type Box struct {
	cfg    Config
	secret *credentials
	lock   *dirlock.Lock
	kafka  *broker.Broker
	s3     *objectstore.Store

	mu     sync.Mutex // guards engine and closing
	engine *clickhouse.Server
	closed bool

	stop    chan struct{} // closed by Close
	watcher sync.WaitGroup
	failed  chan error
}

// Start starts the servers and waits until they answer.
func Start(ctx context.Context, cfg Config) (*Box, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := dirlock.Acquire(cfg.Dir)
	if err != nil {
		return nil, err
	}
	b := &Box{cfg: cfg, lock: lock, stop: make(chan struct{}), failed: make(chan error, 1)}
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if b.engine != nil {
		b.watcher.Go(b.watch)
	}
	return b, nil
}

func (b *Box) start(ctx context.Context) (err error) {
	if b.secret, err = loadCredentials(filepath.Join(b.cfg.Dir, credentialsFile)); err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() (err error) {
		b.kafka, err = broker.Start(ctx, broker.Config{Dir: filepath.Join(b.cfg.Dir, "kafka"), Addr: b.cfg.KafkaAddr, Readers: b.cfg.Readers, Log: b.cfg.Log})
		return err
	})
	g.Go(func() (err error) {
		b.s3, err = objectstore.Start(ctx, objectstore.Config{
			Dir: filepath.Join(b.cfg.Dir, "s3"), Addr: b.cfg.S3Addr, AccessKey: b.secret.S3Access, SecretKey: b.secret.S3Secret, Region: region, Log: b.cfg.Log,
		})
		if err != nil || b.cfg.ExternalClickHouse != nil {
			return err
		}
		b.engine, err = b.startEngine(ctx, b.cfg.ClickHouseAddr)
		return err
	})
	return g.Wait()
}

func (b *Box) startEngine(ctx context.Context, addr string) (*clickhouse.Server, error) {
	return clickhouse.Start(ctx, clickhouse.Config{
		Dir: filepath.Join(b.cfg.Dir, "clickhouse"), Addr: addr, Library: b.cfg.Library, Database: Database,
		User: user, Password: b.secret.Password, AnalystUser: analyst, AnalystPassword: b.secret.AnalystPassword,
		S3:  &clickhouse.S3Access{Endpoint: "http://" + b.s3.Addr(), AccessKey: b.secret.S3Access, SecretKey: b.secret.S3Secret, Bucket: Bucket},
		Log: b.cfg.Log,
	})
}

// restartPause keeps a child that dies at once from being started without a break.
const restartPause = time.Second

// watch starts the engine's child again when it dies, on the same address.
func (b *Box) watch() {
	for {
		engine := b.current()
		select {
		case <-b.stop:
			return
		case <-engine.Done():
		}
		b.cfg.Log.Error("the ClickHouse engine's process ended; starting it again", "error", engine.Err())
		select {
		case <-b.stop:
			return
		case <-time.After(restartPause):
		}
		next, err := b.startEngine(context.Background(), engine.Addr())
		if err != nil {
			b.failed <- fmt.Errorf("start the ClickHouse engine again: %w", err)
			return
		}
		if !b.replace(next) {
			return
		}
	}
}

func (b *Box) current() *clickhouse.Server {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engine
}

func (b *Box) replace(next *clickhouse.Server) bool {
	b.mu.Lock()
	closed := b.closed
	if !closed {
		b.engine = next
	}
	b.mu.Unlock()
	if closed {
		_ = next.Close() // Close has passed already
	}
	return !closed
}

// Failed yields an error when a server is gone for good.
func (b *Box) Failed() <-chan error { return b.failed }

// Ready says where the servers answer, for the ready file. HTTP and PID are the caller's.
func (b *Box) Ready() config.Ready {
	r := config.Ready{
		Kafka: config.ReadyAddr{Addr: b.kafka.Addr()},
		S3:    config.ReadyS3{Addr: b.s3.Addr(), AccessKey: b.secret.S3Access, SecretKey: b.secret.S3Secret, Bucket: Bucket},
	}
	if x := b.cfg.ExternalClickHouse; x != nil {
		r.ClickHouse = config.ReadyClickHouse{Addr: x.Addr, User: x.User, Password: x.Password, Database: x.Database, TLSCA: x.TLSCA}
		return r
	}
	r.ClickHouse = config.ReadyClickHouse{
		Addr: b.current().Addr(), User: user, Password: b.secret.Password, Database: Database,
		Analyst: config.ReadyAnalyst{User: analyst, Password: b.secret.AnalystPassword},
	}
	return r
}

// Close stops the servers, ClickHouse first, and lets go of the folder. It may be called after a Start that failed.
func (b *Box) Close() error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	engine := b.engine
	b.mu.Unlock()
	if !first {
		return nil
	}
	close(b.stop)
	var errs []error
	if engine != nil {
		errs = append(errs, engine.Close())
	}
	b.watcher.Wait()
	if b.s3 != nil {
		errs = append(errs, b.s3.Close())
	}
	if b.kafka != nil {
		errs = append(errs, b.kafka.Close())
	}
	return errors.Join(append(errs, b.lock.Release())...)
}
