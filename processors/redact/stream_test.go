package redact

import (
	"bytes"
	"context"
	"encoding/json"
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
	if _, err := newEngine(t).Run(context.Background(), strings.NewReader(in), &out, StreamOptions{Spans: true}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRunLeavesSpansOutUnlessAsked(t *testing.T) {
	var out bytes.Buffer
	if _, err := newEngine(t).Run(context.Background(), strings.NewReader("a@example.com\n"), &out, StreamOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"1","content":"[REDACTED:email]"}` + "\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestRunTakesLinesOfAnyLength(t *testing.T) {
	var out bytes.Buffer
	in := strings.Repeat("word ", 100_000) + "bob@example.com"
	if _, err := newEngine(t).Run(context.Background(), strings.NewReader(in), &out, StreamOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "word [REDACTED:email]\"}\n") {
		t.Error("the end of a long line is not redacted")
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := newEngine(t).Run(ctx, strings.NewReader("x\n"), &bytes.Buffer{}, StreamOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
}

func TestRunExplainsAndCounts(t *testing.T) {
	e := engineWith(t, Policy{Actions: map[Type]Action{Secret: Mask, SSN: Drop}, Detectors: ownDetectors(Keep)})
	in := "token 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\nssn 078-05-1121\nbluebird\nbob (at) example (dot) com\nnothing\n"
	want := strings.Join([]string{
		`{"id":"1","content":"token [secret:****Lq17]","spans":[{"start":6,"end":46,"type":"secret","action":"mask","rule":"a token of GitHub: ghp_ and 36 to 251 characters"}]}`,
		`{"id":"2","dropped":true,"spans":[{"start":4,"end":15,"type":"ssn","action":"drop","rule":"` + rules[SSN] + `"}]}`,
		`{"id":"3","content":"bluebird","spans":[{"start":0,"end":8,"type":"project","action":"keep","rule":"one of the literals \"Bluebird, operation x, operation x two\" and 1 more"}]}`,
		`{"id":"4","content":"[REDACTED:email]","spans":[{"start":0,"end":26,"type":"email","action":"redact","rule":"` + rules[Email] + `; seen through its disguise as \"bob@example.com\""}]}`,
		`{"id":"5","content":"nothing","spans":[]}`, "",
	}, "\n")
	var out, numbers bytes.Buffer
	stats, err := e.Run(context.Background(), strings.NewReader(in), &out, StreamOptions{Explain: true})
	if err != nil || out.String() != want {
		t.Errorf("%v\n got %s\nwant %s", err, out.String(), want)
	}
	if stats.Texts != 5 || stats.Found != 4 || stats.Dropped != 1 || stats.Types[Secret].Spans != 1 || stats.Took <= 0 {
		t.Errorf("%+v", stats)
	}
	if err := stats.Write(&numbers); err != nil || !strings.Contains(numbers.String(), "5 messages, 4 with something found, 1 dropped") ||
		!strings.Contains(numbers.String(), "1  project         keep\n") || strings.Contains(numbers.String(), "jwt") {
		t.Errorf("%v\n%s", err, numbers.String())
	}
}

// TestRunReadsAndWritesJSONAsOthersDo holds both directions to encoding/json, for
// texts with every kind of escape.
func TestRunReadsAndWritesJSONAsOthersDo(t *testing.T) {
	e := newEngine(t)
	texts := []string{"", "\"", `\`, "a\nb\tc\rd\x01\x1f\x7f", "é 日本 \U0001F600", "bad \xff\xe2\x80 end", "<b>&amp;</b>", "\u2028", `\u0041`, "x\x00y"}
	for _, text := range texts {
		line, err := json.Marshal(map[string]string{"id": text, "content": text})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []string{string(line), " " + string(line), `{"z":{"content":"no"},"content":"old","id":7,` + string(line[1:])} {
			var out bytes.Buffer
			if _, err := e.Run(context.Background(), strings.NewReader(in+"\n"), &out, StreamOptions{}); err != nil {
				t.Fatal(err)
			}
			var got struct{ ID, Content string }
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", out.Bytes(), err)
			}
			var want struct{ Content string }
			if err := json.Unmarshal(line, &want); err != nil {
				t.Fatal(err)
			}
			if got.Content != want.Content || got.ID != want.Content {
				t.Errorf("%s became %+v, want %q", in, got, want.Content)
			}
		}
	}
	for _, in := range []string{`{"content":"a"} b`, `{"content":"a",}`, `{"content":7}`, `{"content":null}`, `{"Content":"a"}`, `[{"content":"a"}]`, `{"x":"\ud800"}`} {
		var out bytes.Buffer
		if _, err := e.Run(context.Background(), strings.NewReader(in), &out, StreamOptions{}); err != nil {
			t.Fatal(err)
		}
		var got struct{ Content string }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Content != in {
			t.Errorf("%s became %s, %v", in, out.Bytes(), err)
		}
	}
}
