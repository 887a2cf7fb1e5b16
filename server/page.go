package server

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"lancre/index/store"
)

const (
	// maxLanguages is how many of the languages in an Accept-Language header are
	// looked at, in their order. Browsers send the few that their user set up.
	maxLanguages = 32

	// maxLanguage is the longest tag that is looked at, in octets: what an
	// implementation must have room for (RFC 5646 section 4.4.1).
	maxLanguage = 35
)

// A page is one resource with a variant for each of several languages. The store
// has it as a folder D with
//
//	D/      and D/index.html        the one for whoever reads none of the languages
//	D/TAG/  and D/index.TAG.html    the one in that language, the same at both
//
// The language of the first is known if its octets are those of another, too.
// Immutable.
type page struct {
	variants []*file // the first is for whoever reads none of the languages
	matcher  language.Matcher
	bases    []language.Base // of the variants, without regions, scripts and so on
}

// A variant is the page in one language.
type variant struct {
	*file
	name   string // the tag as it is in paths
	tag    language.Tag
	folder string // of the page, with a slash at its end
}

// linkPages finds the pages among the files of a host: from here on they are served
// by language. Paths are sorted, for a map is not, and of two languages that are
// equally near all edges must serve the same.
func (h *host) linkPages() {
	pages := make(map[string][]variant)
	for _, path := range slices.Sorted(maps.Keys(h.paths)) {
		if v, ok := h.variant(path); ok {
			pages[v.folder] = append(pages[v.folder], v)
			h.name(v)
		}
	}
	for folder, variants := range pages {
		p := newPage(h.paths[folder], variants)
		for _, path := range []string{folder, folder + "index.html"} {
			if h.same(path, h.paths[folder]) {
				h.paths[path].page = p
			}
		}
	}
}

// variant reports whether the file at path is a variant, and of which page.
func (h *host) variant(path string) (v variant, ok bool) {
	slash := strings.LastIndexByte(path, '/') + 1
	name, isIndex := strings.CutPrefix(path[slash:], "index.")
	name, isHTML := strings.CutSuffix(name, ".html")
	v = variant{file: h.paths[path], name: name, folder: path[:slash]}
	if page := h.paths[v.folder]; !isIndex || !isHTML || page == nil || page.media != store.TypeHTML || !h.same(v.folder+name+"/", v.file) {
		return v, false
	}
	var err error
	v.tag, err = language.Parse(name)
	return v, err == nil
}

// name says at all paths of v which language it is in, and leads to its folder.
func (h *host) name(v variant) {
	at := v.folder + v.name
	for _, path := range []string{v.folder + "index." + v.name + ".html", at + "/", at + "/index.html"} {
		if h.same(path, v.file) {
			h.paths[path].language = []byte(v.name)
		}
	}
	if h.paths[at] == nil {
		h.paths[at] = &file{location: []byte(at + "/")}
	}
}

// same reports whether at path there is what f is, to the octet.
func (h *host) same(path string, f *file) bool {
	other := h.paths[path]
	return other != nil && other.SHA256 == f.SHA256
}

// newPage makes the page whose variant for everybody else is standard.
func newPage(standard *file, variants []variant) *page {
	tags, p := []language.Tag{language.Und}, &page{variants: []*file{standard}}
	for _, v := range variants {
		if v.SHA256 == standard.SHA256 {
			tags[0], p.variants[0] = v.tag, v.file
			continue
		}
		tags, p.variants = append(tags, v.tag), append(p.variants, v.file)
	}
	p.matcher = language.NewMatcher(tags)
	for _, tag := range tags {
		base, _ := tag.Base()
		p.bases = append(p.bases, base)
	}
	return p
}

// choose returns the variant that an Accept-Language header prefers: that of the
// greatest weight, of several the first. The range * says nothing of any language
// (RFC 4647 section 3.4), nor does what is no tag; both are passed over.
func (p *page) choose(accepted []byte) *file {
	best, bestWeight := p.variants[0], 0
	for seen := 0; len(accepted) > 0 && seen < maxLanguages; seen++ {
		var wanted []byte
		var weight int
		wanted, weight, accepted = cutElement(accepted)
		if weight <= bestWeight {
			continue
		}
		if f := p.in(wanted); f != nil {
			best, bestWeight = f, weight
		}
	}
	return best
}

// in returns the variant for readers of a language, or nil. It must be that
// language, in whatever region or script comes nearest: the matcher would also give
// Russian to readers of Belarusian.
func (p *page) in(wanted []byte) *file {
	if len(wanted) == 0 || len(wanted) > maxLanguage {
		return nil
	}
	tag, err := language.Parse(string(wanted))
	if err != nil {
		return nil
	}
	_, i, confidence := p.matcher.Match(tag)
	base, _ := tag.Base()
	if confidence == language.Exact || confidence == language.High && base == p.bases[i] {
		return p.variants[i]
	}
	return nil
}
