package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/netutil"
)

// frame is a request header with a body behind it.
func frame(size uint32, key, version int16, body string) string {
	var b []byte
	b = binary.BigEndian.AppendUint32(b, size)
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, 7)
	return string(b) + body
}

func TestForeignBytesCloseTheirConnectionOnly(t *testing.T) {
	b := start(t, t.TempDir())
	createTopic(t, b, 1, nil, "events")
	for name, bytes := range map[string]string{
		"HTTP":                "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"TLS":                 "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"SSH":                 "SSH-2.0-OpenSSH_9.2\r\n",
		"unknown key":         frame(10, 1000, 0, "\xff\xff"),
		"negative key":        frame(10, -1, 0, "\xff\xff"),
		"unknown version":     frame(10, int16(kmsg.Produce), 99, "\xff\xff"),
		"negative version":    frame(10, int16(kmsg.ApiVersions), -1, "\xff\xff"),
		"frame too large":     frame(maxFrame+1, int16(kmsg.ApiVersions), 0, "\xff\xff"),
		"negative size":       frame(1<<31, int16(kmsg.ApiVersions), 0, "\xff\xff"),
		"frame too small":     frame(3, int16(kmsg.ApiVersions), 0, ""),
		"no client id":        frame(8, int16(kmsg.Metadata), 0, ""),
		"body cut short":      frame(10, int16(kmsg.Produce), 9, "\xff\xff"),
		"body of other bytes": frame(74, int16(kmsg.Fetch), 12, "\xff\xff"+strings.Repeat("\x7f", 64)),
		"zeros":               strings.Repeat("\x00", 64),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.Write([]byte(bytes)); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			var one [1]byte
			n, err := conn.Read(one[:])
			var timeout net.Error
			if n != 0 || err == nil || (errors.As(err, &timeout) && timeout.Timeout()) {
				t.Errorf("read %d bytes and %v, want the connection closed", n, err)
			}
		})
	}
	produce(t, b, "events", "still here")
}

func TestFramesPassUnchangedHoweverTheyAreCut(t *testing.T) {
	b := start(t, t.TempDir())
	request := frame(10, int16(kmsg.ApiVersions), 0, "\xff\xff")
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, cut := range []int{1, 3, 4, 7, 13, len(request)} {
		for rest := request; rest != ""; {
			n := min(cut, len(rest))
			if _, err := conn.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := answer(conn, 7); err != nil {
			t.Fatalf("request in pieces of %d bytes: %v", cut, err)
		}
	}
}

// answer reads one response and checks its correlation id.
func answer(conn net.Conn, correlation uint32) error {
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := conn.Read(size[:]); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	for read := 0; read < len(body); {
		n, err := conn.Read(body[read:])
		if err != nil {
			return err
		}
		read += n
	}
	if got := binary.BigEndian.Uint32(body); got != correlation {
		return fmt.Errorf("correlation id %d, want %d", got, correlation)
	}
	return nil
}

func TestBusyPortNamesItsOwner(t *testing.T) {
	b := start(t, t.TempDir())
	_, err := Start(t.Context(), Config{Dir: t.TempDir(), Addr: b.Addr()})
	var busy *netutil.BusyError
	if !errors.As(err, &busy) || !strings.Contains(err.Error(), b.Addr()) {
		t.Fatalf("start on a taken port: %v, want a BusyError with the address", err)
	}
}

func TestAdvertisedAddress(t *testing.T) {
	for _, c := range []struct{ listening, advertised, want string }{
		{"127.0.0.1:9092", "", "127.0.0.1:9092"},
		{"0.0.0.0:9092", "", "127.0.0.1:9092"},
		{"[::]:9092", "", "127.0.0.1:9092"},
		{"0.0.0.0:9092", "kafka.example:0", "kafka.example:9092"},
		{"0.0.0.0:9092", "kafka.example:19092", "kafka.example:19092"},
	} {
		got, err := Config{Advertised: c.advertised}.advertise(c.listening)
		if err != nil || got != c.want {
			t.Errorf("listening on %s, advertising %q: got %q, %v, want %q", c.listening, c.advertised, got, err, c.want)
		}
	}
}
