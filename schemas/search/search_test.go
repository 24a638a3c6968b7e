package search_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coldstream/coldstream/schemas/search"
)

// found says whether a text is found by what a person typed, as the index and the views decide it.
func found(text, typed string) bool {
	indexed := string(search.AppendIndexed(nil, []byte(text)))
	words := strings.Split(indexed, " ")
	q := search.Parse(typed)
	for _, t := range q.Tokens {
		if !slices.Contains(words, t) {
			return false
		}
	}
	for _, p := range q.Phrases {
		if !strings.Contains(indexed, p) {
			return false
		}
	}
	return !q.Empty()
}

// Texts are the first article of the Universal Declaration of Human Rights and sentences of everyday chat.
var texts = []struct {
	script, text string
	yes, no      []string
}{
	{
		"Latin, English", "All human beings are born FREE and equal in dignity and rights.",
		[]string{"human", "HUMAN beings", `"born free"`, "rights", "free, equal", "Human-beings"},
		[]string{"hum", `"free born"`, "humans", `"dignity rights"`, ""},
	},
	{
		"Latin, German", "Alle Menschen sind frei und gleich an Würde — die Straße heißt Ännchenweg.",
		[]string{"wurde", "WÜRDE", "würde", "strasse", "STRASSE", "straße", "annchenweg", `"die strasse"`},
		[]string{"wuerde", "heist"},
	},
	{
		"Latin, French", "Tous les êtres humains naissent libres ; l’œuvre du garçon à Noël",
		[]string{"etres", "ÊTRES humains", "oeuvre", "œuvre", "garcon", "noel", `"a noel"`, "l'œuvre"},
		[]string{"gar", "noël tous noe"},
	},
	{"Latin, Turkish", "İstanbul'da ISPARTA ve ılık su", []string{"istanbul", "ISTANBUL", "isparta", "ILIK", "ılık", "ilik"}, []string{"ispart"}},
	{"Latin, Vietnamese", "Tất cả mọi người sinh ra đều được tự do", []string{"tat ca", "TẤT", "deu", "được", "duoc", `"tu do"`}, []string{"tatca"}},
	{"Latin, Polish", "Wszyscy ludzie rodzą się wolni, a Łódź jest piękna", []string{"lodz", "łódź", "ŁÓDŹ", "piekna", "rodza"}, []string{"lod"}},
	{"Cyrillic, Russian", "Все люди рождаются свободными, и ещё чёрный йод", []string{"все люди", "ЕЩЕ", "ещё", "черный", "йод", "ЙОД"}, []string{"иод", "люд"}},
	{"Cyrillic, Ukrainian", "Всі люди народжуються вільними; її їжа", []string{"всі", "ЇЖА", "її", "вільними"}, []string{"іжа", "іі"}},
	{"Greek", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι. Ο κόσμος", []string{"ολοι", "ΑΝΘΡΩΠΟΙ", "άνθρωποι", "ΚΟΣΜΟΣ", "κοσμοσ"}, []string{"κοσμο"}},
	{"Hebrew", "כָּל בְּנֵי הָאָדָם נוֹלְדוּ בְּנֵי חוֹרִין", []string{"כל בני", "האדם", `"בני חורין"`}, []string{"אדם"}},
	{"Arabic", "يُولَدُ جَمِيعُ النَّاسِ أَحْرَارًا ومُتَسَاوِين، مــرحبا", []string{"يولد", "جميع الناس", "احرارا", "أحرارا", "مرحبا"}, []string{"ناس"}},
	{"Devanagari", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता", []string{"सभी", "अधिकारों", `"जन्मजात स्वतन्त्रता"`}, []string{"अधकर", "मनुष्य"}},
	{"Tamil", "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்", []string{"சகலரும்", "மனிதப்"}, []string{"சகல"}},
	{"Han, Chinese", "人人生而自由，在尊严和权利上一律平等。", []string{"自由", "尊严", "人", "权利上一律", "人人生而自由", "生而 平等"}, []string{"由自", "等平", "自由尊严", "律利"}},
	{"Kana, Japanese", "すべての人間は、生まれながらにして自由であり、ﾃｽﾄとコーヒー", []string{"人間", "自由", "すべて", "テスト", "ｺｰﾋｰ", "コーヒー", "生まれ"}, []string{"間人", "てすと", "へすて"}},
	{"Hangul, Korean", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다", []string{"인간", "자유", "존엄", "모든 인간은", `"그 존엄과"`}, []string{"간인", "엄존"}},
	{"Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน", []string{"มนุษย์", "อิสระ", "เสมอภาค"}, []string{"สระอิ"}},
	{"Khmer", "មនុស្សទាំងអស់កើតមកមានសេរីភាព", []string{"មនុស្ស", "សេរីភាព"}, []string{"ភាពសេរី"}},
	{"Georgian", "ყველა ადამიანი იბადება თავისუფალი", []string{"ადამიანი", "ᲐᲓᲐᲛᲘᲐᲜᲘ"}, []string{"ადამ"}},
	{"Armenian", "Բոլոր մարդիկ ծնվում են ազատ", []string{"ԲՈԼՈՐ", "մարդիկ"}, []string{"մարդ"}},
	{"mixed", "東京TowerでC++とRust2の話 🎉👍🏽 see https://example.com/a_b?x=1", []string{"東京", "tower", "TOWER", "rust2", "🎉", "👍", "example.com", "a_b", "c++"}, []string{"東京t", "example.org", "🎈"}},
	{"full width", "ＨＥＬＬＯ　Ｗｏｒｌｄ１２３ ﬁne Ⅳ ①", []string{"hello", "world123", "fine", "iv", "1"}, []string{"world"}},
}

func TestWhatAPersonExpects(t *testing.T) {
	for _, c := range texts {
		for _, typed := range c.yes {
			if typed != "" && !found(c.text, typed) {
				t.Errorf("%s: %q is not found in %q (%q)", c.script, typed, c.text, search.Append(nil, []byte(c.text)))
			}
		}
		for _, typed := range c.no {
			if found(c.text, typed) {
				t.Errorf("%s: %q is found in %q", c.script, typed, c.text)
			}
		}
	}
}

func TestNormalForms(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		" ,.! ":                    "",
		"One, two":                 " one two ",
		"東京都":                      " 東 東京 京 京都 都 ",
		"a東b":                      " a 東 b ",
		"\xff\xfebad \xc3":         " bad ",
		"x\u00adyz":                " xyz ",
		"می\u200cخواهم":            " میخواهم ",
		"e\u0301te":                " ete ",
		strings.Repeat("w", 1000):  " " + strings.Repeat("w", 64) + " ",
		strings.Repeat("é", 1000):  " " + strings.Repeat("e", 64) + " ",
		"👨\u200d👩\u200d👧":          " 👨 👩 👧 ",
		"https://x.org is a link":  " https x org is a link ",
		"[REDACTED:email] of mine": " redacted email of mine ",
	} {
		if got := string(search.Append([]byte("kept"), []byte(text))); got != "kept"+want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	for text, want := range map[string]bool{
		"see https://example.org": true, "HTTP://X": true, "ftp://x": false, "http://": false, "https:// x": false, "has:link": false, "a://b http://c": true, "": false,
	} {
		if got := search.HasLink([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
		if got := strings.Contains(string(search.AppendIndexed(nil, []byte(text))), " has:link "); got != want {
			t.Errorf("%q: indexed %q", text, search.AppendIndexed(nil, []byte(text)))
		}
	}
}

func TestQueries(t *testing.T) {
	for typed, want := range map[string]search.Query{
		"":               {},
		"!?":             {},
		"One two one":    {Tokens: []string{"one", "two"}},
		`say "born free`: {Tokens: []string{"say", "born", "free"}},
		`“born free” x`:  {Tokens: []string{"born", "free", "x"}, Phrases: []string{" born free "}},
		"a.b":            {Tokens: []string{"a", "b"}, Phrases: []string{" a b "}},
		"東京都 猫":          {Tokens: []string{"東京", "京都", "猫"}, Phrases: []string{" 東 東京 京 京都 都 "}},
	} {
		if got := search.Parse(typed); !slices.Equal(got.Tokens, want.Tokens) || !slices.Equal(got.Phrases, want.Phrases) {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

// Whatever the text: the form is UTF-8, begins and ends with a space, has none twice, and is its own normal form.
func FuzzAppend(f *testing.F) {
	for _, c := range texts {
		f.Add(c.text)
	}
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		n := string(search.Append(nil, []byte(text)))
		if n == "" {
			return
		}
		if !utf8.ValidString(n) || n[0] != ' ' || n[len(n)-1] != ' ' || strings.Contains(n, "  ") {
			t.Errorf("%q: %q", text, n)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for name, text := range map[string]string{"ascii": texts[0].text, "german": texts[1].text, "russian": texts[6].text, "hebrew": texts[9].text, "chinese": texts[13].text, "thai": texts[16].text} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var dst []byte
			src := []byte(text)
			for b.Loop() {
				dst = search.Append(dst[:0], src)
			}
		})
	}
}
