package importer_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest/importer"
	"github.com/coldstream/coldstream/schemas"
)

func irc(t testing.TB, o importer.IRCOptions, paths ...string) (*list, importer.Result) {
	t.Helper()
	var l list
	o.Options = quiet
	res, err := importer.IRC(t.Context(), &l, paths, o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Lines != res.Published+sum(res.Skipped) || res.Published != int64(len(l.values)) {
		t.Fatalf("%d records, result %+v", len(l.values), res)
	}
	return &l, res
}

// write makes log files; each name may hold folders.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestIRCFormats(t *testing.T) {
	l, res := irc(t, importer.IRCOptions{}, "testdata/irc")
	l.events(t)
	golden(t, "irc", l, res)
}

func TestIRCGuildChannelAndTimezone(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	l, _ := irc(t, importer.IRCOptions{Guild: "net", Channel: "all", Zone: zone}, "testdata/irc/misc/rust.0.txt")
	e := l.events(t).Event(0)
	if e.EventID != "net/all/rust.0.txt:1" || e.ChannelID != "net/all" || e.GuildID != "net" || e.UserID != "net/lp" ||
		e.GuildName != "net" || e.ChannelName != "all" || e.UserName != "lp" {
		t.Errorf("%+v", e)
	}
	if want := time.Date(2018, 12, 27, 4, 59, 58, 0, time.UTC); !e.Time.Equal(want) {
		t.Errorf("time %v, want %v", e.Time, want)
	}
}

// TestIRCNothingIsLostInOneMinute: two channels and two files that share every minute, and many lines a minute.
func TestIRCNothingIsLostInOneMinute(t *testing.T) {
	var text strings.Builder
	const n = 2500
	for i := range n {
		fmt.Fprintf(&text, "[12:00] <ada> same words %d\n", i%2)
	}
	dir := write(t, map[string]string{
		"a/2005-01-01.txt": text.String(), "a/2005-01-01_2.txt": text.String(), "b/2005-01-01.txt": text.String(),
		"seconds.txt": strings.ReplaceAll(text.String(), "[12:00]", "c 2005-01-01 [12:00:00]"),
	})
	l, _ := irc(t, importer.IRCOptions{}, dir)
	b := l.events(t)
	type key struct {
		id   int64
		hash uint64
	}
	events, messages, last := map[key]bool{}, map[key]bool{}, map[string]int64{}
	for i := range b.Len() {
		events[key{b.EventID[i], b.EventHash[i]}] = true
		messages[key{b.MessageID[i], b.MessageHash[i]}] = true
		e := b.Event(i)
		file, _, _ := strings.Cut(e.EventID, ":")
		if before, seen := last[file]; seen && (b.MessageID[i] <= before || b.Time[i]/1000 <= schemas.DiscordEpoch.Millis(before)) {
			t.Fatalf("%s does not come after the line before it", e.EventID)
		}
		last[file] = b.MessageID[i]
	}
	if len(events) != 4*n || len(messages) != 4*n || len(last) != 4 {
		t.Fatalf("%d events, %d messages, %d files", len(events), len(messages), len(last))
	}
}

func TestIRCTimesNeverGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		clocks string
		want   string
	}{
		"midnight":                 {"23:58 23:59 00:00 13:00", "01T23:58 01T23:59 02T00:00 02T13:00"},
		"two midnights":            {"23:00 01:00 23:30 00:10", "01T23:00 02T01:00 02T23:30 03T00:10"},
		"twelve-hour clock":        {"12:59 01:00 12:01 01:00", "01T12:59 01T13:00 02T00:01 02T01:00"},
		"clock set back":           {"13:10 13:05 13:10 13:11", "01T13:10 01T13:10 01T13:10 01T13:11"},
		"59 minutes back":          {"14:59 14:00 15:00", "01T14:59 01T14:59 01T15:00"},
		"an hour back is midnight": {"15:00 14:00", "01T15:00 02T14:00"},
	} {
		var text strings.Builder
		for _, clock := range strings.Fields(c.clocks) {
			fmt.Fprintf(&text, "[%s] <ada> x\n", clock)
		}
		l, _ := irc(t, importer.IRCOptions{}, write(t, map[string]string{"c/2005-01-01.txt": text.String()}))
		var got []string
		b := l.events(t)
		for i := range b.Len() {
			got = append(got, time.UnixMicro(b.Time[i]).UTC().Format("02T15:04"))
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: %s became %s, want %s", name, c.clocks, g, c.want)
		}
	}
}

func TestIRCIDsDoNotDependOnThePathGiven(t *testing.T) {
	dir := write(t, map[string]string{"go/2005-01-01.txt": "[12:00] <ada> x\n", "go/2005-01-02.txt": "[12:00] <ada> y\n"})
	want, _ := irc(t, importer.IRCOptions{}, dir)
	link := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Symlink(filepath.Join(dir, "go"), link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "go"))
	for _, paths := range [][]string{{"."}, {"2005-01-01.txt", "2005-01-02.txt"}, {"../go", "./2005-01-01.txt"}, {link}, {link + "/"}} {
		got, res := irc(t, importer.IRCOptions{}, paths...)
		if res.Files != 2 || !slices.EqualFunc(got.values, want.values, bytes.Equal) {
			t.Errorf("%v: %s", paths, bytes.Join(got.values, []byte("\n")))
		}
	}
}

func TestIRCSaysWhatItCannotImportBeforeItPublishes(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"is a message without a date": {"a/2005-01-01.txt": "[12:00] <ada> x\n", "b/chat.txt": "[12:00] <ada> x\n"},
		"the same ids":                {"1/go.txt": "go 2005-01-01 [12:00] <ada> x\n", "2/go.txt": "go 2005-01-01 [12:00] <ada> x\n"},
	} {
		var l list
		_, err := importer.IRC(t.Context(), &l, []string{write(t, files)}, importer.IRCOptions{Options: quiet})
		if !errors.Is(err, importer.ErrUsage) || !strings.Contains(err.Error(), want) || len(l.values) > 0 {
			t.Errorf("%d records, error %v", len(l.values), err)
		}
	}
}

func TestIRCStopsWhereItSays(t *testing.T) {
	full := errors.New("the disk is full")
	l := list{stop: func(n int) error {
		if n == 3 {
			return full
		}
		return nil
	}}
	res, err := importer.IRC(t.Context(), &l, []string{"testdata/irc/ubuntu"}, importer.IRCOptions{Options: quiet})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "2004-12-31_03.txt:7") || res.Published != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestIRCKeepsALineOfAnyEncoding(t *testing.T) {
	all := make([]byte, 0, 256)
	for i := 0x21; i < 256; i++ {
		all = append(all, byte(i))
	}
	l, _ := irc(t, importer.IRCOptions{}, write(t, map[string]string{"c/2005-01-01.txt": "[12:00] <ada> " + string(all) + "\n"}))
	if n := len([]rune(l.events(t).Event(0).Content)); n != len(all) {
		t.Errorf("%d of %d characters", n, len(all))
	}
}

func TestIRCCountsALineThatNoRecordCanHold(t *testing.T) {
	long := "[12:00] <ada> " + strings.Repeat("x", 9<<20) + "\n[12:01] <ada> short\n"
	l, res := irc(t, importer.IRCOptions{}, write(t, map[string]string{"c/2005-01-01.txt": long}))
	if len(l.values) != 1 || res.Skipped["too_large"] != 1 || res.Lines != 2 {
		t.Fatalf("%d records, %+v", len(l.values), res)
	}
}

func FuzzIRC(f *testing.F) {
	for _, name := range []string{"ubuntu/2004-12-31_03.txt", "misc/#go.log", "misc/irc.example.c.weechatlog", "misc/rust.0.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata/irc", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "2005-01-01.txt")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var l list
		res, err := importer.IRC(t.Context(), &l, []string{path}, importer.IRCOptions{Options: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if res.Lines != res.Published+sum(res.Skipped) {
			t.Fatalf("lines are missing: %+v", res)
		}
	})
}

// TestIRCCountsAsGrepDoes compares with a script that shares nothing with the importer.
func TestIRCCountsAsGrepDoes(t *testing.T) {
	paths := []string{"testdata/irc/ubuntu", "testdata/irc/twelve", "testdata/irc/misc/rust.0.txt", "testdata/irc/misc/energy_20050312.log"}
	out, err := exec.CommandContext(t.Context(), "testdata/count-irc.sh", paths...).Output()
	if err != nil {
		t.Fatal(err)
	}
	l, _ := irc(t, importer.IRCOptions{}, paths...)
	if got := fmt.Sprintln(len(l.values)); got != string(out) {
		t.Errorf("%s messages, grep counts %s", got, out)
	}
}
