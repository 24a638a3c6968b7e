#!/bin/sh
# Counts the messages of bracketed IRC logs without the importer's parser: lines that have a clock, then <nick>.
# usage: count-irc.sh PATH…
LC_ALL=C grep -rahcE '^([^[ ][^ ]* [0-9]{4}-[0-9]{2}-[0-9]{2} )?\[[0-9]{2}(:[0-9]{2}){1,2}\][[:blank:]]+<[^>]+>' "$@" | awk '{ n += $1 } END { print n }'
