-- The latest name of each guild, channel and user. Read it with FINAL.
CREATE TABLE IF NOT EXISTS names
(
    kind    Enum8('guild' = 1, 'channel' = 2, 'user' = 3),
    id      Int64,
    ref     String COMMENT 'the opaque id, or empty',
    name    String,
    version Int64 COMMENT 'id of the event that said so'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, id)
SETTINGS non_replicated_deduplication_window = 1000;
