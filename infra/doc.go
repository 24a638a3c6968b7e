// Package infra holds the configuration of everything that `docker compose up` starts, and the test that loads it:
// the files that are mounted exist, ports are bound to loopback, and the commands are ones that coldstream has.
// It has no code to call. A container engine is not needed for the test, and none has run these files yet.
package infra
