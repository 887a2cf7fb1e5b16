package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"lancre/index"
	"lancre/index/store"
	"lancre/internal/legible"
)

func newDiff() *cobra.Command {
	var asJSON bool
	var n, m uint64
	cmd := &cobra.Command{
		Use:   "diff STORE N M",
		Short: "Say what changed from one generation to another",
		Long: `Diff says what changed from generation N to M, each the current one or one that gc has
kept: by certificate, what it is answered; by file; and by line, which segments went and
came. It reads only the segments that the two do not share.`,
		Example: `  lancre diff store 41 42
  lancre diff store 41 42 --json`,
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, args []string) (err error) {
			if err := takes("STORE", "N", "M")(cmd, args); err != nil {
				return err
			}
			if n, err = parseGeneration(args[1]); err == nil {
				m, err = parseGeneration(args[2])
			}
			return err
		},
		ValidArgsFunction: completeStore,
		RunE: look(func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.OutOrStdout(), args[0], n, m, asJSON)
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func parseGeneration(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("generation %q: want a number from 1", text)
	}
	return n, nil
}

// A difference is what changed, as diff --json prints it.
type difference struct {
	From         uint64              `json:"from"`
	To           uint64              `json:"to"`
	Certificates []certificateChange `json:"certificates"`
	Files        []fileChange        `json:"files"`
	Lines        []lineChange        `json:"lines"`
}

// certificateChange is what becomes of one CertID.
type certificateChange struct {
	Hash   string `json:"hash"`
	NameID string `json:"issuer_name_hash"`
	KeyID  string `json:"issuer_key_hash"`
	Serial string `json:"serial"`
	Before string `json:"before"` // as "good 2026-03-01T12:00:00Z", its thisUpdate; also "tombstone of good …" and "nothing"
	After  string `json:"after"`
	certID string
}

type fileChange struct {
	URL    string `json:"url"`
	Before string `json:"before,omitempty"` // SHA-256; empty if there is none
	After  string `json:"after,omitempty"`
}

type lineChange struct {
	Change string `json:"change"` // went or came
	Role   string `json:"role"`
	Shard  string `json:"shard"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

func runDiff(out io.Writer, dir string, n, m uint64, asJSON bool) error {
	before, err := store.OpenPast(dir, n, nil)
	if err != nil {
		return err
	}
	defer before.Close()
	after, err := store.OpenPast(dir, m, before)
	if err != nil {
		return err
	}
	defer after.Close()
	d := difference{n, m, []certificateChange{}, filesDiffer(before, after), linesDiffer(before, after)}
	if asJSON {
		err := eachCertificate(before, after, func(c certificateChange) { d.Certificates = append(d.Certificates, c) })
		if err != nil {
			return err
		}
		return writeJSON(out, d)
	}
	w := bufio.NewWriter(out)
	return errors.Join(d.write(w, before, after), w.Flush())
}

// eachCertificate calls do for every certificate that is answered otherwise.
func eachCertificate(before, after *store.Generation, do func(certificateChange)) error {
	return store.Diff(before, after, func(c store.Change) bool { do(newCertificateChange(c)); return true })
}

// write says it in words. Certificates, which can be many, come as they are found.
func (d *difference) write(w *bufio.Writer, before, after *store.Generation) error { // w keeps its errors
	count := 0
	err := eachCertificate(before, after, func(c certificateChange) {
		count++
		fmt.Fprintf(w, "certificate %s: %s → %s\n", c.certID, c.Before, c.After)
	})
	if err != nil {
		return err
	}
	for _, f := range d.Files {
		fmt.Fprintf(w, "file %s: %s → %s\n", legible.Line(f.URL), orNothing(f.Before), orNothing(f.After))
	}
	for _, l := range d.Lines {
		fmt.Fprintf(w, "line %s: %s %s %s, %d octets\n", l.Change, l.Role, l.Shard, l.SHA256, l.Size)
	}
	fmt.Fprintf(w, "from generation %d to %d: CertIDs: %d, files: %d, lines: %d\n", d.From, d.To, count, len(d.Files), len(d.Lines))
	return nil
}

func newCertificateChange(c store.Change) certificateChange {
	return certificateChange{
		Hash: c.ID.Alg.String(), NameID: fmt.Sprintf("%x", c.ID.NameHash), KeyID: fmt.Sprintf("%x", c.ID.KeyHash), Serial: fmt.Sprintf("%x", c.ID.Serial),
		Before: said(c.Before, c.Was, c.ID), After: said(c.After, c.Is, c.ID), certID: c.ID.String(),
	}
}

// said is what r, if there is one, says of id, or what it took the place of.
func said(r index.Record, there bool, id *index.CertID) string {
	if !there {
		return "nothing"
	}
	says := r.StatusOf(id).String() + " " + formatTime(unixTime(r.ThisUpdate()))
	if r.Tombstone() {
		return "tombstone of " + says
	}
	return says
}

func filesDiffer(before, after *store.Generation) []fileChange {
	list := []fileChange{}
	was := make(map[string]string)
	for _, f := range before.Manifest().Files {
		was[f.Host+f.Path] = f.SHA256
	}
	for _, f := range after.Manifest().Files {
		url := f.Host + f.Path
		if was[url] != f.SHA256 {
			list = append(list, fileChange{url, was[url], f.SHA256})
		}
		delete(was, url)
	}
	for _, f := range before.Manifest().Files {
		if sum, gone := was[f.Host+f.Path]; gone {
			list = append(list, fileChange{f.Host + f.Path, sum, ""})
		}
	}
	return list
}

// linesDiffer are the lines that went, then those that came, each in the order of its
// stack.
func linesDiffer(before, after *store.Generation) []lineChange {
	list := []lineChange{}
	for _, x := range []struct {
		change   string
		of, from *store.Generation
	}{{"went", before, after}, {"came", after, before}} {
		there := make(map[store.SegmentLine]bool)
		for _, l := range x.from.Manifest().Segments {
			there[l] = true
		}
		for _, l := range x.of.Manifest().Segments {
			if !there[l] {
				list = append(list, lineChange{x.change, l.Role, l.Shard.String(), l.SHA256, l.Size})
			}
		}
	}
	return list
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
