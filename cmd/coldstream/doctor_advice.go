package main

import (
	"github.com/coldstream/coldstream/internal/kafkaclient"
)

// advice is what to do about an error that says more than that a check failed; empty: what the check has to say.
func advice(err error) string {
	return kafkaclient.Advice(err)
}
