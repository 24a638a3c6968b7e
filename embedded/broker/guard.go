package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxFrame is the largest request taken, Kafka's own default of socket.request.max.bytes.
	maxFrame = 100 << 20
	// headerSize is the part of a frame that is looked at: size, API key, version, correlation id.
	headerSize = 4 + 2 + 2 + 4
	// minFrame is the smallest size field: the header without itself.
	minFrame = headerSize - 4
	// acceptBackoff is the pause after a failed accept, such as running out of file descriptors.
	acceptBackoff = 50 * time.Millisecond
)

// guardListener hands kfake only connections whose bytes it can survive, and tells it the advertised address.
type guardListener struct {
	net.Listener
	advertised string
	log        *slog.Logger
}

// Addr is what kfake advertises to clients.
func (g *guardListener) Addr() net.Addr { return advertisedAddr(g.advertised) }

// Accept never fails for a reason that passes: kfake stops accepting for good at the first error.
func (g *guardListener) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err == nil {
			return &guardConn{Conn: conn, log: g.log}, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		g.log.Warn("broker: accept failed, trying again", "error", err)
		time.Sleep(acceptBackoff)
	}
}

type advertisedAddr string

func (advertisedAddr) Network() string  { return "tcp" }
func (a advertisedAddr) String() string { return string(a) }

// guardConn lets through frames that look like Kafka requests and closes the connection at the first that does not.
// One goroutine reads at a time, as kfake does.
type guardConn struct {
	net.Conn
	log     *slog.Logger
	header  [headerSize]byte
	pending []byte // of header: read, checked, not handed on yet
	left    int    // bytes of the current frame after its header
}

// Read returns bytes of checked frames only.
func (c *guardConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.pending) == 0 && c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	if len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, err
}

// nextFrame reads and judges the header of the next frame.
func (c *guardConn) nextFrame() error {
	// The size is judged before more is awaited: four bytes of `GET ` or of a TLS hello are enough to close.
	if _, err := io.ReadFull(c.Conn, c.header[:4]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(c.header[:4])
	if size < minFrame || size > maxFrame {
		return c.refuse(fmt.Errorf("frame of %d bytes", size))
	}
	if _, err := io.ReadFull(c.Conn, c.header[4:]); err != nil {
		return err
	}
	key := int16(binary.BigEndian.Uint16(c.header[4:]))
	version := int16(binary.BigEndian.Uint16(c.header[6:]))
	if err := checkRequest(key, version); err != nil {
		return c.refuse(err)
	}
	c.pending, c.left = c.header[:], int(size)-minFrame
	return nil
}

// refuse closes the connection: what follows on it cannot be told from garbage.
func (c *guardConn) refuse(why error) error {
	c.log.Warn("broker: not a Kafka request, connection closed", "client", c.RemoteAddr(), "reason", why)
	_ = c.Close()
	return fmt.Errorf("broker: refused client %s: %w", c.RemoteAddr(), why)
}

// checkRequest tells whether kfake can decode a request of this key and version. kfake dereferences nil at a key that
// kmsg does not know. ApiVersions may come in any version from 0: a newer one is answered with those served.
func checkRequest(key, version int16) error {
	req := kmsg.RequestForKey(key)
	if req == nil {
		return fmt.Errorf("unknown API key %d", key)
	}
	if version < 0 || (version > req.MaxVersion() && key != int16(kmsg.ApiVersions)) {
		return fmt.Errorf("API key %d in unknown version %d", key, version)
	}
	return nil
}
