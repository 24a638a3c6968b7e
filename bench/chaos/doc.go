// Command chaos breaks a running archive in every way that its protocol is made for, and says whether an event was lost or
// stands in the lake twice.
//
// A [world] is topics on a real Apache Kafka, a table on a real MinIO, workers and committers as processes of the real
// binary (built with the tag `faults`), each behind proxies of its own, and a producer that never stops. A [plan] is made
// from a seed: which faults, at which step of the protocol, how long, how far apart. After each round `coldstream verify`
// and a check of our own by (kafka_partition, kafka_offset) read everything again.
//
// It fails when an event is missing, doubled, altered or late, when a process says a sentence that no ordinary fault may
// bring about, when the table does not move on, and when a kind of fault that was planned never fired. One line for every
// fault and every round is added to a log; `chaos report` makes tables of it. It is a tool for those who change the
// protocol, no part of what users install.
package main
