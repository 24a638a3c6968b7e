// Package readers holds the tests that every engine reads the lake alike: see `make readers`.
package readers
