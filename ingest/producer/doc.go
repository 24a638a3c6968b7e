// Package producer publishes message events to the events topic.
//
// [Producer] is the type to know: Publish takes an event, gives it a Snowflake if it has no id, judges it as the pipeline
// will, and hands it to the broker; PublishRaw takes bytes as they are. Both return when the record is in a bounded
// buffer, and wait while that is full. Flush waits until the broker has acknowledged all.
//
// A broker that is away is waited for, as long as the producer lives, with a log line every few seconds: records are
// retried until they are acknowledged by all replicas. Retries of one record are written once (Kafka's idempotent
// producer). A broker that has lost the state needed for that, as one that was killed may have, can write a record twice;
// Coldstream drops the repeat. What a broker refuses for good (a record above its limit, no permission) is an error of
// the next call, and of Flush.
//
// Records are keyed by channel, else target, else event id, and partitioned as Kafka's own clients do (murmur2), so that a
// channel is ordered and repeats of an event meet in one partition. Only what had to be sent anew after such a loss may
// stand behind later records; the state of messages does not depend on it. A record never carries its event's time: the topic's
// retention would take an old one at once.
package producer
