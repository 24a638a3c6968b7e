package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/ingest/importer"
	"github.com/coldstream/coldstream/internal/progress"
)

// importFunc is one importer with its own flags applied.
type importFunc func(ctx context.Context, pub importer.Publisher, paths []string, o importer.Options) (importer.Result, error)

func newImportCommand(g *globals, target publishTarget) *cobra.Command {
	return group("import", "Publish chat that others have kept: IRC logs, exports of Discord and Slack, NDJSON",
		newImportIRCCommand(g, target),
		importCommand(g, target, &cobra.Command{
			Use: "discord PATH…", Short: "Publish exports of DiscordChatExporter (JSON)",
			Long:    "Publishes exports of DiscordChatExporter in its JSON format: files, or folders of *.json. Ids are kept; an edited\nmessage becomes a creation and an edit. What Discord itself says of joins, pins and calls is skipped and counted.",
			Example: "  coldstream import discord export/",
		}, func() (importFunc, error) { return importer.Discord, nil }),
		importCommand(g, target, &cobra.Command{
			Use: "slack PATH…", Short: "Publish exports of Slack (.zip or folder)",
			Long:    "Publishes exports of Slack: the .zip as it came, or the folder unpacked from it. Ids are kept; a message is CHANNEL:TS.\nWhat Slack itself says of joins, topics and pins is skipped and counted.",
			Example: "  coldstream import slack export.zip",
		}, func() (importFunc, error) { return importer.Slack, nil }),
		newImportNDJSONCommand(g, target),
	)
}

func newImportIRCCommand(g *globals, target publishTarget) *cobra.Command {
	var guild, channel, timezone string
	c := &cobra.Command{
		Use: "irc PATH…", Short: "Publish IRC logs",
		Long: `Publishes the messages of IRC logs: files, or folders of them. Bracketed logs ([HH:MM] <nick> text, with the date in
the file's name or in each line), energymech's, irssi's and weechat's are known.

A line's id is GUILD/CHANNEL/FILE:LINE, so a second import changes nothing. The channel is the one in the line; else
the folder's name where the file's name begins with a date; else the file's name without extension. Where a file's clock
falls by an hour or more, midnight (or noon, on a twelve-hour clock) has passed. Actions, notices and presence are
skipped and counted.`,
		Example: "  coldstream import irc logs/\n  coldstream import irc --channel '#go' --timezone Europe/Berlin go.log",
	}
	f := c.Flags()
	f.StringVar(&guild, "guild", "irc", "guild that the channels belong to")
	f.StringVar(&channel, "channel", "", "channel of all lines (default: from the line, the folder or the file's name)")
	f.StringVar(&timezone, "timezone", "UTC", "`TZ` of the logs' clock, such as Europe/Berlin")
	return importCommand(g, target, c, func() (importFunc, error) {
		zone, err := time.LoadLocation(timezone)
		if err != nil {
			return nil, usagef("--timezone %q: %w", timezone, err)
		}
		if guild == "" {
			return nil, usagef("--guild must not be empty")
		}
		return func(ctx context.Context, pub importer.Publisher, paths []string, o importer.Options) (importer.Result, error) {
			return importer.IRC(ctx, pub, paths, importer.IRCOptions{Options: o, Guild: guild, Channel: channel, Zone: zone})
		}, nil
	})
}

func newImportNDJSONCommand(g *globals, target publishTarget) *cobra.Command {
	c := &cobra.Command{
		Use: "ndjson PATH…", Short: "Publish each line of files as it is (-: standard input)",
		Long:    "Publishes each line's bytes as they are, keyed by channel_id, else target_message_id, else event_id, where these can be\nread. Judging is the pipeline's: what it refuses becomes a dead letter.",
		Example: "  coldstream import ndjson events.ndjson\n  zcat events.ndjson.gz | coldstream import ndjson -",
	}
	return importCommand(g, target, c, func() (importFunc, error) {
		return func(ctx context.Context, pub importer.Publisher, paths []string, o importer.Options) (importer.Result, error) {
			return importer.NDJSON(ctx, pub, paths, c.InOrStdin(), o)
		}, nil
	})
}

// importCommand completes one import command. prepare reads its flags before anything is opened.
func importCommand(g *globals, target publishTarget, c *cobra.Command, prepare func() (importFunc, error)) *cobra.Command {
	c.Args = cobra.MinimumNArgs(1)
	c.RunE = func(cmd *cobra.Command, paths []string) error {
		imp, err := prepare()
		if err != nil {
			return err
		}
		return runImport(cmd, g, target, imp, paths)
	}
	return c
}

func runImport(cmd *cobra.Command, g *globals, target publishTarget, imp importFunc, paths []string) error {
	ctx := cmd.Context()
	p, err := target.open(ctx)
	if err != nil {
		return err
	}
	bar := progress.New(cmd.ErrOrStderr(), progress.Options{Title: "import " + cmd.Name(), Total: importer.Size(paths), Bytes: true})
	res, err := imp(ctx, p, paths, importer.Options{Progress: bar.Add, Note: bar.Note})
	err = finish(ctx, p, err)
	bar.Done()
	counts := p.Counts()
	if err == nil || res.Published > 0 {
		res.Published -= counts.Failed // given up when interrupted
		if err := showImport(cmd.OutOrStdout(), g, res); err != nil {
			return err
		}
	}
	return ended(ctx, err, importer.ErrUsage, "run it again: what is in the topic already changes nothing")
}

func showImport(w io.Writer, g *globals, res importer.Result) error {
	if g.json {
		return printJSON(w, res)
	}
	var skipped []string
	for _, kind := range slices.Sorted(maps.Keys(res.Skipped)) {
		skipped = append(skipped, humanize.Comma(res.Skipped[kind])+" "+kind)
	}
	text := ""
	if len(skipped) > 0 {
		text = "; skipped " + strings.Join(skipped, ", ")
	}
	_, err := fmt.Fprintf(w, "%s published; lines read: %s, files: %s%s\n(what the pipeline refuses is in `coldstream dlq list` some seconds later)\n",
		humanize.Comma(res.Published), humanize.Comma(res.Lines), humanize.Comma(int64(res.Files)), text)
	return err
}
