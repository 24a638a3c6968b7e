package netutil

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestListenOrOwnerNamesTheOwnerOfABusyPort(t *testing.T) {
	ln, err := ListenOrOwner("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()

	_, err = ListenOrOwner(ln.Addr().String())
	var busy *BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("second listen: %v, want a *BusyError", err)
	}
	if !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("error %q does not name the address", err)
	}
	if _, statErr := os.Stat("/proc/net/tcp"); statErr == nil {
		if want := fmt.Sprintf("process %d (", os.Getpid()); !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name the owner %q", err, want)
		}
	}
}

func TestReserveGivesAPortThatCanBeOpened(t *testing.T) {
	addr, err := Reserve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := ListenOrOwner(addr)
	if err != nil {
		t.Fatalf("reserved %s cannot be opened: %v", addr, err)
	}
	_ = ln.Close()
}

func TestListenOrOwnerReportsABadAddress(t *testing.T) {
	if _, err := ListenOrOwner("127.0.0.1:notaport"); err == nil || !strings.Contains(err.Error(), "notaport") {
		t.Fatalf("got %v, want an error that names the address", err)
	}
}
