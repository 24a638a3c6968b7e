package redact

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/config"
)

// policyFile writes a policy beside a file with a key.
func policyFile(t *testing.T, doc string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"p.yaml": doc, "key": string(testKey.Secret) + "\n", "short": "too short"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "p.yaml")
}

func noEnv(string) (string, bool) { return "", false }

const fullPolicy = `version: 3
default: mask
types: {email: hash, phone: off, ip: keep, ssn: drop, mac: redact}
key: {id: k1, file: key}
allow:
  domains: [example.org, "*.corp.example"]
  networks: [10.0.0.0/8, "2001:db8::1"]
  literals: [user:secret]
detectors:
  - {name: project, literals: [bluebird], action: drop}
  - name: badge
    pattern: 'badge #?(\d{4,6})'
    requires: badge
`

func TestLoadPolicy(t *testing.T) {
	p, err := LoadPolicy(policyFile(t, fullPolicy), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	e := engineWith(t, p)
	const text = "bob@example.com ann@example.org 4111 1111 1111 1111 10.0.0.9 203.0.113.9 call +1 212 555 0123 badge 12345"
	const want = "[email:k1:6okpm22szqbc64gkx6ivevmhhi] ann@example.org [credit_card:****1111] 10.0.0.9 203.0.113.9 call +1 212 555 0123 badge [REDACTED:badge]"
	if got := redacted(e, text); got != want || e.Version() != 3 {
		t.Errorf("version %d\n got %q\nwant %q", e.Version(), got, want)
	}
	if e.Drops(e.Find(nil, []byte(text))) || !e.Drops(e.Find(nil, []byte("Bluebird!"))) || !e.Drops(e.Find(nil, []byte("ssn 078-05-1121"))) {
		t.Error("what is dropped is not what the policy says")
	}
}

func TestKeyFromTheEnvironment(t *testing.T) {
	file := policyFile(t, "version: 1\ntypes: {email: hash}\nkey: {id: k1, env: THE_KEY}\n")
	p, err := LoadPolicy(file, func(name string) (string, bool) { return string(testKey.Secret), name == "THE_KEY" })
	if err != nil || string(p.Key.Secret) != string(testKey.Secret) {
		t.Fatalf("%+v, %v", p.Key, err)
	}
}

func TestEveryMistakeOfAPolicyIsReported(t *testing.T) {
	for doc, wants := range map[string][]string{
		"": {"p.yaml:1: version: is missing"},
		"version: 0\ntypes:\n  emial: off\n  ip: masc\n  ip: off\nallow: [x]\ndetectors:\n  - name: Own\n    literals: [abc]\n  - {name: own, pattern: '(', requires: abc}\nextra: 1\n": {
			`p.yaml:1: version: "0"`, "p.yaml:3: types.emial: unknown key; did you mean email?", `p.yaml:4: types.ip: "masc" is no action`, "did you mean mask?",
			"p.yaml:5: types.ip: stands twice", "p.yaml:6: allow: a mapping", "p.yaml:8: detectors: detector \"Own\": a name is", "p.yaml:10: detectors:", "p.yaml:11: extra: unknown key",
		},
		"version: 1\ntypes: {ip: hash}\n":                                           {"p.yaml:2: key: is missing"},
		"version: 1\nkey: {id: k1, file: short}\n":                                  {"p.yaml:2: key: key k1 has 9 bytes and needs at least 32"},
		"version: 1\nkey: {id: k1, file: gone}\n":                                   {"p.yaml:2: key: the file that should hold the key"},
		"version: 1\nkey: {id: k1, env: GONE}\n":                                    {"p.yaml:2: key: the variable GONE"},
		"version: 1\nkey: {id: k1}\n":                                               {"p.yaml:2: key: either file, env, command or kms"},
		"version: \"1\"\ndefault: [x]\n":                                            {"p.yaml:1: version:", "p.yaml:2: default:"},
		"version: 1\nallow:\n  networks: [10.0.0.0/40]\n  domains: [\"a@b\", {}]\n": {"p.yaml:3: allow.networks: \"10.0.0.0/40\"", "p.yaml:4: allow.domains: \"a@b\"", "p.yaml:4: allow.domains: a text"},
		"version: 1\ndetectors:\n  - {name: own, literals: [abc], action: off}\n":   {`p.yaml:3: detectors.action: "off" is no action`},
		"version: 1\ndetectors: {name: own}\n":                                      {"p.yaml:2: detectors: a list"},
		"- version\n":                                                               {"p.yaml:1: policy: a mapping"},
		"version: 1\n\tx: 2\n":                                                      {"p.yaml:2: yaml:"},
		"version: 1\ndetectors:\n  - {name: a, literals: [x y]}\n  - {name: a, literals: [y z]}\n": {"p.yaml:4: detectors: detector \"a\": the name is taken"},
	} {
		_, err := LoadPolicy(policyFile(t, doc), noEnv)
		var ps config.Problems
		if !errors.As(err, &ps) || len(ps) < len(wants)-1 {
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

func TestPolicyFileThatIsNotThere(t *testing.T) {
	if _, err := LoadPolicy(filepath.Join(t.TempDir(), "none.yaml"), noEnv); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzLoadPolicy holds that any document gives a policy that New takes, or problems with lines.
func FuzzLoadPolicy(f *testing.F) {
	f.Add(fullPolicy)
	f.Add("version: 1\ntypes: {email: off}\n")
	f.Add("version: 2\ndefault: off\ndetectors:\n- {name: x, pattern: 'ab+', requires: ab}\n")
	file := filepath.Join(f.TempDir(), "p.yaml")
	f.Fuzz(func(t *testing.T, doc string) {
		if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := LoadPolicy(file, func(string) (string, bool) { return string(testKey.Secret), true })
		var ps config.Problems
		switch {
		case err == nil:
			checkPolicy(t, engineWith(t, p), []byte("bob@example.com and 203.0.113.9"))
		case !errors.As(err, &ps) || len(ps) == 0 || ps[0].Line < 1:
			t.Fatalf("%q: %v", doc, err)
		}
	})
}
