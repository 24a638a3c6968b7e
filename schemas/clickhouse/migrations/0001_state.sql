-- The state of messages: one row a message after merging, whatever order its events came in.
--
-- Each mutable part is one value (rank, version, policy, value…), and the greatest wins: rank 0 creation, 1 edit, delete
-- or restore, 2 erasure; version is the event's Snowflake; policy the redaction policy that the value went through.
-- Rank -1 says that a row does not have the part. A part must be read whole, as tupleElement(content, 'text'): the
-- dotted form reads a subcolumn, and FINAL would then take the greatest text instead of the winning one.
--
-- Of two values that are the same up to the policy, the rest decides: the greater text wins. That takes one event id that
-- was delivered with two contents.
--
-- late and week say where a row lies, not what it is: week is the Monday (YYYYMMDD) of the message, or, for what came
-- more than 28 days after its message or 7 days before it, of its arrival. Retention drops partitions by them.
CREATE TABLE IF NOT EXISTS state
(
    channel_id  Int64 COMMENT 'opaque ids: xxh3(text) & 0x7fffffffffffffff',
    inv         Int64 COMMENT '-message_id: newest first under an ascending key',
    ref_hash    UInt64 COMMENT 'xxh3 of an opaque message id; 0 for a Snowflake',
    message_id  Int64 ALIAS -inv,
    late        UInt8,
    week        UInt32,
    message_ref SimpleAggregateFunction(max, String),
    channel_ref SimpleAggregateFunction(max, String),
    guild       SimpleAggregateFunction(max, Tuple(known UInt8, id Int64, ref String)),
    author      SimpleAggregateFunction(max, Tuple(rank Int8, version Int64, policy UInt32, id Int64, ref String, known UInt8, at DateTime64(6, 'UTC'))) DEFAULT (-1, 0, 0, 0, '', 0, 0) COMMENT 'of the creation: who, and when',
    content     SimpleAggregateFunction(max, Tuple(rank Int8, version Int64, policy UInt32, text String, at DateTime64(6, 'UTC'))) DEFAULT (-1, 0, 0, '', 0),
    deleted     SimpleAggregateFunction(max, Tuple(rank Int8, version Int64, policy UInt32, flag UInt8, at DateTime64(6, 'UTC'))) DEFAULT (-1, 0, 0, 0, 0),
    extra       SimpleAggregateFunction(max, Tuple(rank Int8, version Int64, policy UInt32, json String)) DEFAULT (-1, 0, 0, ''),
    INDEX by_ref ref_hash TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_message -inv TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_id inv TYPE minmax GRANULARITY 16,
    INDEX by_time tupleElement(author, 'at') TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY (late, week)
ORDER BY (channel_id, inv, ref_hash)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;
