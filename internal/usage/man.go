package usage

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"lancre/internal/version"
)

// Man is a hidden command, with which packages make the pages of a program for a section
// of the manual: one of the program, and one of each of its commands.
func Man(section string) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page of the program and of each of its commands to DIR. Their date is
that of SOURCE_DATE_EPOCH, if it is set: then they are the same whenever they are made.`,
		Example: "  lancre man .",
		Hidden:  true,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			prepareManual(root)
			header := doc.GenManHeader{Section: section, Source: root.Name() + " " + version.String(), Manual: "Lancre"}
			return doc.GenManTree(root, &header, args[0])
		},
	}
}

// prepareManual has the texts of cmd and of those below it be right when they are read as
// Markdown, of which manual pages are made: lines that begin with spaces keep their form.
func prepareManual(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.Long = strings.ReplaceAll(cmd.Long, "\n  ", "\n      ")
	for _, sub := range cmd.Commands() {
		if sub.Name() == "completion" { // packages have what it writes
			cmd.RemoveCommand(sub)
		}
		prepareManual(sub)
	}
}
