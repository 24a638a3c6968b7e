// Package messages reads the hot store for applications: pages of a channel, searches, a user's messages, each newest
// first, a few milliseconds each however many messages there are.
//
// The types to know are [Reader] and [Message]. ClickHouse is asked so that it reads little: a page names a bound on the
// message id, which widens while the page comes short; a search and a user's messages take the keys from an index first,
// and then the messages of these keys (ADR 51). Rows are asked for as they lie in the table's parts, and merged here
// (ADR 55). The answer is what the views `messages` and `search_messages` would give.
//
// An error of ClickHouse is returned as it is, with what was asked. Nothing is retried or cached but, for each channel,
// how far apart its messages lie. What is no longer or not yet in the hot store is not found.
package messages
