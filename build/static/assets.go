package static

import (
	"path/filepath"
	"strings"

	"lancre/build/rule"
	"lancre/build/web"
)

// firstAsset is the kind of web.Kinds[0]; those of the others follow it.
const firstAsset = kindText + 1

// assetKinds are the rows of web.Kinds in kinds.
func assetKinds() (rows []kindRow) {
	for _, k := range web.Kinds {
		rows = append(rows, kindRow{k.Name, k.ContentType, []string{k.Extension}})
	}
	return rows
}

// recogniseFile tells what a static file holds: what pages are made of by its name, and
// everything else by its content alone.
func recogniseFile(name string, data []byte) (content, *rule.Finding) {
	ext := strings.ToLower(filepath.Ext(name))
	for i, k := range web.Kinds {
		if k.Extension != ext || len(data) == 0 {
			continue
		}
		if err := k.Check(data); err != nil {
			return content{}, rule.Broken(rule.StaticType, "named %s, which is for %s: %v", ext, k.Name, err)
		}
		return content{kind: firstAsset + kind(i)}, nil
	}
	return recognise(data)
}
