// Package netutil holds the little that servers and clients share about addresses.
//
// ListenOrOwner opens a TCP listener and, when the port is taken, says by whom. It never retries and never picks
// another port than the one asked for; port 0 is the caller's way to ask for a free one. URL makes a URL of an address.
package netutil

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// BusyError says that an address is taken. Owner is a sentence such as `process 4211 (java)`, or empty where the
// system does not tell (another user's process, or no /proc).
type BusyError struct {
	Addr  string
	Owner string
	Err   error
}

func (e *BusyError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("address %s is in use", e.Addr)
	}
	return fmt.Sprintf("address %s is in use by %s", e.Addr, e.Owner)
}

func (e *BusyError) Unwrap() error { return e.Err }

// ListenOrOwner listens on addr (`host:port`; port 0 picks a free one). A taken port is a *BusyError that names the
// owner where the system tells; any other failure names the address. The caller closes the listener.
func ListenOrOwner(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err == nil {
		return ln, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &BusyError{Addr: addr, Owner: portOwner(addr), Err: err}
	}
	return nil, fmt.Errorf("listen on %s: %w", addr, err)
}

// Reserve returns addr with a port that was free a moment ago, for a server that opens its own listener. The port
// is not held: whoever asks last may find it taken, so the caller must treat a bind failure as an error, not retry
// silently. A fixed port is only checked, and reported with its owner when taken.
func Reserve(addr string) (string, error) {
	ln, err := ListenOrOwner(addr)
	if err != nil {
		return "", err
	}
	got := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return "", fmt.Errorf("release %s: %w", got, err)
	}
	return got, nil
}
