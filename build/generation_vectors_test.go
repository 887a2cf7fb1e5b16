package build

import (
	"os"
	"testing"
	"time"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/index"
)

// buildVectors are for checks of a build as a whole.
func buildVectors(t *testing.T) []vector {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	var list [][]byte
	for n := range 20 {
		list = append(list, recipe.Response{Issuer: ca, Serials: []string{recipe.Serial(n + 1)}, Algs: []index.HashAlg{index.SHA256}, NextUpdate: recipe.Now.Add(5 * recipe.Day)}.DER(t))
	}
	// then is a build of so many of the responses, some time after one of all.
	then := func(name, check, rejects, warns string, after time.Duration, count int) vector {
		return vector{name, check, rejects, warns, judgeBuild(ca, func(t *testing.T) Config {
			c := Config{Out: t.TempDir(), Responses: []string{recipe.File(t, "before", list...)}}
			if _, err := run(t, ca, c); err != nil {
				t.Fatal(err)
			}
			return Config{Out: c.Out, Responses: []string{recipe.File(t, "now", list[:count]...)}, At: recipe.Now.Add(after)}
		})}
	}
	// shrunk is a build of so many of the responses that the limit leaves out.
	shrunk := func(name, rejects string, limit float64, count int) vector {
		return vector{name, "build.shrunk", rejects, nowhere, judgeBuild(ca, func(t *testing.T) Config {
			c := DefaultConfig()
			c.Out, c.Responses = t.TempDir(), []string{recipe.File(t, "before", list...)}
			if _, err := run(t, ca, c); err != nil {
				t.Fatal(err)
			}
			c.Responses, c.MaxShrink = []string{recipe.File(t, "now", list[:count]...)}, limit
			return c
		})}
	}
	return []vector{
		shrunk("10 % fewer, and that allowed", nowhere, 10, 18),
		shrunk("15 % fewer", everywhere, 14.9, 17),
		shrunk("none fewer", nowhere, 0, 20),
		shrunk("one fewer", everywhere, 0, 19),
		then("300 s earlier", "build.clock", nowhere, nowhere, -300*recipe.Second, 20),
		then("301 s earlier", "build.clock", everywhere, nowhere, -301*recipe.Second, 20),
		then("15 minutes later", "build.rhythm", nowhere, nowhere, 900*recipe.Second, 20),
		then("a second more", "build.rhythm", nowhere, public, 901*recipe.Second, 20),
		then("5 % fewer", "build.shrunk", nowhere, nowhere, 0, 19),
		then("10 % fewer", "build.shrunk", everywhere, nowhere, 0, 18),
		{"whole", "build.self-check", nowhere, nowhere, judgeSelf(list, nil)},
		{"a bit turned", "build.self-check", everywhere, nowhere, judgeSelf(list, func(segment []byte) { segment[len(segment)/2] ^= 1 })},
	}
}

// judgeSelf judges a segment of the responses after it was damaged.
func judgeSelf(list [][]byte, damage func(segment []byte)) judgement {
	return func(t *testing.T, _ rule.Profile) (string, []string) {
		path, info, of := packed(t, list)
		segment, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if damage != nil {
			damage(segment)
		}
		if selfCheckFile(recipe.File(t, "segment", segment), info, of) != nil {
			return rule.BuildSelfCheck.String(), nil
		}
		return "", nil
	}
}

// selfCheckFile is selfCheck of the segment at path.
func selfCheckFile(path string, info index.Info, of *sample) error {
	s, err := index.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	return selfCheck(s, info, of)
}

// packed makes a segment of the responses, and the sample of them.
func packed(t *testing.T, list [][]byte) (path string, info index.Info, of *sample) {
	t.Helper()
	w, err := index.NewWriter(t.TempDir(), index.Everything)
	if err != nil {
		t.Fatal(err)
	}
	of = &sample{}
	var r index.Response
	var e index.Entry
	for _, der := range list {
		if err := r.Parse(der); err != nil {
			t.Fatal(err)
		}
		if err := e.Set(&r); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
		of.add(der)
	}
	path, stats, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return path, stats.Info, of
}

// A segment without one of the responses that were packed is found out, though
// there is nothing wrong with it by itself.
func TestSelfCheckMissesNoResponse(t *testing.T) {
	list := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 3)
	path, info, _ := packed(t, list[:2])
	_, _, of := packed(t, list)
	if err := selfCheckFile(path, info, of); err == nil {
		t.Error("a response that is not in the segment was not missed")
	}
}

// A sample is spread over all that was seen, and bounded.
func TestSampleIsSpread(t *testing.T) {
	for _, n := range []int{1, maxSample, maxSample + 1, 10 * maxSample, 12345} {
		var s sample
		for i := range n {
			s.add([]byte{byte(i >> 16), byte(i >> 8), byte(i)})
		}
		if len(s.kept) > maxSample || len(s.kept) < min(n, maxSample)/2 {
			t.Errorf("%d of %d kept", len(s.kept), n)
		}
		for k, der := range s.kept {
			if got, want := int(der[0])<<16|int(der[1])<<8|int(der[2]), k*int(s.every); got != want {
				t.Fatalf("of %d: number %d is %d, want %d", n, k, got, want)
			}
		}
	}
}
