package redact

import (
	"bytes"
	"net/netip"
	"strings"
)

// allowed is an Allow made ready to compare: plain forms in lower case.
type allowed struct {
	domains  map[string]bool
	parents  []string // ".example.com", for what is below it
	networks []netip.Prefix
	literals map[string]bool
}

// newAllowed is nil if nothing is allowed.
func newAllowed(a Allow) *allowed {
	if len(a.Domains)+len(a.Networks)+len(a.Literals) == 0 {
		return nil
	}
	out := &allowed{domains: map[string]bool{}, literals: map[string]bool{}}
	for _, d := range a.Domains {
		if below, ok := strings.CutPrefix(d, "*."); ok {
			out.parents = append(out.parents, "."+plainLower(below))
		} else {
			out.domains[plainLower(d)] = true
		}
	}
	for _, n := range a.Networks {
		out.networks = append(out.networks, n.Masked())
	}
	for _, l := range a.Literals {
		out.literals[plainLower(l)] = true
	}
	return out
}

// has says whether a value of folded text is left alone.
func (a *allowed) has(value []byte, t Type) bool {
	plain := plainLower(string(value))
	if a.literals[plain] {
		return true
	}
	switch t {
	case Email:
		return a.domain(plain[strings.LastIndexByte(plain, '@')+1:])
	case IP:
		return a.network(plain)
	}
	return false
}

func (a *allowed) domain(d string) bool {
	if a.domains[d] {
		return true
	}
	for _, p := range a.parents {
		if strings.HasSuffix(d, p) {
			return true
		}
	}
	return false
}

// network says whether an address lies in an allowed network. A form that the
// standard library does not read, such as octal parts, is not allowed.
func (a *allowed) network(text string) bool {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, n := range a.networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// plainLower is a text as the detectors see it, A-Z in lower case.
func plainLower(text string) string {
	s := scratches.Get().(*scratch)
	defer s.release()
	s.fold([]byte(text), nil)
	return string(asciiLower(s.text))
}

// asciiLower changes t in place.
func asciiLower(t []byte) []byte {
	for i, b := range t {
		t[i] = lower(b)
	}
	return bytes.TrimSpace(t)
}
