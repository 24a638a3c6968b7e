package redact

import (
	"context"
	"os"
	"testing"
)

func TestScratch(t *testing.T) {
	f, err := os.Open("/tmp/s.txt")
	if err != nil {
		t.Skip()
	}
	e, _ := New(Policy{})
	e.Run(context.Background(), f, os.Stdout, StreamOptions{})
}
