package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"lancre/internal/programs"
)

// newEdge serves the pages below static as an edge does: index.html at /, and
// index.TAG.html at /TAG/. It answers nothing else, so that a page that asks for more
// is found out.
//
// It stands in for lancred, whose part is the choice by Accept-Language at /.
func newEdge(t *testing.T, static string) (url string) {
	t.Helper()
	folder := filepath.Join(static, domain)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "index.html"
		if tag := strings.Trim(r.URL.Path, "/"); tag != "" {
			name = "index." + path.Base(tag) + ".html"
		}
		// The policy that an edge sends with pages.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		body, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		_, _ = w.Write(body) // a client that is gone has no use for an error
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A browser is a tab of Chromium that remembers what it was asked to load and what it
// complained of.
type browser struct {
	context.Context
	edge string // the only origin that it may load from

	mu       sync.Mutex // events come on a goroutine of their own
	requests []string
	messages []string
}

func newBrowser(t *testing.T, edge string) *browser {
	t.Helper()
	programs.Need(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root without it
	}
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{Context: tab, edge: edge}
	if err := chromedp.Listen(tab, b.event); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	return b
}

func (b *browser) event(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.messages = append(b.messages, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprint("console: ", e.Args))
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, e.ExceptionDetails.Text)
	}
}

// do takes steps that must succeed.
func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// get is what an action returns, which must succeed.
func get[T any](t *testing.T, b *browser, a chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(b, a)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// call runs a command of the protocol that must succeed.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b, command, params); err != nil {
		t.Fatal(err)
	}
}

// open loads the page of a language on a screen of that width.
func (b *browser) open(t *testing.T, tag string, width int64, scheme string) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	b.do(t, chromedp.EmulateViewport(width, 900), chromedp.Navigate(b.edge+"/"+tag+"/"))
}

// evaluate is the value of a JavaScript expression in the page.
func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	return get(t, b, chromedp.Evaluate[T](expression))
}

// picture saves what the page looks like, if -screenshots is set.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	png := get(t, b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantQuiet wants that nothing was loaded from elsewhere, and nothing complained of.
func (b *browser) wantQuiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		t.Error("the browser asked for nothing: its requests are not seen")
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, b.edge+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("it asked for %s", url)
		}
	}
	for _, m := range b.messages {
		t.Errorf("it said %q", m)
	}
}
