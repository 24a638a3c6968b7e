// Package protocol is a model of the cold path's protocol, small enough to look at every state that it can be in.
//
// A [State] is everything that the actors share and remember: the group's offsets and members, transactions, topic
// `chunks`, the files on the store, the table's versions and its hint, PUTs that are on their way. The actors are workers,
// committers, compactors, sweep and expiry; the environment expels members, kills processes, loses answers, delivers PUTs
// late, lets time pass. [Explore] visits every state that can be reached, breadth first, and gives the shortest way to one
// that breaks a promise, or from which the table can never become complete.
//
// The model is kept honest in two ways. A [Break] takes one step of the protocol away, and a test shows that the model
// then finds what the step is for. And the committer's schedules that the model makes are replayed on the real committer,
// in package lake's tests.
//
// It says nothing of rows, formats or speed, and it trusts what docs/protocol.md lists as assumptions.
package protocol
