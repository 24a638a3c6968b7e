package clickhouse

import "strings"

// format is what the front knows of one of the engine's output formats.
type format struct {
	contentType string
	pieces      bool // an answer may be several outputs one after the other
}

const octets = "application/octet-stream"

var formats = map[string]format{
	"tabseparated":         {"text/tab-separated-values; charset=UTF-8", true},
	"tsv":                  {"text/tab-separated-values; charset=UTF-8", true},
	"tabseparatedraw":      {"text/tab-separated-values; charset=UTF-8", true},
	"tsvraw":               {"text/tab-separated-values; charset=UTF-8", true},
	"raw":                  {"text/tab-separated-values; charset=UTF-8", true},
	"csv":                  {"text/csv; charset=UTF-8; header=absent", true},
	"csvwithnames":         {"text/csv; charset=UTF-8; header=present", false},
	"csvwithnamesandtypes": {"text/csv; charset=UTF-8; header=present", false},
	"jsoneachrow":          {"application/x-ndjson; charset=UTF-8", true},
	"jsonlines":            {"application/x-ndjson; charset=UTF-8", true},
	"ndjson":               {"application/x-ndjson; charset=UTF-8", true},
	"jsoncompacteachrow":   {"application/json; charset=UTF-8", true},
	"json":                 {"application/json; charset=UTF-8", false},
	"jsoncompact":          {"application/json; charset=UTF-8", false},
	"jsonstrings":          {"application/json; charset=UTF-8", false},
	"jsoncolumns":          {"application/json; charset=UTF-8", false},
	"xml":                  {"application/xml; charset=UTF-8", false},
	"native":               {octets, true},
	"rowbinary":            {octets, true},
	"parquet":              {octets, false},
	"arrow":                {octets, false},
	"arrowstream":          {octets, false},
	"values":               {"text/plain; charset=UTF-8", false},
	"vertical":             {"text/plain; charset=UTF-8", false},
}

// formatOf returns what is known of a format; one that is not known is fetched whole.
func formatOf(name string) format {
	if f, ok := formats[strings.ToLower(name)]; ok {
		return f
	}
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "tabseparated"), strings.HasPrefix(lower, "tsv"):
		return format{contentType: "text/tab-separated-values; charset=UTF-8"}
	case strings.HasPrefix(lower, "json"):
		return format{contentType: "application/json; charset=UTF-8"}
	case strings.HasPrefix(lower, "rowbinary"):
		return format{contentType: octets}
	}
	return format{contentType: "text/plain; charset=UTF-8"}
}
