package netutil

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tcpListen is the state column of /proc/net/tcp for a listening socket.
const tcpListen = "0A"

// portOwner names the process that listens on addr's port, or returns "" where /proc does not say.
func portOwner(addr string) string {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return ""
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for inode := range listeningInodes(table, port) {
			if owner := socketOwner(inode); owner != "" {
				return owner
			}
		}
	}
	return ""
}

// listeningInodes reads a table of /proc/net and returns the socket inodes that listen on port.
func listeningInodes(table string, port uint64) map[string]bool {
	inodes := map[string]bool{}
	f, err := os.Open(table)
	if err != nil {
		return inodes
	}
	defer func() { _ = f.Close() }()
	// Columns: sl, local_address (hex host:port), rem_address, st, tx:rx, tr:when, retrnsmt, uid, timeout, inode.
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != tcpListen {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if got, err := strconv.ParseUint(hex, 16, 16); err == nil && got == port {
			inodes[fields[9]] = true
		}
	}
	return inodes
}

// socketOwner finds the process that holds the socket with this inode.
func socketOwner(inode string) string {
	want := "socket:[" + inode + "]"
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != want {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
		if err != nil {
			return "process " + pid
		}
		return fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name)))
	}
	return ""
}
