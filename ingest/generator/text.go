package generator

import (
	"embed"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed words/*.txt
var wordFiles embed.FS

// language is a list of words, the commonest first.
type language struct {
	words  []string
	common zipf
	space  string // between words
}

// languageNames has English first: most channels speak it.
var languageNames = []string{"en", "de", "fr", "es", "pt", "ru", "ja", "zh", "ar"}

// unspaced are the languages that put no space between words.
var unspaced = map[string]bool{"ja": true, "zh": true}

func newLanguages() ([]language, error) {
	all := make([]language, len(languageNames))
	for i, name := range languageNames {
		text, err := wordFiles.ReadFile("words/" + name + ".txt")
		if err != nil {
			return nil, err
		}
		l := language{words: strings.Fields(string(text)), space: " "}
		l.common = newZipf(len(l.words), 0.9, 2.7)
		if unspaced[name] {
			l.space = ""
		}
		all[i] = l
	}
	return all, nil
}

var (
	emoji   = strings.Fields("😀 😂 🤣 😊 😍 🙏 👍 👎 🎉 🔥 ❤️ 💯 🤔 😭 😅 👀 🚀 ✅ ❌ 🐛 ☕ 🌧️ 👩‍💻 🏳️‍🌈 🇧🇷 🇯🇵 🤷‍♀️ 🥳 😴 🙈")
	closing = []string{"", "", "", "", ".", ".", "!", "?", "?", "...", " lol", " :)", " :("}
	code    = []string{
		"`go test ./...`", "`SELECT count() FROM messages`", "`git rebase -i HEAD~3`", "`docker compose up -d`", "`x := make([]byte, 0, 64)`",
		"```go\nif err != nil {\n\treturn fmt.Errorf(\"read %s: %w\", name, err)\n}\n```",
		"```py\nfor row in table.scan():\n    print(row[\"content\"])\n```",
		"```\npanic: runtime error: index out of range [3] with length 3\n```", "`{\"a\": [1, 2, {\"b\": null}]}`", "`C:\\Users\\ada\\notes.txt`",
	}
	sites = []string{
		"https://example.com/", "https://docs.example.org/guide/", "https://github.example/issues/", "https://video.example.net/watch?v=",
		"http://wiki.example.org/", "https://cdn.example.com/img/",
	}
)

// writer makes up what people write.
type writer struct {
	rng       *rand.Rand
	languages []language
	users     []user
}

// append adds one message in a language.
func (w *writer) append(dst []byte, lang int) []byte {
	begin := len(dst)
	switch k := w.rng.IntN(1000); {
	case k < 15:
		dst = w.private(dst)
		return dst
	case k < 40:
		return append(dst, pick(w.rng, emoji)...)
	case k < 110:
		dst = append(w.mention(dst), ' ')
	}
	dst = w.words(dst, lang, w.length())
	switch k := w.rng.IntN(100); {
	case k < 7:
		dst = append(append(dst, ' '), pick(w.rng, emoji)...)
	case k < 11:
		dst = w.link(append(dst, ' '))
	case k < 14:
		dst = append(append(dst, ' '), pick(w.rng, code)...)
	default:
		dst = append(dst, pick(w.rng, closing)...)
	}
	if w.rng.IntN(3) == 0 {
		capitalise(dst[begin:])
	}
	return dst
}

// length is the number of words: mostly a few, now and then a wall of text.
func (w *writer) length() int {
	switch k := w.rng.IntN(100); {
	case k < 30:
		return 1 + w.rng.IntN(4)
	case k < 80:
		return 3 + w.rng.IntN(8)
	case k < 99:
		return 7 + w.rng.IntN(10)
	default:
		return 25 + w.rng.IntN(50)
	}
}

func (w *writer) words(dst []byte, lang, n int) []byte {
	l := &w.languages[lang]
	for i := range n {
		if i > 0 {
			if i%9 == 8 {
				dst = append(dst, ',')
			}
			dst = append(dst, l.space...)
		}
		dst = append(dst, l.words[l.common.draw(w.rng)]...)
	}
	return dst
}

func (w *writer) mention(dst []byte) []byte {
	return append(dst, w.users[w.rng.IntN(len(w.users))].at...)
}

func (w *writer) link(dst []byte) []byte {
	dst = append(dst, pick(w.rng, sites)...)
	return strconv.AppendUint(dst, w.rng.Uint64()>>20, 36)
}

// capitalise makes a first letter of ASCII a capital, unless it begins a mention or the like.
func capitalise(text []byte) {
	if len(text) > 0 && text[0] < utf8.RuneSelf && text[0] >= 'a' && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
}
