-- The keys of a user's messages, newest first, in every part: a bloom filter let a user of a thousand messages read half of
-- the table. It lies in the parts, so that it comes and goes with their rows, and a merge makes it again. FINAL does not use
-- it: read keys by it, and then the messages by their keys (view user_messages).
ALTER TABLE state MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE state ADD PROJECTION IF NOT EXISTS by_user (SELECT tupleElement(author, 'id') AS author_id, inv, channel_id, ref_hash ORDER BY author_id, inv);

ALTER TABLE state MATERIALIZE PROJECTION by_user;

ALTER TABLE state DROP INDEX IF EXISTS by_author;
