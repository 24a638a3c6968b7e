-- What a reader may see: messages whose creation is known, those that are deleted included.
CREATE OR REPLACE VIEW messages_all AS
SELECT
    -s.inv AS message_id,
    if(tupleElement(s.guild, 'known') = 1, tupleElement(s.guild, 'id'), NULL) AS guild_id,
    s.channel_id AS channel_id,
    if(tupleElement(s.author, 'known') = 1, tupleElement(s.author, 'id'), NULL) AS user_id,
    tupleElement(s.content, 'text') AS content,
    tupleElement(s.author, 'at') AS created_at,
    if(tupleElement(s.content, 'rank') = 1, tupleElement(s.content, 'at'), NULL) AS edited_at,
    if(tupleElement(s.deleted, 'flag') = 1, tupleElement(s.deleted, 'at'), NULL) AS deleted_at,
    tupleElement(s.extra, 'json') AS extra,
    CAST(nullIf(s.message_ref, ''), 'Nullable(String)') AS message_ref,
    nullIf(tupleElement(s.guild, 'ref'), '') AS guild_ref,
    CAST(nullIf(s.channel_ref, ''), 'Nullable(String)') AS channel_ref,
    nullIf(tupleElement(s.author, 'ref'), '') AS user_ref
FROM state AS s FINAL
WHERE tupleElement(s.author, 'rank') >= 0;

-- The same without deleted ones.
CREATE OR REPLACE VIEW messages AS
SELECT
    -s.inv AS message_id,
    if(tupleElement(s.guild, 'known') = 1, tupleElement(s.guild, 'id'), NULL) AS guild_id,
    s.channel_id AS channel_id,
    if(tupleElement(s.author, 'known') = 1, tupleElement(s.author, 'id'), NULL) AS user_id,
    tupleElement(s.content, 'text') AS content,
    tupleElement(s.author, 'at') AS created_at,
    if(tupleElement(s.content, 'rank') = 1, tupleElement(s.content, 'at'), NULL) AS edited_at,
    CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS deleted_at,
    tupleElement(s.extra, 'json') AS extra,
    CAST(nullIf(s.message_ref, ''), 'Nullable(String)') AS message_ref,
    nullIf(tupleElement(s.guild, 'ref'), '') AS guild_ref,
    CAST(nullIf(s.channel_ref, ''), 'Nullable(String)') AS channel_ref,
    nullIf(tupleElement(s.author, 'ref'), '') AS user_ref
FROM state AS s FINAL
WHERE tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0;
