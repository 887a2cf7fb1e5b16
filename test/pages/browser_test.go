package pages_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// home is where the browser finds the page, and hosts are all that it may ask.
const home = "http://" + domain

var hosts = []string{home, "http://o." + domain, "http://c." + domain}

// newEdge builds a store of the files below static and serves it with lancred, and
// returns its address.
func newEdge(t *testing.T, static string) (addr string) {
	t.Helper()
	store := filepath.Join(t.TempDir(), "store")
	run(t, "lancre", "build", "--out", store, "--static", static)
	return programs.Start(t, store).Addr
}

// A browser is a tab of Chromium that remembers what it was asked to load and what it
// complained of.
type browser struct {
	context.Context

	mu       sync.Mutex // events come on a goroutine of their own
	requests []string
	messages []string
}

// newBrowser opens a tab for which the names of all hosts of example.org lead to edge.
func newBrowser(t *testing.T, edge string) *browser {
	t.Helper()
	programs.Need(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP *."+domain+" "+edge+", MAP "+domain+" "+edge),
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable")) // it would try https first
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root without it
	}
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{Context: tab}
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
	b.do(t, chromedp.EmulateViewport(width, 900), chromedp.Navigate(home+"/"+tag+"/"))
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
		of := func(host string) bool { return strings.HasPrefix(url, host+"/") }
		if !slices.ContainsFunc(hosts, of) && !strings.HasPrefix(url, "data:") {
			t.Errorf("it asked for %s", url)
		}
	}
	for _, m := range b.messages {
		t.Errorf("it said %q", m)
	}
}
