{{- define "verified"}}tupleElement(s.search, 'rank') = tupleElement(s.content, 'rank') AND tupleElement(s.search, 'version') = tupleElement(s.content, 'version')
    AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0
{{- end -}}
{{- define "found"}}arrayAll(p -> position(tupleElement(s.search, 'text'), p) > 0, (SELECT searchPhrases({words:String})))
    AND notEmpty((SELECT searchTokens({words:String})))
    AND {{template "verified"}}
{{- end -}}
{{- if .NoSearch -}}
DROP VIEW IF EXISTS search_messages;

DROP VIEW IF EXISTS search_channel;

DROP VIEW IF EXISTS messages_with_links;

ALTER TABLE state DROP INDEX IF EXISTS words;
{{- else -}}
ALTER TABLE state ADD INDEX IF NOT EXISTS words tupleElement(search, 'text') TYPE text(tokenizer = splitByString([' ']));

-- The messages in which a reader finds these words, and "phrases" in quotes. The index says in which rows the words ever
-- stood, an edit's or a creation's; then the messages of these keys are put together, and their present words compared.
-- The index must not be asked together with FINAL: 26.7 then misses rows.
CREATE OR REPLACE VIEW search_messages AS
SELECT
{{template "columns"}}
FROM
(
    SELECT {{template "merged"}}
    FROM state
    WHERE (channel_id, inv) IN (SELECT channel_id, inv FROM state WHERE hasAllTokens(tupleElement(search, 'text'), (SELECT searchTokens({words:String}))))
    GROUP BY channel_id, inv, ref_hash
) AS s
WHERE {{template "found"}};

-- The same within one channel.
CREATE OR REPLACE VIEW search_channel AS
SELECT
{{template "columns"}}
FROM
(
    SELECT {{template "merged"}}
    FROM state
    WHERE (channel_id, inv) IN (SELECT channel_id, inv FROM state WHERE channel_id = {channel:Int64} AND hasAllTokens(tupleElement(search, 'text'), (SELECT searchTokens({words:String}))))
    GROUP BY channel_id, inv, ref_hash
) AS s
WHERE {{template "found"}};

-- Messages with a link: has=link.
CREATE OR REPLACE VIEW messages_with_links AS
SELECT
{{template "columns"}}
FROM
(
    SELECT {{template "merged"}}
    FROM state
    WHERE (channel_id, inv) IN (SELECT channel_id, inv FROM state WHERE hasAllTokens(tupleElement(search, 'text'), ['has:link']))
    GROUP BY channel_id, inv, ref_hash
) AS s
WHERE position(tupleElement(s.search, 'text'), ' has:link ') > 0 AND {{template "verified"}};
{{end}}
