-- How many messages each hour of each channel has, and who wrote them. Rows are replaced, never added to: the job that
-- fills the table (jobs/activity) counts an hour again from the state whenever something in it changes, so that what is
-- delivered twice counts once, and what is deleted does not count. Old hours are not counted again for nothing.
CREATE TABLE IF NOT EXISTS activity_hours
(
    channel_id Int64,
    hour       DateTime('UTC') COMMENT 'of the messages, by their ids',
    messages   UInt64 COMMENT 'that a reader may see',
    edited     UInt64 COMMENT 'of these',
    deleted    UInt64 COMMENT 'beside these',
    users      AggregateFunction(uniqExact, Int64) COMMENT 'who wrote the messages',
    computed   DateTime64(3, 'UTC') COMMENT 'when the count began; a later one replaces it'
)
ENGINE = ReplacingMergeTree(computed)
PARTITION BY toYYYYMM(hour)
ORDER BY (channel_id, hour)
SETTINGS non_replicated_deduplication_window = 1000;

-- The hours that something was written to, and up to when they are counted. A row whose count is a day old is forgotten.
CREATE TABLE IF NOT EXISTS activity_touched
(
    channel_id Int64,
    hour       DateTime('UTC'),
    touched    SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'when the last insert began, by the server''s clock',
    computed   SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'when the last count began'
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour)
TTL toDateTime(computed) + INTERVAL 1 DAY DELETE WHERE computed >= touched + INTERVAL 100 SECOND;

CREATE MATERIALIZED VIEW IF NOT EXISTS activity_marks TO activity_touched AS
SELECT channel_id, toStartOfHour(fromUnixTimestamp64Milli(bitShiftRight(-inv, 22) + {{.Epoch}}, 'UTC')) AS hour, now64(3, 'UTC') AS touched
FROM state GROUP BY channel_id, hour;

-- What the state holds already.
INSERT INTO activity_touched (channel_id, hour, touched)
SELECT channel_id, toStartOfHour(fromUnixTimestamp64Milli(bitShiftRight(-inv, 22) + {{.Epoch}}, 'UTC')) AS hour, now64(3, 'UTC')
FROM state GROUP BY channel_id, hour;
