// Package redact finds personal data and secrets in chat text and replaces
// them as a policy says.
//
// Engine is the type to know, Policy what it is made from, and Span what it
// finds. One scan over the text,
// a table look-up a byte, finds where a detector could begin; a detector is an
// anchored parser, written from the specification that its comment names, and
// decides by structure, assigned ranges, checksum and, where these leave doubt,
// by words nearby. Text with nothing to find costs that scan and no allocation.
// Every parser reads a bounded distance around its start, so the time is linear
// in the text whatever it says.
//
// People write around filters: full-width digits, zero-width characters,
// no-break spaces, "(at)" and "[dot]". Text that has such forms is folded to
// plain ones first, and what is found there is mapped back, so spans are always
// byte offsets of the original, on rune boundaries.
//
// Whatever stands in place of a value is a mark in brackets, which no detector
// looks into: redacting a text twice changes nothing, under any policy.
//
// A policy is refused with every mistake at once; after that nothing here
// fails: a text is any bytes, and invalid UTF-8 is kept as it was.
// The package knows text only; what a message is, is its caller's business.
package redact
