package netutil

import "strings"

// URL is an address as a configuration has it, a URL or host:port, as a URL: http where it says nothing else.
func URL(addr string) string {
	if strings.Contains(addr, "://") {
		return addr
	}
	return "http://" + addr
}
