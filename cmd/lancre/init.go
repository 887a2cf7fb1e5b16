package main

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"lancre/build/certs"
	"lancre/deploy"
	"lancre/internal/durable"
)

// An initJob is what lancre init is told to write.
type initJob struct {
	dir     string
	domain  string
	issuers []string
	certs   []string // files of certificates that the issuers have issued
	to      string   // where the store is published to; empty for nowhere

	list  []*x509.Certificate // of the issuers
	files map[string][]byte   // to be written, by path below dir
	crls  []string            // HOST/PATH of CRLs that the certificates name
}

func newInit() *cobra.Command {
	var j initJob
	cmd := &cobra.Command{
		Use:   "init --domain DOMAIN --issuer FILE... --out DIR [--cert FILE]... [--to PLACE]",
		Short: "Write what lancre follow needs, to begin with",
		Long: `Init makes DIR, with

  lancre.toml            the configuration of lancre follow, with comments
  issuers.pem            the certificates of the issuers
  spool/                 where files of responses are put
  www/                   the tree of static files: the issuers' certificates at i.DOMAIN
  lancre-follow.service  a unit for systemd

and says what to type next. --cert names a certificate that one of the issuers has issued:
then the issuer's certificate lies where that one says that it is to be had. --to names
where lancre follow is to publish the store to, as lancre publish does.`,
		Example: `  lancre init --domain example.org --issuer ca.pem --out origin
  lancre init --domain example.org --issuer ca.pem --cert leaf.pem --out origin --to s3://status/lancre`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE:               func(*cobra.Command, []string) error { return j.check() },
		RunE:                  work(func(cmd *cobra.Command, _ []string) error { return j.run(cmd.OutOrStdout()) }),
	}
	f := cmd.Flags()
	f.StringVar(&j.dir, "out", "", "write to `DIR`, which must be absent or empty")
	f.StringVar(&j.domain, "domain", "", "`DOMAIN` that the hosts are below, such as example.org")
	f.StringArrayVar(&j.issuers, "issuer", nil, "`FILE` of CA certificates, PEM or DER (repeatable)")
	f.StringArrayVar(&j.certs, "cert", nil, "`FILE` of a certificate that one of them has issued, PEM or DER (repeatable)")
	f.StringVar(&j.to, "to", "", "publish to `PLACE`: s3://BUCKET/PREFIX, or a directory")
	for _, name := range []string{"out", "domain", "issuer"} {
		must(cmd.MarkFlagRequired(name))
	}
	must(cmd.MarkFlagDirname("out"))
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("cert"))
	return cmd
}

var domainForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`)

func (j *initJob) check() error {
	if !domainForm.MatchString(j.domain) {
		return fmt.Errorf("--domain %q: want a name in lower case, such as example.org", j.domain)
	}
	if j.to == "" || strings.Contains(j.to, "://") {
		return nil
	}
	var err error
	j.to, err = filepath.Abs(j.to) // in the configuration it would be relative to that
	return err
}

func (j *initJob) run(out io.Writer) error {
	j.files = make(map[string][]byte)
	for _, file := range j.issuers {
		list, err := certs.ReadFile(file)
		if err != nil {
			return err
		}
		for _, cert := range list {
			j.list = append(j.list, cert)
			j.files["issuers.pem"] = append(j.files["issuers.pem"], encodePEM(cert.Raw)...)
		}
	}
	if err := j.placeIssuers(); err != nil {
		return err
	}
	if err := j.configure(); err != nil {
		return err
	}
	if err := j.write(); err != nil {
		return err
	}
	return j.tell(out)
}

// placeIssuers has the issuers' certificates lie where certificates say that they do, and
// at i.DOMAIN.
func (j *initJob) placeIssuers() error {
	for _, file := range j.certs {
		list, err := certs.ReadFile(file)
		if err != nil {
			return err
		}
		issuer := j.issuerOf(list[0])
		if issuer == nil {
			return fmt.Errorf("--cert %s: none of the issuers has issued it", file)
		}
		for _, at := range places(list[0].IssuingCertificateURL) {
			j.files[filepath.Join("www", at)] = issuer.Raw
		}
		j.crls = append(j.crls, places(list[0].CRLDistributionPoints)...)
	}
	for i, cert := range j.list {
		name := "index.der"
		if i > 0 {
			name = strconv.Itoa(i+1) + ".der"
		}
		j.files[filepath.Join("www", "i."+j.domain, name)] = cert.Raw
	}
	return nil
}

func (j *initJob) issuerOf(cert *x509.Certificate) *x509.Certificate {
	for _, issuer := range j.list {
		if cert.CheckSignatureFrom(issuer) == nil {
			return issuer
		}
	}
	return nil
}

// places are the HOST/PATH of those of the URLs that a static tree can have.
func places(urls []string) (list []string) {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" || u.Port() != "" || u.RawQuery != "" {
			continue
		}
		at := u.Hostname() + u.Path
		if strings.HasSuffix(at, "/") {
			at += "index.der"
		}
		if filepath.IsLocal(at) && strings.Contains(at, "/") {
			list = append(list, at)
		}
	}
	return list
}

//go:embed init/lancre.toml
var configuration string

// configure makes the configuration and the unit.
func (j *initJob) configure() error {
	var b strings.Builder
	err := template.Must(template.New("lancre.toml").Parse(configuration)).Execute(&b, map[string]any{
		"Issuers": `"issuers.pem"`, "Domain": j.domain, "CRLs": j.crls, "To": j.quotedTo(),
	})
	if err != nil {
		return err
	}
	j.files["lancre.toml"] = []byte(b.String())
	dir, err := filepath.Abs(j.dir)
	if err != nil {
		return err
	}
	j.files["lancre-follow.service"] = []byte(strings.ReplaceAll(deploy.FollowUnit, deploy.FollowDir, dir))
	return nil
}

// quotedTo is where to publish to as a string of TOML; empty for nowhere.
func (j *initJob) quotedTo() string {
	if j.to == "" {
		return ""
	}
	return strconv.Quote(j.to)
}

// write writes the files to a directory that has none.
func (j *initJob) write() error {
	if entries, err := os.ReadDir(j.dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it has %q): name another directory", j.dir, entries[0].Name())
	}
	errs := []error{os.MkdirAll(filepath.Join(j.dir, "spool"), 0o755)}
	for name, content := range j.files {
		path := filepath.Join(j.dir, name)
		errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), durable.WriteBytes(path, content))
	}
	for _, at := range j.crls {
		errs = append(errs, os.MkdirAll(filepath.Dir(filepath.Join(j.dir, "www", at)), 0o755))
	}
	return errors.Join(errs...)
}

// tell says what to type next.
func (j *initJob) tell(out io.Writer) error {
	config := filepath.Join(j.dir, "lancre.toml")
	_, err := fmt.Fprintf(out, `%s is written. Next:

    lancre follow --config %s --check
    lancre follow --config %[2]s
    lancred --store %s --listen 127.0.0.1:8080

Then put responses into %s, and CRLs into %s, by host and path.
`, j.dir, config, filepath.Join(j.dir, "store"), filepath.Join(j.dir, "spool"), filepath.Join(j.dir, "www"))
	return err
}
