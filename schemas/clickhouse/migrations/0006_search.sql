-- What a search compares, beside the content: made by the sink (schemas/search), or by searchIndexed below. Its version is
-- the content's; a row of an older release has none, and is not found until it is edited or hot.search is switched on anew.
ALTER TABLE state ADD COLUMN IF NOT EXISTS search SimpleAggregateFunction(max, Tuple(rank Int8, version Int64, policy UInt32, text String))
    DEFAULT (-1, 0, 0, '') COMMENT 'normalised words of the content';

ALTER TABLE state ADD INDEX IF NOT EXISTS by_author tupleElement(author, 'id') TYPE bloom_filter(0.01) GRANULARITY 4;
