{{- if .NoSearch -}}
DROP VIEW IF EXISTS search_messages;

DROP VIEW IF EXISTS messages_with_links;

ALTER TABLE state DROP INDEX IF EXISTS words;
{{- else -}}
ALTER TABLE state ADD INDEX IF NOT EXISTS words tupleElement(search, 'text') TYPE text(tokenizer = splitByString([' ']));

-- The messages in which a reader finds these words, and "phrases" in quotes. The words of a content that another value has
-- replaced are still in the index of an old part: FINAL and the comparison of versions keep them from being found.
CREATE OR REPLACE VIEW search_messages AS
SELECT
{{template "columns"}}
FROM state AS s FINAL
WHERE hasAllTokens(tupleElement(s.search, 'text'), (SELECT searchTokens({words:String})))
    AND arrayAll(p -> position(tupleElement(s.search, 'text'), p) > 0, (SELECT searchPhrases({words:String})))
    AND tupleElement(s.search, 'rank') = tupleElement(s.content, 'rank') AND tupleElement(s.search, 'version') = tupleElement(s.content, 'version')
    AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0;

-- Messages with a link: has=link.
CREATE OR REPLACE VIEW messages_with_links AS
SELECT
{{template "columns"}}
FROM state AS s FINAL
WHERE hasAllTokens(tupleElement(s.search, 'text'), ['has:link'])
    AND tupleElement(s.search, 'rank') = tupleElement(s.content, 'rank') AND tupleElement(s.search, 'version') = tupleElement(s.content, 'version')
    AND tupleElement(s.author, 'rank') >= 0 AND tupleElement(s.deleted, 'flag') = 0;
{{end}}
