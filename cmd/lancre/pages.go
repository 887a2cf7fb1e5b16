package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lancre/internal/durable"
	"lancre/pages"
)

// A pagesJob is what lancre pages is told to write.
type pagesJob struct {
	out          string
	site         pages.Site
	tags         []string // of the languages; empty for all
	fallback     string   // tag of the default language
	reviewedOnly bool
	list         bool
}

func newPages() *cobra.Command {
	var j pagesJob
	cmd := &cobra.Command{
		Use:   "pages --out DIR --domain DOMAIN --ca NAME",
		Short: "Write the page that tells people what the hosts are for, in their languages",
		Long: `Pages writes DIR/DOMAIN/index.TAG.html for each language, and index.html in the
default language. Each is a complete page, without scripts, cookies or anything from
elsewhere: what the hosts below DOMAIN are for, whether they are malicious, why
connections to them can look odd, why they speak HTTP, how to look up a certificate
with openssl, and whom to ask. DIR is one that build takes as --static: what is served
at / is then chosen by the reader's language.

The page tells of o.DOMAIN (OCSP), and of c.DOMAIN (CRLs) and i.DOMAIN (issuer
certificates) where DIR has folders of these names or below them, such as
r10.i.DOMAIN; --hosts says otherwise.

Pages that it wrote before are replaced, and removed where their language is not among
--languages any more. What others wrote is not touched: it is an error.

--list lists the languages, and which of them a native reader has reviewed.`,
		Example: `  lancre pages --out www --domain example.org --ca 'Example-CA' --contact https://example.org/contact
  lancre pages --out www --domain example.org --ca Example --languages de,en,fr,it --default de --hosts o,c
  lancre pages --list`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE:               func(*cobra.Command, []string) error { return j.complete() },
		RunE:                  work(func(cmd *cobra.Command, _ []string) error { return j.run(cmd.OutOrStdout()) }),
	}
	f := cmd.Flags()
	f.StringVar(&j.out, "out", "", "write below `DIR`, which is made if absent")
	f.StringVar(&j.site.Domain, "domain", "", "`DOMAIN` that the hosts are below, such as example.org")
	f.StringVar(&j.site.CA, "ca", "", "`NAME` by which people know the CA")
	f.StringVar(&j.site.Contact, "contact", "", "`URL` for questions: https:, http: or mailto:")
	f.StringSliceVar(&j.site.Hosts, "hosts", nil, "tell of these `HOSTS`, some of o, c and i (default those found below --out)")
	f.StringSliceVar(&j.tags, "languages", nil, "write these languages, by their `TAGS` (default all)")
	f.StringVar(&j.fallback, "default", "", "`TAG` of the language for readers of no other (default en, or the first of --languages)")
	f.BoolVar(&j.reviewedOnly, "reviewed-only", false, "leave out languages that no native reader has reviewed")
	f.TimeVar(&j.site.Updated, "updated", time.Time{}, []string{time.DateOnly}, "`DAY` of the last update as the page shows it, such as 2026-03-01 (default today)")
	f.BoolVar(&j.list, "list", false, "list the languages and write nothing")
	must(cmd.MarkFlagDirname("out"))
	completeFlag(cmd, "hosts", pages.HostOCSP, pages.HostCRL, pages.HostIssuers)
	return cmd
}

// complete checks the flags against each other and fills in what they leave open.
func (j *pagesJob) complete() error {
	all, err := pages.Languages()
	if err != nil {
		return err
	}
	if err := j.chooseLanguages(all); err != nil || j.list {
		return err
	}
	if j.out == "" {
		return errors.New("no directory to write to: name it with --out DIR")
	}
	if j.site.Updated.IsZero() {
		j.site.Updated = time.Now().UTC()
	}
	if j.site.Hosts == nil {
		j.site.Hosts = hostsBelow(j.out, j.site.Domain)
	}
	return j.site.Check()
}

// chooseLanguages sets the languages of the site, the default first.
func (j *pagesJob) chooseLanguages(all []*pages.Language) error {
	chosen := all
	if len(j.tags) > 0 {
		chosen = nil
	}
	for _, tag := range j.tags {
		l := languageOf(all, tag)
		if l == nil {
			return fmt.Errorf("language %q: there is no such translation; lancre pages --list lists those there are", tag)
		}
		if !slices.Contains(chosen, l) {
			chosen = append(chosen, l)
		}
	}
	if j.reviewedOnly {
		named := len(chosen)
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(l *pages.Language) bool { return !l.Reviewed })
		if len(chosen) == 0 {
			return fmt.Errorf("none of the %d languages was reviewed by a native reader, so --reviewed-only leaves nothing: "+
				"have one reviewed (docs/TRANSLATIONS.md), or leave out the option", named)
		}
	}
	return j.chooseDefault(chosen)
}

func (j *pagesJob) chooseDefault(chosen []*pages.Language) error {
	first := languageOf(chosen, j.fallback)
	switch {
	case j.fallback != "" && first == nil:
		return fmt.Errorf("default language %q is not among those to be written: add it to --languages", j.fallback)
	case first == nil && len(j.tags) == 0:
		first = languageOf(chosen, "en")
	}
	if first == nil {
		first = chosen[0]
	}
	others := slices.DeleteFunc(slices.Clone(chosen), func(l *pages.Language) bool { return l == first })
	j.site.Languages = append([]*pages.Language{first}, others...)
	return nil
}

func languageOf(list []*pages.Language, tag string) *pages.Language {
	for _, l := range list {
		if l.Tag == tag {
			return l
		}
	}
	return nil
}

// hostsBelow finds out which hosts there are. OCSP responses have no folder: there are
// some as a rule.
func hostsBelow(dir, domain string) []string {
	hosts := []string{pages.HostOCSP}
	entries, _ := os.ReadDir(dir) // a directory that is not there yet has none
	for _, label := range []string{pages.HostCRL, pages.HostIssuers} {
		host := label + "." + domain
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
			return e.IsDir() && (e.Name() == host || strings.HasSuffix(e.Name(), "."+host))
		}) {
			hosts = append(hosts, label)
		}
	}
	return hosts
}

func (j *pagesJob) run(out io.Writer) error {
	if j.list {
		return listLanguages(out, j.site.Languages)
	}
	if err := j.write(); err != nil {
		return err
	}
	return j.summarise(out)
}

func listLanguages(out io.Writer, list []*pages.Language) error {
	t := newTable(out)
	for _, l := range list {
		reviewed := "not reviewed"
		if l.Reviewed {
			reviewed = "reviewed"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", l.Tag, reviewed, l.Name)
	}
	return t.Flush()
}

// summarise says what was written, and what no native reader has seen of it.
func (j *pagesJob) summarise(out io.Writer) error {
	var hosts, tags, unreviewed []string
	for _, h := range j.site.Hosts {
		hosts = append(hosts, h+"."+j.site.Domain)
	}
	for _, l := range j.site.Languages {
		tags = append(tags, l.Tag)
		if !l.Reviewed {
			unreviewed = append(unreviewed, l.Tag)
		}
	}
	t := newTable(out)
	t.row("pages", "%s", j.folder())
	t.row("hosts", "%s", strings.Join(hosts, " "))
	t.row("languages", "%s", strings.Join(tags, " "))
	if unreviewed != nil {
		t.row("not reviewed", "%s", strings.Join(unreviewed, " "))
	}
	return t.Flush()
}

// folder is where the pages go.
func (j *pagesJob) folder() string { return filepath.Join(j.out, j.site.Domain) }

// write makes the folder hold the pages of the site and no others.
func (j *pagesJob) write() error {
	dir := j.folder()
	files, err := pages.Render(&j.site)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	stale, err := pagesMade(dir, files)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := durable.WriteBytes(filepath.Join(dir, name), files[name]); err != nil {
			return err
		}
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// pagesMade lists the pages in dir that are to go: made by lancre pages, and not among
// files. One that was not made by it is an error.
func pagesMade(dir string, files map[string][]byte) (stale []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "index.") || !strings.HasSuffix(e.Name(), ".html") {
			continue
		}
		name := filepath.Join(dir, e.Name())
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		var old []byte
		if info.Mode().IsRegular() { // a FIFO is not waited for
			if old, err = os.ReadFile(name); err != nil {
				return nil, err
			}
		}
		if !pages.Made(old) {
			return nil, fmt.Errorf("%s was not made by lancre pages, and would not fit the others: move it away, or name another --out", name)
		}
		if files[e.Name()] == nil {
			stale = append(stale, name)
		}
	}
	return stale, nil
}
