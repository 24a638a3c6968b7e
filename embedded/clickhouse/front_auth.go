package clickhouse

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// user is who a request comes from.
type user struct {
	name    string
	analyst bool // may only read
}

// authenticate finds the user by Basic authentication, X-ClickHouse-User and -Key, or user= and password= in the URL.
func (f *front) authenticate(r *http.Request) (user, error) {
	name, password, ok := r.BasicAuth()
	if head := r.Header.Get("X-ClickHouse-User"); !ok && head != "" {
		name, password, ok = head, r.Header.Get("X-ClickHouse-Key"), true
	}
	if query := r.URL.Query(); !ok && (query.Has("user") || query.Has("password")) {
		name, password = query.Get("user"), query.Get("password")
		if name == "" {
			name = "default"
		}
	}
	if name == "" {
		return user{}, exception(codeRequiredPassword,
			"default: Authentication failed: password is required. Give it by Basic authentication, by the headers X-ClickHouse-User and X-ClickHouse-Key, or as user= and password= in the URL", "REQUIRED_PASSWORD")
	}
	// Both are compared always, so that the time taken says nothing about which of the two was wrong.
	full := same(name, f.cfg.User) & same(password, f.cfg.Password)
	reader := same(name, f.cfg.AnalystUser) & same(password, f.cfg.AnalystPassword)
	switch {
	case full == 1:
		return user{name: name}, nil
	case reader == 1 && f.cfg.AnalystUser != "" && f.cfg.AnalystPassword != "":
		return user{name: name, analyst: true}, nil
	}
	return user{}, exception(codeAuthentication,
		name+": Authentication failed: password is incorrect, or there is no user with such name", "AUTHENTICATION_FAILED")
}

func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// hostGuard refuses what a web page of another site could make a browser send: a foreign name in Host (a name that was
// made to point here), a foreign Origin, a cross-site fetch.
type hostGuard struct{ names map[string]bool }

// newHostGuard allows the host of every given address beside the loopback's own names. An unspecified address (0.0.0.0)
// allows any IP address, and no further name.
func newHostGuard(addrs ...string) hostGuard {
	g := hostGuard{names: map[string]bool{"localhost": true}}
	for _, addr := range addrs {
		if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
			g.names[strings.ToLower(host)] = true
		}
	}
	return g
}

// refuse returns why the request is refused, "" if it is not.
func (g hostGuard) refuse(r *http.Request) string {
	if !g.allowed(r.Host) {
		return "Host " + r.Host + " is not served here: use the address that the server listens on"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return "requests from other sites are refused"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return "requests from other sites are refused (Origin " + origin + ")"
		}
	}
	return ""
}

func (g hostGuard) allowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if g.names[host] {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || g.names["0.0.0.0"] || g.names["::"])
}
