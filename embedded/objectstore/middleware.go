package objectstore

import (
	"net/http"

	"github.com/gofiber/fiber/v3"
)

// closeAfterUnreadBody closes the connection after an upload whose end versitygw may leave unread: one with HTTP's chunked
// coding (clients send empty objects so), or with a body where it expects none. What is left would be taken for the next
// request, and that request be answered with 400.
func closeAfterUnreadBody(ctx fiber.Ctx) error {
	err := ctx.Next()
	request := ctx.Request()
	empty := string(request.Header.Peek("X-Amz-Decoded-Content-Length")) == "0"
	if ctx.Method() == http.MethodPut && (empty || request.Header.ContentLength() < 0) {
		ctx.Response().SetConnectionClose()
	}
	return err
}
