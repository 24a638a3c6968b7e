-- Functions are the server's, not the database's, and hold the epoch: they are made again by every migration run.
CREATE OR REPLACE FUNCTION snowflakeTime AS (id) -> fromUnixTimestamp64Milli(bitShiftRight(toInt64(id), 22) + {{.Epoch}}, 'UTC');

-- The smallest Snowflake of a time: message_id >= snowflakeAt(now() - INTERVAL 1 DAY) reads what it must and no more.
CREATE OR REPLACE FUNCTION snowflakeAt AS (time) -> bitShiftLeft(toUnixTimestamp64Milli(toDateTime64(time, 3, 'UTC')) - {{.Epoch}}, 22);

-- The number of a guild's, channel's or user's id given as text, decimal or opaque.
CREATE OR REPLACE FUNCTION coldstreamId AS (text) -> if(match(text, '^(0|-?[1-9][0-9]{0,18})$') AND isNotNull(toInt64OrNull(text)), assumeNotNull(toInt64OrNull(text)), toInt64(bitAnd(xxh3(text), 0x7fffffffffffffff)));

-- What a search compares, as the package schemas/search says it and for what a person types: searchWords are the words of a
-- text in the index; searchText the text as it is indexed; searchTokens and searchPhrases are what a query must find.
CREATE OR REPLACE FUNCTION searchPlain AS (text) -> translateUTF8(replaceAll(replaceAll(replaceAll(
    normalizeUTF8NFC(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
        normalizeUTF8NFD(normalizeUTF8NFKC(normalizeUTF8NFKCCasefold(toValidUTF8(text)))),
        '[\\x{0640}\\x{1F3FB}-\\x{1F3FF}\\x{FE00}-\\x{FE0F}\\x{E0100}-\\x{E01EF}\\p{Cf}]', ''),
        '([\\p{Latin}\\p{Greek}\\p{Hebrew}\\p{Arabic}0-9\\p{Z}\\p{P}\\p{S}\\p{Cc}]|^)\\p{M}+', '\\1'),
        '(\\p{Cyrillic})[\\x{0300}\\x{0301}]+', '\\1'),
        'е\\x{0308}', 'е')),
    'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'øłđıðħŧŋ', 'oldidhtn');

CREATE OR REPLACE FUNCTION searchWords AS (text) -> arrayFlatten(arrayMap(
    t -> if(match(t, '^[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]'),
        arrayFlatten(arrayMap(u -> arrayMap(i -> if(i = 1, [u[1]], [concat(u[i - 1], u[i]), u[i]]), arrayEnumerate(u)), [extractAll(t, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}ー]\\p{M}*')])),
        [replaceRegexpOne(toValidUTF8(substring(t, 1, 64)), '\\x{FFFD}+$', '')]),
    extractAll(searchPlain(text), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]\\p{M}*(?:[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}ー]\\p{M}*)*|[^\\p{Z}\\p{P}\\p{S}\\p{C}\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+|\\p{So}')));

CREATE OR REPLACE FUNCTION searchText AS (text) -> arrayMap(w -> if(empty(w), '', concat(' ', arrayStringConcat(w, ' '), ' ')), [searchWords(text)])[1];

CREATE OR REPLACE FUNCTION searchTokens AS (typed) -> arrayDistinct(searchWords(typed));

CREATE OR REPLACE FUNCTION searchPhrases AS (typed) -> arrayFilter(p -> p != '', arrayMap(p -> searchText(p), arrayFlatten(arrayMap(
    (piece, i) -> if(i % 2 = 0 AND i < length(splitByChar('"', replaceRegexpAll(typed, '[“”„«»]', '"'))), [piece], splitByWhitespace(piece)),
    splitByChar('"', replaceRegexpAll(typed, '[“”„«»]', '"')), arrayEnumerate(splitByChar('"', replaceRegexpAll(typed, '[“”„«»]', '"')))))));

CREATE OR REPLACE FUNCTION searchIndexed AS (text) -> arrayMap((w, l) -> concat(w, if(l, if(w = '', ' has:link ', 'has:link '), '')), [searchText(text)], [match(text, '(?i)https?://[^\\x00-\\x20]')])[1];
