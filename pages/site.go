package pages

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Site is what the pages of one domain are about.
type Site struct {
	// Domain is the parent of the hosts, in lower case, such as example.org.
	Domain string

	// CA is the name by which people know the CA.
	CA string

	// Contact is the address that questions go to: an https:, http: or mailto:
	// URL. Optional: the name of the CA is then all there is.
	Contact string

	// Hosts are those that the page tells of: some of "o" (OCSP), "c" (CRLs) and
	// "i" (issuer certificates), at least one of the first two.
	Hosts []string

	// Updated is the day that the page says it was last updated on.
	Updated time.Time

	// Languages are those that the page is written in, in the order of the menu. The
	// first is the default, for readers of none of them.
	Languages []*Language
}

// Labels of hosts.
const (
	HostOCSP    = "o"
	HostCRL     = "c"
	HostIssuers = "i"
)

// hostName is two labels or more (RFC 1123 section 2.1): it becomes a folder and is
// pasted into a shell.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check reports what is wrong with the site.
func (s *Site) Check() error {
	if !hostName.MatchString(s.Domain) || len(s.Domain) > 253 {
		return fmt.Errorf("domain %q: want a host name in lower case, such as example.org; one in another script by its A-labels (xn--…)", s.Domain)
	}
	if strings.TrimSpace(s.CA) == "" || strings.ContainsFunc(s.CA, unicode.IsControl) {
		return fmt.Errorf("name of the CA %q: want the name that people know it by, without control characters", s.CA)
	}
	if err := checkContact(s.Contact); err != nil {
		return err
	}
	for _, h := range s.Hosts {
		if h != HostOCSP && h != HostCRL && h != HostIssuers {
			return fmt.Errorf("host %q: want some of o, c and i", h)
		}
	}
	if !s.has(HostOCSP) && !s.has(HostCRL) {
		return fmt.Errorf("hosts %q: want o, c or both among them: the page tells how the status of certificates is looked up", s.Hosts)
	}
	if len(s.Languages) == 0 {
		return errors.New("no language to write the page in")
	}
	return nil
}

func checkContact(contact string) error {
	if contact == "" {
		return nil
	}
	u, err := url.Parse(contact)
	if err == nil && (u.Scheme == "mailto" && strings.Contains(u.Opaque, "@") || (u.Scheme == "https" || u.Scheme == "http") && u.Host != "") {
		return nil
	}
	return fmt.Errorf("contact %q: want a URL such as https://example.org/contact or mailto:pki@example.org", contact)
}

func (s *Site) has(host string) bool { return slices.Contains(s.Hosts, host) }
