// Package generator makes up chat: message events that look like people talking, in any number and from a seed.
//
// [Generator] is the type to know, and [Options] says what it makes: channels and people as busy as Zipf's law has them,
// quiet nights and bursts, sentences in several languages with emoji, links, mentions, code and now and then something
// that a redaction should find, edits and deletes of messages made before, late events, exact repeats and bad events of
// many kinds. The same seed, start and options give the same bytes. Nothing is true: addresses are those reserved
// for documentation, numbers have right check digits and no owner.
//
// An event is about 320 bytes of JSON and costs about a microsecond. The package does no I/O and reads no clock but the
// one that it is given.
package generator
