package catalog

import (
	"encoding/json"
	"errors"
	"net/http"
)

// failure is an error as the protocol has it.
type failure struct {
	code int    // HTTP's
	kind string // the exception that Iceberg's clients raise
	text string
}

func (f *failure) Error() string { return f.text }

// refuse answers what would write.
func refuse(*http.Request) (any, error) {
	return nil, &failure{http.StatusForbidden, "ForbiddenException", "this catalog is read-only: its tables have one writer, " +
		"Coldstream's committer. Nothing was changed. Publish events to Kafka to add rows"}
}

// token answers clients that were given a credential, in the words of OAuth (RFC 6749, 5.2).
func token(*http.Request) (any, error) {
	return nil, &failure{http.StatusBadRequest, "unsupported_grant_type", "this catalog gives out no tokens: leave credential and token out of the client's settings"}
}

// nothing answers what is not there.
func nothing(r *http.Request) (any, error) {
	return nil, &failure{http.StatusNotFound, "NotFoundException", "there is nothing at " + r.URL.Path +
		": this catalog answers config, namespaces and tables, and GET /v1/config says where"}
}

// write answers with v as JSON, with 204 where there is none, or with the error.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, v any, err error) {
	code := http.StatusOK
	if err != nil {
		var f *failure
		if !errors.As(err, &f) {
			h.cfg.Log.Warn("catalog", "method", r.Method, "path", r.URL.Path, "error", err)
			f = &failure{http.StatusServiceUnavailable, "ServiceUnavailableException", "the table cannot be read now: " + err.Error()}
		}
		code = f.code
		v = map[string]any{"error": map[string]any{"message": f.text, "type": f.kind, "code": f.code}}
		if f.kind == "unsupported_grant_type" {
			v = map[string]any{"error": f.kind, "error_description": f.text}
		}
	} else if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
