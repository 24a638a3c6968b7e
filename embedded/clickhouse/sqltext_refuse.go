package clickhouse

import "strings"

// wall is what the front refuses by the statement's text, because no grant of the engine stops it: the library takes
// itself for a command-line tool, which may read its user's files and run programs.
type wall struct {
	engines map[string]bool // table and database engines that are refused, in lower case
	lake    string          // what an object store's address must begin with; "" refuses all
}

// Functions that reach files, programs or other hosts without asking for a grant.
var forbiddenFunctions = words("file executable executablepool catboostevaluate")

// Functions and engines that take an object store's address first.
var lakeFunctions = words(`s3 s3cluster iceberg icebergs3 icebergcluster icebergs3cluster deltalake deltalakes3 deltalakecluster
	deltalakes3cluster hudi hudicluster gcs cosn oss s3queue paimon paimons3 paimoncluster paimons3cluster`)

// Settings that name files, or another language, which this reader of statements does not know.
var forbiddenSettings = words("format_template_row format_template_resultset format_schema format_schema_source dialect")

// refuse returns why the statement of these tokens is refused, nil if it is not.
func (w *wall) refuse(tokens []token) error {
	dictionary := false
	for _, t := range tokens {
		dictionary = dictionary || t.is("DICTIONARY")
	}
	for i, t := range tokens {
		if err := w.refuseAt(tokens, i, dictionary); err != nil {
			return err
		}
		if t.kind == 'q' && strings.Contains(t.text, `\`) && i+1 < len(tokens) && (tokens[i+1].text == "(" || tokens[i+1].text == "=") {
			return denied("a name with an escape cannot be checked: " + t.text)
		}
	}
	return nil
}

func (w *wall) refuseAt(tokens []token, i int, dictionary bool) error {
	at := func(j int) token {
		if j < 0 || j >= len(tokens) {
			return token{}
		}
		return tokens[j]
	}
	t, name, calls := at(i), at(i).name(), at(i+1).text == "("
	switch {
	case t.kind != 'w' && t.kind != 'q':
		return nil
	case at(i-1).is("INTO") && name == "outfile", at(i-1).is("FROM") && name == "infile":
		return denied("files are out of reach (" + at(i-1).text + " " + t.text + ")")
	case forbiddenFunctions[name] && !at(i-1).is("INTO") && (calls || applied(at(i-1), at(i-2))):
		return denied("files and programs are out of reach (" + t.text + ")")
	case forbiddenSettings[name] && at(i+1).text == "=":
		return denied("the setting " + t.text + " is out of reach")
	case name == "disk" && calls && at(i-1).text == "=":
		return denied("disks of one's own are out of reach")
	case w.engines[name] && (at(i-1).is("ENGINE") || at(i-1).text == "=" && at(i-2).is("ENGINE")):
		return denied("the engine " + t.text + " is out of reach")
	case name == "function" && at(i-1).is("INTO") && at(i+1).name() != "null":
		return denied("INSERT INTO FUNCTION is out of reach")
	case lakeFunctions[name] && calls && !w.inLake(at(i+2)):
		return denied(t.text + " must begin with the address of the configured object store and bucket, as one plain literal")
	case dictionary && name == "source" && calls:
		return refuseSource(tokens[i+2:])
	}
	return nil
}

// applied says whether a name after these two is a function in SELECT … APPLY name or APPLY(name).
func applied(before, beforeThat token) bool {
	return before.is("APPLY") || before.text == "(" && beforeThat.is("APPLY")
}

func (w *wall) inLake(t token) bool {
	return w.lake != "" && t.kind == 's' && !strings.Contains(t.text, `\`) && strings.HasPrefix(t.text, "'"+w.lake) && !strings.Contains(t.text, "..")
}

// refuseSource looks at what follows SOURCE( of a dictionary: it may be filled from a table of this engine only.
func refuseSource(tokens []token) error {
	if len(tokens) == 0 || !(tokens[0].is("CLICKHOUSE") || tokens[0].is("NULL")) {
		return denied("a dictionary's source must be CLICKHOUSE or NULL")
	}
	for _, t := range tokens {
		switch t.name() {
		case "host", "port", "secure", "name":
			return denied("a dictionary's source must be a table of this server (" + t.text + ")")
		case "lifetime", "layout":
			return nil
		}
	}
	return nil
}

// refuseSetting is the same for a setting of the URL.
func refuseSetting(name string) error {
	if forbiddenSettings[strings.ToLower(name)] {
		return denied("the setting " + name + " is out of reach")
	}
	return nil
}

func denied(why string) error {
	return exception(codeAccessDenied, "Not enough privileges: "+why, "ACCESS_DENIED")
}

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}
