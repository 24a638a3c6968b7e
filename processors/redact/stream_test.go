package redact

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

func TestRunAnswersEachLine(t *testing.T) {
	in := strings.Join([]string{
		"plain bob@example.com",
		`{"id":"a1","content":"é bob@example.com <ok>"}`,
		`{"id":123456789012345678,"content":"nothing"}`,
		`{"content":"203.0.113.9"}`,
		`{not json}`,
		"",
		"last\r",
	}, "\n")
	want := strings.Join([]string{
		`{"id":"1","content":"plain [REDACTED:email]","spans":[{"start":6,"end":21,"type":"email"}]}`,
		`{"id":"a1","content":"é [REDACTED:email] <ok>","spans":[{"start":3,"end":18,"type":"email"}]}`,
		`{"id":123456789012345678,"content":"nothing","spans":[]}`,
		`{"id":"4","content":"[REDACTED:ip]","spans":[{"start":0,"end":11,"type":"ip"}]}`,
		`{"id":"5","content":"{not json}","spans":[]}`,
		`{"id":"6","content":"","spans":[]}`,
		`{"id":"7","content":"last","spans":[]}`,
		"",
	}, "\n")
	var out bytes.Buffer
	if err := newEngine(t).Run(context.Background(), strings.NewReader(in), &out, StreamOptions{Spans: true}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRunLeavesSpansOutUnlessAsked(t *testing.T) {
	var out bytes.Buffer
	if err := newEngine(t).Run(context.Background(), strings.NewReader("a@example.com\n"), &out, StreamOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"1","content":"[REDACTED:email]"}` + "\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestRunTakesLinesOfAnyLength(t *testing.T) {
	var out bytes.Buffer
	in := strings.Repeat("word ", 100_000) + "bob@example.com"
	if err := newEngine(t).Run(context.Background(), strings.NewReader(in), &out, StreamOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "word [REDACTED:email]\"}\n") {
		t.Error("the end of a long line is not redacted")
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := newEngine(t).Run(ctx, strings.NewReader("x\n"), &bytes.Buffer{}, StreamOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
}
