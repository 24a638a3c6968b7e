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
{{define "merged"}}channel_id, inv, ref_hash, max(message_ref) AS message_ref, max(channel_ref) AS channel_ref, max(guild) AS guild,
        max(author) AS author, max(content) AS content, max(deleted) AS deleted, max(extra) AS extra, max(search) AS search
{{- end -}}
-- Views with parameters, for what people ask again and again. They are made again by every migration run.

-- A page of a channel, newest first: the messages below an id. The newest: before = 9223372036854775807.
CREATE OR REPLACE VIEW channel_page AS
SELECT
{{template "columns"}}
FROM state AS s FINAL
WHERE s.channel_id = {channel:Int64} AND s.inv > -{before:Int64} AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0
ORDER BY s.inv, s.ref_hash
LIMIT {limit:UInt32}
SETTINGS max_threads = 1, max_block_size = 256;

-- What a user wrote, wherever; add WHERE, ORDER BY and LIMIT. The keys come from the projection by_user; grouping their
-- messages is FINAL for the few rows that the keys find: it reads no neighbours, where FINAL merges whole granules.
CREATE OR REPLACE VIEW user_messages AS
SELECT
{{template "columns"}}
FROM
(
    SELECT {{template "merged"}}
    FROM state
    WHERE (channel_id, inv) IN (SELECT channel_id, inv FROM state WHERE tupleElement(author, 'id') = {user:Int64})
    GROUP BY channel_id, inv, ref_hash
) AS s
WHERE tupleElement(s.author, 'id') = {user:Int64} AND tupleElement(s.author, 'known') = 1
    AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0;

-- Messages and active users, by the hours that a job counts: no more than a minute or two behind. The day is that of the
-- message's id, UTC. Users are counted once each, over any days and channels: uniqExactMerge(users).
CREATE OR REPLACE VIEW activity AS
SELECT channel_id, hour, messages, edited, deleted, users, computed FROM activity_hours FINAL WHERE messages > 0 OR deleted > 0;

CREATE OR REPLACE VIEW channel_days AS
SELECT toDate(a.hour) AS day, a.channel_id AS channel_id, sum(a.messages) AS messages, sum(a.edited) AS edited, sum(a.deleted) AS deleted, uniqExactMerge(a.users) AS users
FROM activity_hours AS a FINAL GROUP BY day, channel_id HAVING messages > 0 OR deleted > 0;

CREATE OR REPLACE VIEW guild_days AS
SELECT toDate(a.hour) AS day, c.guild_id AS guild_id, sum(a.messages) AS messages, sum(a.edited) AS edited, sum(a.deleted) AS deleted, uniqExactMerge(a.users) AS users
FROM (SELECT * FROM activity_hours FINAL) AS a INNER JOIN (SELECT DISTINCT guild_id, channel_id FROM channels) AS c ON c.channel_id = a.channel_id
GROUP BY day, guild_id HAVING messages > 0 OR deleted > 0;
