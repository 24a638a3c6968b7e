package serve

import (
	"html/template"
	"net/http"
)

var pageTemplate = template.Must(template.New("status").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Coldstream</title><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width"><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b2733}
table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d5dde5}
td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#a40000}code{background:#eef2f6;padding:.1rem .3rem}
@media(prefers-color-scheme:dark){body{background:#11171d;color:#dbe4ec}td,th{border-color:#2c3945}code{background:#1d2731}.bad{color:#ff8a80}}
</style></head><body><h1>Coldstream</h1>
<p>Version {{.Version}}, up since {{.Started.Format "2006-01-02 15:04:05 MST"}}.</p>
{{range .Failing}}<p class="bad">{{.}}</p>{{end}}
<h2>What runs where</h2><table>{{range .Addresses}}<tr><th>{{index . 0}}</th><td><code>{{index . 1}}</code></td></tr>{{end}}</table>
<h2>Lag</h2><table><tr><th>pipeline</th><th>records</th><th>seconds</th></tr>
{{range $name, $l := .Lags}}<tr><td>{{$name}}</td><td class="n">{{$l.Records}}</td><td class="n">{{printf "%.1f" $l.Seconds}}</td></tr>{{end}}</table>
{{if .Stages}}<h2>The chain, policy {{.Policy}}</h2><table><tr><th>pipeline</th><th>stage</th><th>in</th><th>out</th><th>seconds</th></tr>
{{range .Stages}}<tr><td>{{.Pipeline}}</td><td>{{.Stage}}</td><td class="n">{{.In}}</td><td class="n">{{.Out}}</td><td class="n">{{printf "%.2f" .Seconds}}</td></tr>{{end}}</table>{{end}}
<h2>Since the start</h2><table>{{range $name, $n := .Counters}}<tr><td>{{$name}}</td><td class="n">{{$n}}</td></tr>{{end}}</table>
<p><a href="/readyz">readyz</a> · <a href="/metrics">metrics</a> · <a href="/status.json">status.json</a></p>
</body></html>`))

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = pageTemplate.Execute(w, s.cfg.Status(r.Context())) // the client has gone
}
