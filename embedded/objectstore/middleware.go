package objectstore

import (
	"io"
	"time"

	"github.com/gofiber/fiber/v3"
)

const (
	// maxUnread is how much of a refused upload is read to its end; versitygw stops at 256 KiB, and then the client sees
	// a broken connection instead of the 412 of a lost commit.
	maxUnread = 64 << 20
	// unreadTimeout bounds that reading.
	unreadTimeout = 10 * time.Second
)

// finishBody leaves no body unread behind a request. An upload of known length is read to its end; after one with
// HTTP's chunked coding (clients send empty objects so) the connection is closed, because versitygw leaves its last bytes,
// takes them for the next request, and answers that with 400.
func finishBody(ctx fiber.Ctx) error {
	err := ctx.Next()
	length := ctx.Request().Header.ContentLength()
	body := ctx.Request().BodyStream()
	switch {
	case length < 0 && body != nil:
		ctx.Response().SetConnectionClose()
	case length > 0 && body != nil:
		conn := ctx.RequestCtx().Conn()
		_ = conn.SetReadDeadline(time.Now().Add(unreadTimeout))
		_, _ = io.CopyN(io.Discard, body, maxUnread) // what fails here, versitygw's own drain meets again and closes
		_ = conn.SetReadDeadline(time.Time{})
	}
	return err
}
