-- A message's events, oldest first, from the lake: up to the last checkpoint that was committed. Deletes of many messages,
-- of its channel or of its guild do not name it. The message is given as a text: its number, or the opaque id as it came. Of an
-- edit or delete that a resolver completed, the completed one stands here.
CREATE OR REPLACE VIEW message_events AS
SELECT * FROM events
WHERE message_id = toInt64OrNull({message:String}) AND message_ref IS NULL OR message_ref = {message:String} AND message_id IS NOT NULL
ORDER BY event_id, kafka_offset;
