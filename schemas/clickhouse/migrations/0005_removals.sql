-- Which guild a channel lies in, as events say: a pair once seen stays. A guild's messages are those of its channels.
CREATE TABLE IF NOT EXISTS channels
(
    guild_id    Int64,
    channel_id  Int64,
    guild_ref   String COMMENT 'the opaque id, or empty',
    channel_ref String COMMENT 'the opaque id, or empty'
)
ENGINE = ReplacingMergeTree
ORDER BY (guild_id, channel_id)
SETTINGS non_replicated_deduplication_window = 1000;

-- What the state knew before this table was.
INSERT INTO channels SELECT DISTINCT tupleElement(guild, 'id'), channel_id, tupleElement(guild, 'ref'), channel_ref
FROM state WHERE tupleElement(guild, 'known') = 1;

-- Channels and guilds that were deleted, each with its latest delete. A delete takes the messages whose id is below its
-- own (schemas.Covers): the resolver writes it into the state of each, and again for those that arrive later. Such a row
-- stays as long as the state does.
CREATE TABLE IF NOT EXISTS removals
(
    kind    Enum8('guild' = 1, 'channel' = 2),
    id      Int64,
    ref     SimpleAggregateFunction(max, String) COMMENT 'the opaque id, or empty',
    last    SimpleAggregateFunction(max, Tuple(version Int64, policy UInt32, at DateTime64(6, 'UTC'))) COMMENT 'of the delete',
    applied SimpleAggregateFunction(max, Int64) DEFAULT -9223372036854775808 COMMENT 'version up to which it was written into the state'
)
ENGINE = AggregatingMergeTree
ORDER BY (kind, id)
SETTINGS non_replicated_deduplication_window = 1000;
