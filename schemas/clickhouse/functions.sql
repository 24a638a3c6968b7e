-- Functions are the server's, not the database's, and hold the epoch: they are made again by every migration run.
CREATE OR REPLACE FUNCTION snowflakeTime AS (id) -> fromUnixTimestamp64Milli(bitShiftRight(toInt64(id), 22) + {{.Epoch}}, 'UTC');

-- The smallest Snowflake of a time: message_id >= snowflakeAt(now() - INTERVAL 1 DAY) reads what it must and no more.
CREATE OR REPLACE FUNCTION snowflakeAt AS (time) -> bitShiftLeft(toUnixTimestamp64Milli(toDateTime64(time, 3, 'UTC')) - {{.Epoch}}, 22);

-- The number of a guild's, channel's or user's id given as text, decimal or opaque.
CREATE OR REPLACE FUNCTION coldstreamId AS (text) -> if(match(text, '^(0|-?[1-9][0-9]{0,18})$') AND isNotNull(toInt64OrNull(text)), assumeNotNull(toInt64OrNull(text)), toInt64(bitAnd(xxh3(text), 0x7fffffffffffffff)));
