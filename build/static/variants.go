package static

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"lancre/build/rule"
	"lancre/build/web"
	"lancre/index/store"
)

// A page is a folder's index.html where there are index.TAG.html beside it: one
// resource with a variant for each language. An edge finds variants by their paths,
// and the language of the index.html by that of the variant with the same octets:
// hence both are published under the tag, too.
type page struct {
	folder   target // with a slash at the end of its path
	standard *file
	variants []*file // in the order of their names
}

// addPages publishes the variants of all pages under their tags.
func (t *tree) addPages() []*page {
	pages := t.pages()
	for _, p := range pages {
		if p.standard != nil {
			t.addVariants(p)
			continue
		}
		t.refuse(p.variants[0], rule.StaticVariant, "there is no index.html beside it, for readers of other languages: add one")
	}
	return pages
}

// checkPages checks what pages refer to.
func (t *tree) checkPages(pages []*page) {
	if len(t.ledger.Rejections()) > 0 {
		return // what was rejected would be missed by those that refer to it
	}
	for _, p := range pages {
		for _, s := range append(p.variants, p.standard) {
			t.checkRefs(s)
		}
	}
}

// pages finds them among the files that were read.
func (t *tree) pages() []*page {
	found := make(map[target]*page)
	for _, s := range t.files {
		at := s.targets[0]
		folder, tag := variantOf(at.path)
		if folder == "" || s.kind != kindHTML {
			continue
		}
		at.path = folder
		p := found[at]
		if p == nil {
			p = &page{folder: at}
			found[at] = p
		}
		if tag == "" {
			p.standard = s
		} else {
			p.variants = append(p.variants, s)
		}
	}
	list := slices.DeleteFunc(slices.Collect(maps.Values(found)), func(p *page) bool { return len(p.variants) == 0 })
	slices.SortFunc(list, func(a, b *page) int {
		return cmp.Or(strings.Compare(a.folder.host, b.folder.host), strings.Compare(a.folder.path, b.folder.path))
	})
	return list
}

// variantOf takes apart the path of an index.html, which has no tag, or of an
// index.TAG.html. The folder of any other file is empty.
func variantOf(path string) (folder, tag string) {
	slash := strings.LastIndexByte(path, '/') + 1
	name, isIndex := strings.CutPrefix(path[slash:], "index.")
	if name == "html" && isIndex {
		return path[:slash], ""
	}
	tag, isHTML := strings.CutSuffix(name, ".html")
	if !isIndex || !isHTML {
		return "", ""
	}
	return path[:slash], tag
}

// addVariants publishes the variants of one page under their tags, its index.html
// under that of its own language.
func (t *tree) addVariants(p *page) {
	tags := make(map[string]*file)
	for _, s := range p.variants {
		_, tag := variantOf(s.targets[0].path)
		canonical, err := web.ParseTag(tag)
		switch {
		case err != nil:
			t.refuse(s, rule.StaticLanguage, "%q in its name is no language tag: %v", tag, err)
		case canonical != tag:
			t.refuse(s, rule.StaticLanguage, "%q in its name: want %q, as the tag is spelled", tag, canonical)
		case t.checkLanguage(s, tag):
			tags[tag] = s
			t.publishIn(tag, s, p.folder)
		}
	}
	t.addStandard(p, tags)
}

// addStandard publishes the index.html of a page under the tag of its language, if no
// variant is there, which it must be the same as.
func (t *tree) addStandard(p *page, variants map[string]*file) {
	s := p.standard
	if !t.readable(s) {
		return
	}
	tag, err := web.ParseTag(s.document.Lang)
	if err != nil {
		t.refuse(s, rule.StaticLanguage, "lang of the element html is %q: want the tag of its language, for there are others beside it", s.document.Lang)
		return
	}
	switch other := variants[tag]; {
	case other != nil && other.sha256 != s.sha256:
		t.refuse(s, rule.StaticVariant, "in the language %s as %s is, but not the same: remove that, or make them the same", tag, other.name)
	case other == nil && t.checkLanguage(s, tag):
		t.publishAt(s, target{p.folder.host, p.folder.path + "index." + escapeSegment(tag) + ".html"})
		t.publishIn(tag, s, p.folder)
	}
}

// publishIn publishes a variant under its tag below the folder of the page.
func (t *tree) publishIn(tag string, s *file, folder target) {
	below := folder.path + escapeSegment(tag) + "/"
	if t.publishAt(s, target{folder.host, below}) {
		t.publishAt(s, target{folder.host, below + "index.html"})
	}
}

// readable reports whether the page s could be read, and else refuses it.
func (t *tree) readable(s *file) bool {
	if s.document == nil {
		t.refuse(s, rule.StaticVariant, "more than %d octets, which is no page for people", web.MaxPage)
	}
	return s.document != nil
}

// checkLanguage checks that a page says itself that it is in the language tag, and
// reports whether it can be published as that.
func (t *tree) checkLanguage(s *file, tag string) bool {
	if !t.readable(s) {
		return false
	}
	var f rule.Findings
	f.Begin(t.ledger, rule.Whole(s.name))
	if err := s.document.CheckLang(tag); err != nil {
		f.Found(rule.StaticLanguage, err.Error)
	}
	if err := s.document.CheckDir(tag); err != nil {
		f.Found(rule.StaticDirection, err.Error)
	}
	return !t.ledger.Enter(&f)
}

// checkRefs checks that what a page refers to at its own host is published, as seen
// from each place where the page is.
func (t *tree) checkRefs(s *file) {
	var f rule.Findings
	f.Begin(t.ledger, rule.Whole(s.name))
	for _, ref := range s.document.Refs {
		for _, at := range s.targets {
			if to, ours := at.refer(ref.URL); ours && !t.has(to) {
				f.FoundAt(rule.StaticReference, ref.Offset, nil, rule.Because("refers to %q, which from %s is %s: nothing is published there",
					ref.URL, at.url(), to.url()))
				break
			}
		}
	}
	t.ledger.Enter(&f)
}

// refer is what a reference in the page at t leads to, its path in normal form, and
// whether that is at the same host.
func (t target) refer(ref string) (to target, ours bool) {
	base, err := url.Parse(t.url())
	if err != nil {
		return target{}, false
	}
	u, err := base.Parse(strings.TrimSpace(ref))
	if err != nil || u.Scheme != base.Scheme || !strings.EqualFold(u.Host, base.Host) {
		return target{}, false
	}
	path := cmp.Or(u.EscapedPath(), "/")
	return target{t.host, string(store.AppendNormalPath(nil, []byte(path)))}, true
}

// has reports whether something is published at a target, there or at any host.
func (t *tree) has(at target) bool {
	return t.taken[at] != nil || t.taken[target{store.AnyHost, at.path}] != nil
}
