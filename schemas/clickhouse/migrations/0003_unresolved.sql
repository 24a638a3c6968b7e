-- Edits, deletes and restores whose channel or message is not known yet. A row of a higher status replaces the one of
-- a lower: what was done is not undone by a second delivery until the row is forgotten, and then it is harmless.
CREATE TABLE IF NOT EXISTS unresolved
(
    id          String COMMENT 'of the event that the resolver will publish',
    status      UInt8 COMMENT '0 waiting, 1 resolved, 2 dead letter',
    event_id    String COMMENT 'of the original',
    event       String COMMENT 'the original as a JSON document',
    completed   String COMMENT 'the same under the new id; channel and message to be added',
    target      String,
    target_hash UInt64 COMMENT 'xxh3 of an opaque target; 0 for a Snowflake',
    target_id   Int64 COMMENT 'number of a decimal target',
    decimal     UInt8 COMMENT 'whether target_id is meant',
    channel_id  Int64,
    has_channel UInt8,
    topic       String,
    partition   Int32,
    offset      Int64,
    seen        DateTime64(3, 'UTC') COMMENT 'record time of the original, which its producer may have set; a time outside of 1900 to 2299 is the nearest within',
    written     DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when this status was set, by the clock of the server: for a waiting row its arrival'
)
ENGINE = ReplacingMergeTree(status)
ORDER BY (id, event_id)
TTL toDateTime(written) + INTERVAL 10 DAY DELETE WHERE status > 0
SETTINGS non_replicated_deduplication_window = 1000;
