package objectstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/s3api"

	"github.com/coldstream/coldstream/internal/dirlock"
	"github.com/coldstream/coldstream/internal/netutil"
)

const (
	// maxConnections and maxRequests bound the store; versitygw panics without them.
	maxConnections = 4096
	maxRequests    = 4096
	// maxParts is S3's own limit of parts per upload.
	maxParts = 10_000
	// bindRetries is how often a free port is picked anew: versitygw opens its listener itself, and another socket may take
	// the port in the moment before.
	bindRetries = 3
	// startTimeout bounds the time from opening the folder to the first answer.
	startTimeout = 20 * time.Second
)

// Store is a running store, in this process or in a child of it. All methods may be called by any goroutine.
type Store struct {
	addr   string
	stop   func() error // ends the server and waits for it
	done   chan struct{}
	mu     sync.Mutex
	err    error // why it ended; set before done is closed
	close  sync.Once
	closed error
}

// Start serves the folder from this process; one store a process, and it changes the process's working directory. ctx
// bounds the start alone. A busy port is a *netutil.BusyError that names its owner, a folder in use wraps
// dirlock.ErrHeld.
func Start(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("objectstore: data folder %s: %w", cfg.Dir, err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("objectstore: create data folder: %w", err)
	}
	lock, err := dirlock.Acquire(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("objectstore: %w", err)
	}
	s, err := serve(ctx, cfg, lock)
	for range bindRetries {
		if !wantsAnyPort(cfg.Addr) || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		s, err = serve(ctx, cfg, lock)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("objectstore: %w", err), lock.Release())
	}
	return s, nil
}

// wantsAnyPort tells whether addr leaves the port to the system.
func wantsAnyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// serve runs the gateway and waits until it listens.
func serve(ctx context.Context, cfg Config, lock *dirlock.Lock) (*Store, error) {
	addr, err := netutil.Reserve(cfg.Addr)
	if err != nil {
		return nil, err
	}
	be, err := openBackend(cfg.Dir, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Dir, err)
	}
	listening := make(chan struct{})
	run, stop := context.WithCancel(context.Background())
	s := &Store{addr: addr, done: make(chan struct{})}
	go func() {
		err := embedgw.RunVersityGW(run, be, gatewayConfig(cfg, addr, sync.OnceFunc(func() { close(listening) })))
		s.end(err)
	}()
	s.stop = func() error {
		stop()
		<-s.done
		return errors.Join(s.Err(), lock.Release())
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-listening:
		return s, nil
	case <-s.done:
		stop()
		return nil, fmt.Errorf("serve %s at %s: %w", cfg.Dir, addr, s.Err())
	case <-ctx.Done():
		stop()
		<-s.done
		return nil, fmt.Errorf("serve %s at %s: %w", cfg.Dir, addr, ctx.Err())
	}
}

// gatewayConfig is versitygw's configuration for one account on one address.
func gatewayConfig(cfg Config, addr string, listening func()) *embedgw.Config {
	return &embedgw.Config{
		RootUserAccess: cfg.AccessKey, RootUserSecret: cfg.SecretKey, Region: cfg.Region,
		Ports:          []string{addr},
		MaxConnections: maxConnections, MaxRequests: maxRequests, MultipartMaxParts: maxParts,
		KeepAlive: true, Quiet: true,
		IAMService: auth.NewIAMServiceSingle(auth.Account{Access: cfg.AccessKey, Secret: cfg.SecretKey, Role: auth.RoleAdmin}),
		S3Options:  []s3api.Option{s3api.WithOnListen(listening), s3api.WithMiddleware("/", finishBody)},
	}
}

// end records why the server ended.
func (s *Store) end(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	close(s.done)
}

// Addr is the `host:port` that it listens on, without a scheme.
func (s *Store) Addr() string { return s.addr }

// Done is closed when the store has ended, by Close or by itself; Err then says why (nil after Close).
func (s *Store) Done() <-chan struct{} { return s.done }

// Err is why the store ended; nil while it runs and after an orderly Close.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close finishes the requests in flight, up to ten seconds, and gives the folder back. Further calls return the first
// result.
func (s *Store) Close() error {
	s.close.Do(func() { s.closed = s.stop() })
	return s.closed
}
