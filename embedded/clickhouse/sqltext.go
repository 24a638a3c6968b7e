package clickhouse

import "strings"

// token is one word, literal or sign of a statement; comments and white space are none.
type token struct {
	text       string // as written
	start, end int    // byte offsets
	depth      int    // of brackets around it
	kind       byte   // 'w' word, 's' string, 'q' quoted identifier, 'o' anything else
}

// name is a word or a quoted name without its quotes, in lower case.
func (t token) name() string {
	if t.kind == 'q' && len(t.text) >= 2 {
		return strings.ToLower(t.text[1 : len(t.text)-1])
	}
	return strings.ToLower(t.text)
}

func (t token) is(word string) bool { return t.kind == 'w' && strings.EqualFold(t.text, word) }

// lexer cuts SQL into tokens as ClickHouse's own does, as far as the front must know: what is text and what is not.
type lexer struct {
	sql   string
	pos   int
	depth int
}

// next returns the following token; ok is false at the end.
func (l *lexer) next() (t token, ok bool) {
	for l.pos < len(l.sql) {
		start := l.pos
		kind := l.scan()
		if kind == ' ' {
			continue
		}
		t = token{text: l.sql[start:l.pos], start: start, end: l.pos, depth: l.depth, kind: kind}
		switch t.text {
		case "(", "[", "{":
			l.depth++
		case ")", "]", "}":
			l.depth--
			t.depth = l.depth
		}
		return t, true
	}
	return token{}, false
}

// scan steps over one token and returns its kind, ' ' for what is none. Bytes beyond ASCII count as white space, which
// can only make the front see more words beside each other than the engine does.
func (l *lexer) scan() byte {
	c, rest := l.sql[l.pos], l.sql[l.pos:]
	switch {
	case c == '\'' || c == '"' || c == '`':
		l.quoted(c)
		if c == '\'' {
			return 's'
		}
		return 'q'
	case strings.HasPrefix(rest, "--") || c == '#' && (strings.HasPrefix(rest, "# ") || strings.HasPrefix(rest, "#!")):
		l.skipPast("\n")
		return ' '
	case strings.HasPrefix(rest, "/*"):
		l.pos += 2
		l.skipPast("*/")
		return ' '
	case c == '$' && l.heredoc():
		return 's'
	case isWord(c):
		for l.pos < len(l.sql) && isWord(l.sql[l.pos]) {
			l.pos++
		}
		return 'w'
	}
	l.pos++
	if c <= ' ' || c >= 0x7f {
		return ' '
	}
	return 'o'
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) quoted(quote byte) {
	for l.pos++; l.pos < len(l.sql); l.pos++ {
		switch l.sql[l.pos] {
		case '\\':
			l.pos++
		case quote:
			if l.pos+1 < len(l.sql) && l.sql[l.pos+1] == quote {
				l.pos++
				continue
			}
			l.pos++
			return
		}
	}
	l.pos = len(l.sql)
}

func (l *lexer) skipPast(end string) {
	if i := strings.Index(l.sql[l.pos:], end); i >= 0 {
		l.pos += i + len(end)
	} else {
		l.pos = len(l.sql)
	}
}

// heredoc steps over $tag$…$tag$ if one begins here.
func (l *lexer) heredoc() bool {
	tagLen := 1
	for l.pos+tagLen < len(l.sql) && l.sql[l.pos+tagLen] != '$' && isWord(l.sql[l.pos+tagLen]) {
		tagLen++
	}
	if l.pos+tagLen >= len(l.sql) || l.sql[l.pos+tagLen] != '$' {
		return false
	}
	tag := l.sql[l.pos : l.pos+tagLen+1]
	close := strings.Index(l.sql[l.pos+len(tag):], tag)
	if close < 0 {
		return false
	}
	l.pos += 2*len(tag) + close
	return true
}

// statement is what the front must know about one SQL text.
type statement struct {
	verb   string // the first word, in capitals
	format string // of FORMAT, "" if there is none
	sql    string // without the trailing ";"
	tokens []token

	// An INSERT whose rows follow the statement: sql ends before FORMAT or VALUES, and the rows begin at data.
	insert bool
	data   int
}

// parseStatement reads the statement at the beginning of text. An INSERT's rows may follow it in text.
func parseStatement(text string) (statement, error) {
	s := statement{sql: text, data: len(text)}
	var tokens []token
	for l := (&lexer{sql: text}); ; {
		t, ok := l.next()
		if !ok {
			break
		}
		if len(tokens) == 0 && t.text == ";" {
			continue
		}
		tokens = append(tokens, t)
		if tokens[0].is("INSERT") && t.depth == 0 {
			if done := s.insertEnds(tokens, l); done {
				s.tokens = tokens
				return s, nil
			}
		}
	}
	if len(tokens) == 0 {
		return s, exception(codeSyntaxError, "Empty query", "SYNTAX_ERROR")
	}
	s.verb = strings.ToUpper(firstWord(tokens))
	for i, t := range tokens {
		if t.kind != 'o' || t.text != ";" {
			continue
		}
		for _, after := range tokens[i:] {
			if after.text != ";" {
				return s, exception(codeSyntaxError, "Syntax error (Multi-statements are not allowed)", "SYNTAX_ERROR")
			}
		}
		s.sql, tokens = text[:t.start], tokens[:i]
		break
	}
	s.format = formatClause(tokens)
	s.insert = tokens[0].is("INSERT") && !hasSelect(tokens)
	s.tokens = tokens
	return s, nil
}

// formatClause is the format that the last FORMAT names, "" without one.
func formatClause(tokens []token) string {
	for i := len(tokens) - 2; i > 0; i-- {
		if tokens[i].is("FORMAT") && tokens[i].depth == 0 && tokens[i+1].kind == 'w' {
			return tokens[i+1].text
		}
	}
	return ""
}

// insertEnds says whether an INSERT's rows begin after the last token, and sets the statement accordingly.
func (s *statement) insertEnds(tokens []token, l *lexer) bool {
	last, before := tokens[len(tokens)-1], token{}
	if len(tokens) > 1 {
		before = tokens[len(tokens)-2]
	}
	switch {
	case hasSelect(tokens):
		return false
	case before.is("FORMAT") && last.kind == 'w' && len(tokens) > 3 && !names(tokens[len(tokens)-3]):
		s.verb, s.insert, s.format, s.data = "INSERT", true, last.text, last.end
		settings := s.settingsAfter(l)
		s.sql = s.sql[:before.start] + settings
		s.data = skipLineEnd(l.sql, s.data)
		return true
	case last.is("VALUES") && len(tokens) > 2 && !names(before):
		s.verb, s.insert, s.format, s.sql, s.data = "INSERT", true, "Values", s.sql[:last.start], last.end
		return true
	}
	return false
}

// names says whether a table's name follows the token.
func names(t token) bool { return t.is("INTO") || t.is("TABLE") || t.text == "." }

// settingsAfter reads SETTINGS a = 1, … between FORMAT's name and the rows.
func (s *statement) settingsAfter(l *lexer) string {
	ahead := *l
	t, ok := ahead.next()
	if !ok || !t.is("SETTINGS") {
		return ""
	}
	var end int
	for {
		name, _ := ahead.next()
		eq, _ := ahead.next()
		value, ok := ahead.next()
		if !ok || name.kind != 'w' || eq.text != "=" {
			return ""
		}
		if value.text == "-" {
			value, _ = ahead.next()
		}
		end = value.end
		back := ahead
		comma, _ := ahead.next()
		if comma.text != "," {
			ahead = back
			break
		}
	}
	s.data = end
	return " " + l.sql[t.start:end]
}

// skipLineEnd steps over blanks and one line end, as ClickHouse does before an INSERT's rows.
func skipLineEnd(text string, pos int) int {
	for pos < len(text) && (text[pos] == ' ' || text[pos] == '\t' || text[pos] == '\f') {
		pos++
	}
	if pos < len(text) && text[pos] == '\r' {
		pos++
	}
	if pos < len(text) && text[pos] == '\n' {
		pos++
	}
	return pos
}

func hasSelect(tokens []token) bool {
	for i, t := range tokens {
		if t.depth == 0 && i > 2 && (t.is("SELECT") || t.is("WITH") || t.is("WATCH")) {
			return true
		}
		// INSERT INTO t (SELECT …)
		if t.depth == 1 && i > 2 && tokens[i-1].text == "(" && (t.is("SELECT") || t.is("WITH")) {
			return true
		}
	}
	return false
}

func firstWord(tokens []token) string {
	for _, t := range tokens {
		if t.text != "(" {
			return t.text
		}
	}
	return ""
}
