{{define "columns"}}    -s.inv AS message_id,
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
{{- end -}}
-- Views with parameters, for what people ask again and again. They are made again by every migration run.

-- A page of a channel, newest first: the messages below an id. The newest: before = 9223372036854775807.
CREATE OR REPLACE VIEW channel_page AS
SELECT
{{template "columns"}}
FROM state AS s FINAL
WHERE s.channel_id = {channel:Int64} AND s.inv > -{before:Int64} AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0
ORDER BY s.inv, s.ref_hash
LIMIT {limit:UInt32};

-- What a user wrote, wherever; add WHERE, ORDER BY and LIMIT.
CREATE OR REPLACE VIEW user_messages AS
SELECT
{{template "columns"}}
FROM state AS s FINAL
WHERE tupleElement(s.author, 'id') = {user:Int64} AND tupleElement(s.author, 'known') = 1
    AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0;
