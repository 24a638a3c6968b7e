-- A message's events, oldest first, from the lake: up to the last checkpoint that was committed. Deletes of many messages,
-- of its channel or of its guild do not name it.
CREATE OR REPLACE VIEW message_events AS
SELECT * FROM events WHERE message_id = {message:Int64} ORDER BY event_id, kafka_offset;
