package redact

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/config"
)

const wholeFile = `version: 4
types: {email: hash, ip: off}
users: pseudonym
fields: {user_name: hash, $.note: scan, "$.who[*].mail": mask}
keys:
  - {id: k1, file: key}
  - {id: k2, env: KEY_2, from: 2027-01-01T00:00:00Z}
  - {id: k3, kms: "vault:cold", from: 2028-01-01T00:00:00Z}
  - {id: k4, command: [print, it], from: 2029-01-01T00:00:00Z}
allow: {domains: [example.org]}
overrides:
  - channels: [irc/secret, "77"]
    default: drop
    types: {phone: off}
  - guilds: ["41771983423143937"]
    types: {ip: redact}
    allow: {domains: [example.net]}
    detectors:
      - {name: own, literals: [bluebird]}
`

func loadWith(t *testing.T, doc string) (*File, error) {
	t.Helper()
	secret := []byte(strings.Repeat("s", 32))
	return LoadFile(policyFile(t, doc), LoadOptions{
		Lookup: func(name string) (string, bool) { return string(secret), name == "KEY_2" },
		Secret: func(ref string) ([]byte, error) {
			if ref != "vault:cold" {
				return nil, errors.New("unknown")
			}
			return secret, nil
		},
		Command: func(_ string, args []string) ([]byte, error) {
			if strings.Join(args, " ") != "print it" {
				return nil, errors.New("exit status 1")
			}
			return append(secret, '\n'), nil
		},
	})
}

func TestLoadFile(t *testing.T) {
	f, err := loadWith(t, wholeFile)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Users || len(f.Keys) != 4 || f.Keys[1].From != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) || f.Key.ID != "k1" || len(f.Keys[3].Secret) != 32 {
		t.Errorf("keys %+v, users %v", f.Keys, f.Users)
	}
	if len(f.Fields) != 3 || f.Fields[0].Action != Hash || !f.Fields[1].Scan || f.Fields[2].Name != "$.who[*].mail" {
		t.Errorf("fields %+v", f.Fields)
	}
	if len(f.Overrides) != 2 {
		t.Fatalf("%d overrides", len(f.Overrides))
	}
	secret, guild := engineWith(t, f.Overrides[0].Policy), engineWith(t, f.Overrides[1].Policy)
	const text = "bob@example.com ann@example.org cat@example.net from 203.0.113.9, Bluebird"
	if !secret.Drops(secret.Find(nil, []byte(text))) || secret.Drops(secret.Find(nil, []byte("call +1 212 555 0123"))) || secret.Version() != 4 {
		t.Error("the channels' override is not what it says")
	}
	const want = "[email:k1:6okpm22szqbc64gkx6ivevmhhi] ann@example.org cat@example.net from [REDACTED:ip], [REDACTED:own]"
	if got := redacted(guild, text); got != want {
		t.Errorf("got %q", got)
	}
	base := engineWith(t, f.Policy)
	if got := redacted(base, "cat@example.net from 203.0.113.9, Bluebird"); !strings.HasSuffix(got, " from 203.0.113.9, Bluebird") || strings.HasPrefix(got, "cat@") {
		t.Errorf("an override changed the file's policy: %q", got)
	}
}

func TestEveryMistakeOfAFileIsReported(t *testing.T) {
	for doc, wants := range map[string][]string{
		"version: 1\nusers: pseudonym\n":                                                                    {"p.yaml:2: key: is missing: pseudonyms need a key of at least 32 bytes"},
		"version: 1\nusers: hide\n":                                                                         {`p.yaml:2: users: "hide": keep, or pseudonym`},
		"version: 1\nfields: {user_name: hash}\n":                                                           {"p.yaml:2: key: is missing"},
		"version: 1\nfields: {user_name: off}\n":                                                            {`p.yaml:2: fields: "off" for user_name: scan looks`},
		"version: 1\nfields: [a]\n":                                                                         {"p.yaml:2: fields: a mapping"},
		"version: 1\noverrides:\n  - types: {ip: off}\n":                                                    {"p.yaml:3: overrides: guilds or channels are missing"},
		"version: 1\noverrides:\n  - guilds: [a]\n  - guilds: [a]\n":                                        {"p.yaml:4: overrides.guilds: a stands in two overrides"},
		"version: 1\noverrides:\n  - {guilds: [a], types: {ip: hash}}\n":                                    {"p.yaml:3: key: is missing"},
		"version: 1\nkeys:\n  - {id: k1, file: short}\n":                                                    {"p.yaml:3: keys: key k1 has 9 bytes and needs at least 32"},
		"version: 1\nkeys:\n  - {id: k1, file: key}\n  - {id: k1, file: key}\n":                             {"p.yaml:4: keys: key k1: from is missing"},
		"version: 1\nkeys:\n  - {id: k1, file: key}\n  - {id: k1, file: key, from: 2027-01-01T00:00:00Z}\n": {"p.yaml:4: keys: key k1: the id is taken"},
		"version: 1\nkeys:\n  - {id: k1, file: key, from: 2027-01-01T00:00:00Z}\n":                          {"the first key has none"},
		"version: 1\nkeys:\n  - {id: k1, file: key}\n  - {id: k2, file: key, from: yesterday}\n":            {`p.yaml:4: keys.from: "yesterday"`},
		"version: 1\nkeys:\n  - {id: k1, kms: other}\n":                                                     {"p.yaml:3: keys: the key other: unknown"},
		"version: 1\nkeys:\n  - {id: k1, command: [fails]}\n":                                               {"p.yaml:3: keys: the command fails, which should print the key: exit status 1"},
		"version: 1\nkeys:\n  - {id: k1, file: key, env: X}\n":                                              {"p.yaml:3: keys: either file, env, command or kms"},
		"version: 1\nkey: {id: k1, file: key}\nkeys:\n  - {id: k2, file: key}\n":                            {"keys: stands beside key"},
	} {
		_, err := loadWith(t, doc)
		var ps config.Problems
		if !errors.As(err, &ps) {
			t.Errorf("%q: %v", doc, err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: no %q in\n%v", doc, want, err)
			}
		}
	}
}

func TestWholeValues(t *testing.T) {
	for action, want := range map[Action]string{
		Redact: "[REDACTED:field]", Mask: "[field:****mann]", Keep: "Erika Mustermann", Drop: "[REDACTED:field]",
	} {
		w, err := NewWhole(action, Key{})
		if err != nil {
			t.Fatal(err)
		}
		got, changed := w.Replace(nil, []byte("Erika Mustermann"))
		if string(got) != want || changed != (action != Keep) {
			t.Errorf("%v: %q, %v", action, got, changed)
		}
		if again, changed := w.Replace(nil, got); string(again) != want || changed {
			t.Errorf("%v twice: %q", action, again)
		}
	}
	if _, err := NewWhole(Hash, Key{ID: "k1", Secret: []byte("short")}); err == nil {
		t.Error("a short key is taken")
	}
	w, err := NewWhole(Hash, testKey)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.Replace(nil, []byte("Erika Mustermann"))
	b, _ := w.Replace(nil, []byte("Erika Mustermann"))
	c, _ := w.Replace(nil, []byte("erika mustermann"))
	if string(a) != string(b) || string(a) == string(c) || !strings.HasPrefix(string(a), "[field:k1:") {
		t.Errorf("%s, %s, %s", a, b, c)
	}
	if again, changed := w.Replace(nil, a); string(again) != string(a) || changed {
		t.Errorf("twice: %s", again)
	}
}
