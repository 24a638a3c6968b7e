package chhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/coldstream/coldstream/internal/netutil"
)

// hosts are replicas of one server's data; all copies of a client share them.
type hosts struct {
	all []*url.URL
	at  atomic.Int64 // which of them is asked
}

func parseHosts(addrs string) (*hosts, error) {
	h := &hosts{}
	for _, addr := range strings.Fields(addrs) {
		base, err := url.Parse(netutil.URL(addr))
		if err != nil || base.Host == "" {
			return nil, fmt.Errorf("clickhouse address %q: want host:port or a URL", addr)
		}
		if base.Path == "" {
			base.Path = "/"
		}
		h.all = append(h.all, base)
	}
	if len(h.all) == 0 {
		return nil, fmt.Errorf("clickhouse address %q: want host:port or a URL", addrs)
	}
	return h, nil
}

func (h *hosts) base() *url.URL { return h.all[int(h.at.Load())%len(h.all)] }

// failed turns to the next replica after an error of this one. Of many requests that fail at once, one turns.
func (h *hosts) failed(host string, err error) {
	if len(h.all) == 1 || !ofReplica(err) {
		return
	}
	if at := h.at.Load(); h.all[int(at)%len(h.all)].Host == host {
		h.at.CompareAndSwap(at, (at+1)%int64(len(h.all)))
	}
}

// replicaCodes are ClickHouse's codes for what ails one replica and not the statement: it is read only or lost its Keeper, too few
// others answer it, it does not know what became of an insert, it is shutting down, or too busy.
var replicaCodes = map[int]bool{
	242: true, 225: true, 999: true, 285: true, 286: true, 319: true, 236: true, 279: true, 209: true, 210: true, 159: true, 202: true, 241: true, 252: true, 394: true,
}

// ofReplica reports an error that another replica may not have.
func ofReplica(err error) bool {
	var e *Exception
	if errors.As(err, &e) {
		return replicaCodes[e.Code] || e.Code == 0 && e.Status >= http.StatusInternalServerError
	}
	return !errors.Is(err, context.Canceled) // the connection, or an answer that did not come in time
}
